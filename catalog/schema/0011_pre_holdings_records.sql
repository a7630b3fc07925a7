-- Holdings records (MFHD): source records of their own kind, shown with a bibliographic record of the same library.
-- `sid` of a holdings record is its parent's signature, null while it waits for one.

alter table record
    add column kind smallint not null default 0,    -- 0 bibliographic, 1 authority, 2 holdings
    add column parent text not null default '';     -- of a holdings record: what names its parent (catalog.attached)
alter table record_before
    add column kind smallint not null default 0,
    add column parent text not null default '';
create index record_parent on record (library, parent) where kind = 2;

-- What a holdings record's copies are shown with, once it is there.
create table attached (
    source int not null,
    local_id text not null,
    parent_source int not null,
    parent_id text not null,
    primary key (source, local_id)
);
create index attached_parent on attached (parent_source, parent_id);

-- Call numbers and item numbers by which sheets of holdings name their parents; of sources that have such sheets only.
create table handle (
    source int not null,
    key text not null,
    local_id text not null,
    primary key (source, key, local_id)
);
create index handle_record on handle (source, local_id);

-- A copy that a holdings record tells of too, or one that was only supposed, since the record told of none.
alter table holding add column covered boolean not null default false;
