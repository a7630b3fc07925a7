-- The mapping template by which a source's tables are read: the name of a ready one, or its whole text; '' = by the header.
alter table source add column template text not null default '';

-- The table by which its private-use characters are read: a row of `dictionary`, where bodies that records need to be read
-- are kept under a hash of their bytes; 0 = none.
alter table source add column characters int not null default 0;
