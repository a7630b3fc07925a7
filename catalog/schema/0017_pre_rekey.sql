-- Re-keying: a source's records get other local ids, after its library moved to another system.

create table rekey (
    rekey bigint generated always as identity primary key,
    source int not null references source (source),
    origin text not null,               -- names of the files by which the new ids are told
    fingerprint bytea not null,         -- of those files, as a load has it
    state text not null default 'moving' check (state in ('moving', 'moved', 'done')),  -- done: they are loaded too
    steps int not null,
    done int not null default 0,        -- steps that have been taken
    former text not null,               -- identity rule up to then
    after bigint not null,              -- the newest load of then: it and older ones can't be undone any more
    counts jsonb not null,
    at timestamptz not null default now()
);
create unique index rekey_open on rekey (source) where state <> 'done';
create index rekey_moving on rekey (rekey) where state = 'moving';

-- The renaming, in an order in which every new id is free when it is taken.
create table rekey_step (
    rekey bigint not null references rekey (rekey) on delete cascade,
    n int not null,
    old text not null,
    new text not null,
    kind smallint not null,             -- 0 renamed, 1 makes way for another record of its id, 2 goes into a record that is there
    primary key (rekey, n)
);

-- What became of a local id.
create table rekeyed (
    source int not null,
    old text not null,
    rekey bigint not null references rekey (rekey) on delete cascade,
    new text,                           -- null: nothing in the new files was surely it
    evidence text not null,
    cluster bigint,                     -- that it was in
    primary key (source, old, rekey)
);
create index rekeyed_new on rekeyed (source, new);

-- By which id other nodes know a record's copies: the first one that it had. A copy's origin stays what it was, so that
-- nothing need be told anew.
create table known_as (
    source int not null,
    local_id text not null,
    named text not null,
    primary key (source, local_id),
    unique (source, named)
);
alter table holding add column named text not null default '';    -- the same, beside the copy; '' = its record's id
create index holding_named on holding (source, named) where named <> '';

alter table authority drop constraint authority_source_local_id_fkey;
alter table authority add foreign key (source, local_id) references record (source, local_id)
    on delete cascade on update cascade;

grant select on rekeyed, known_as to tianlu_door;
