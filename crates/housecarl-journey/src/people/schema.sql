-- People, homes, devices and what was said. Plain columns hold random ids, times, small numbers
-- and MACs; whatever else there is to know about somebody is sealed under that person's key.

CREATE TABLE product (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- SHA-256 of the policy table that was in force last.
    applied BLOB
) STRICT;

CREATE TABLE stream (
    number INTEGER PRIMARY KEY,
    product INTEGER NOT NULL REFERENCES product,
    name TEXT NOT NULL,
    UNIQUE (product, name)
) STRICT;

CREATE TABLE home (
    id BLOB PRIMARY KEY,
    -- The subject of what is about all who live there, and of what is about nobody identified.
    household BLOB NOT NULL UNIQUE,
    bystanders BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    id BLOB PRIMARY KEY,
    home BLOB NOT NULL REFERENCES home,
    band INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_home ON person (home);

-- By which marks in messages a person of a home is recognised: MACs under the home's key.
CREATE TABLE mark (
    home BLOB NOT NULL REFERENCES home,
    mac BLOB NOT NULL,
    person BLOB NOT NULL REFERENCES person ON DELETE CASCADE,
    PRIMARY KEY (home, mac)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id BLOB PRIMARY KEY,
    home BLOB NOT NULL REFERENCES home,
    product INTEGER NOT NULL REFERENCES product,
    -- Whom its messages are about where they do not say; NULL is nobody.
    holder BLOB REFERENCES person ON DELETE SET NULL,
    -- SHA-256 of its secret; NULL where it has none and may not come in.
    secret BLOB
) STRICT, WITHOUT ROWID;

-- Codes by which a device is enrolled once.
CREATE TABLE claim (
    code BLOB PRIMARY KEY,
    home BLOB NOT NULL REFERENCES home,
    product INTEGER NOT NULL REFERENCES product,
    holder BLOB REFERENCES person ON DELETE CASCADE,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is not a device. No names: a random id, what they may do, and the SHA-256 of their token, NULL
-- where it was revoked.
CREATE TABLE operator (
    id BLOB PRIMARY KEY,
    -- NULL runs the gateway; otherwise a consumer of this product's purposes.
    product TEXT,
    purposes TEXT,
    token BLOB UNIQUE,
    CHECK ((product IS NULL) = (purposes IS NULL))
) STRICT, WITHOUT ROWID;

-- The log of choices: only ever added to, and summed into standings at every start.
CREATE TABLE choice (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Seconds since 1970.
    at INTEGER NOT NULL,
    product INTEGER NOT NULL REFERENCES product,
    -- One of these two.
    person BLOB,
    device BLOB,
    said BLOB NOT NULL,
    -- The entry of the audit log that was written with it.
    entry INTEGER NOT NULL REFERENCES outbox,
    CHECK ((person IS NULL) <> (device IS NULL))
) STRICT;
CREATE INDEX choice_person ON choice (person) WHERE person IS NOT NULL;
CREATE INDEX choice_device ON choice (device) WHERE device IS NOT NULL;

-- When the clock was last looked at, and for how long it had then moved on without a jump; in seconds.
CREATE TABLE clock (
    seen INTEGER NOT NULL,
    steady INTEGER NOT NULL
) STRICT;
INSERT INTO clock VALUES (0, 0);

-- What has been promised to be erased; an entry without `done_at` is finished at the next start.
CREATE TABLE erasure (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    subject BLOB NOT NULL,
    -- What was received before is erased: seconds since 1970.
    before INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    -- What its entries in the audit log share.
    erasure_case BLOB NOT NULL,
    -- When its keys were seen to be gone, and its rows.
    unreadable_at INTEGER,
    done_at INTEGER
) STRICT;

-- Buckets whose expiry is in the audit log, until the next run: a run that a crash cut short after
-- that does not log them twice.
CREATE TABLE expired (
    bucket TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Entries of the audit log, each written in the transaction of what it speaks of. Never changed.
CREATE TABLE outbox (
    -- The index in the log: from 0 and without gaps.
    number INTEGER PRIMARY KEY,
    -- What is published.
    leaf BLOB NOT NULL,
    -- Under whose key the opening is sealed; NULL where it is about nobody, and not sealed.
    keeper BLOB,
    opening BLOB NOT NULL
) STRICT;

-- The audit log itself: one row.
CREATE TABLE log (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- The name of its key.
    name TEXT NOT NULL,
    -- The last that was signed: it is kept here before anybody sees it, and only ever continued.
    checkpoint TEXT
) STRICT;
