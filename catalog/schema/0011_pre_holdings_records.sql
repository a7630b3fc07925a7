-- Holdings records (MFHD): source records of their own kind, shown with a bibliographic record of the same library.
-- `sid` of a holdings record is its parent's signature, null while it waits for one.

alter table record
    add column kind smallint not null default 0,    -- 0 bibliographic, 1 authority, 2 holdings
    add column parent text not null default '';     -- of a holdings record: what names its parent (catalog.attached)
alter table record_before
    add column kind smallint not null default 0,
    add column parent text not null default '';
create index record_parent on record (library, parent) where kind = 2;
