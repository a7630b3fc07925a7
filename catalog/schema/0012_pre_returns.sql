-- Records that came back, on their way into the catalogue.

alter table quarantine add column rerun bigint;                         -- the load that reads it again now
create index quarantine_rerun on quarantine (rerun) where rerun is not null;

alter table load add column mends text[] not null default '{}';         -- fixes for this load, beside those of the profile

-- What a load (`by`) settled, as it was: an undo puts it back.
create table quarantine_before (
    by bigint not null,
    id bigint not null,
    source int not null,
    library text not null,
    load bigint not null,
    position bigint not null,
    ordinal bigint not null,
    local_id text not null,
    verdict text not null,
    rule text not null,
    reason text not null,
    carrier smallint not null,
    digest bytea not null,
    body bytea not null,
    at timestamptz not null,
    primary key (by, id)
);
