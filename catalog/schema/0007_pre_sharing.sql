-- What is shared of a source, and records that two paths brought.
alter table source add column sharing_after text;   -- while a new profile is applied: the local id up to which records have it
alter table pin add column auto boolean not null default false;     -- made by the node: both records tell of one holding (its origin)
create index holding_origin on holding (origin) where origin <> '';
