-- What the version of a product in force was compiled from; whoever compiles knows how to read it. NULL
-- is not known.
ALTER TABLE product ADD COLUMN source BLOB;
