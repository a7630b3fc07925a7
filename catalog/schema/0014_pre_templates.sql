-- The mapping template by which a source's tables are read: the name of a ready one, or its whole text; '' = by the header.
alter table source add column template text not null default '';
