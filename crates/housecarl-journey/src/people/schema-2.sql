-- Erasures of some of what is about somebody: what was received, or captured where it comes later, in
-- this time (seconds since 1970, the second not included), by this stream, and of this item of a product.
-- NULL is any. All of it is everything.
ALTER TABLE erasure ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasure ADD COLUMN until INTEGER NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE erasure ADD COLUMN stream INTEGER;
ALTER TABLE erasure ADD COLUMN product INTEGER;
ALTER TABLE erasure ADD COLUMN item INTEGER;
-- The numbers of the streams whose keys are destroyed, with spaces between them; NULL is every one that
-- the subject has a key of.
ALTER TABLE erasure ADD COLUMN streams TEXT;
