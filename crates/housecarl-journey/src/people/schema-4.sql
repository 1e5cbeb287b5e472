-- Whose parts are to be looked through because something was taken back: what is kept for nothing any
-- more goes. There is a row from when it was said until that is done, or until a moment that is to come.
CREATE TABLE look (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    subject BLOB NOT NULL,
    -- From when on: seconds since 1970.
    due INTEGER NOT NULL,
    -- 1 where the audit log tells already what goes.
    told INTEGER NOT NULL DEFAULT 0
) STRICT;
