-- In which month the next band begins, counted from January 1970; NULL where that is not known, or where
-- there is none.
ALTER TABLE person ADD COLUMN changes INTEGER;
-- Since which month an adult is known to be one; NULL where it is not known that they ever were not.
ALTER TABLE person ADD COLUMN adult_since INTEGER;
-- 1 where the person is forgotten with it: row, marks and choices go too.
ALTER TABLE erasure ADD COLUMN forgets INTEGER NOT NULL DEFAULT 0;
