-- What people say of a merged record: which record is its base, and what becomes of authority ids that contradict.

-- A cataloguer's word on the base: of the records of a cluster the chosen one stands first, whatever the policy says.
create table base_choice (
    source int not null,
    local_id text not null,
    library text not null default '',   -- whose staff chose; '' = the node's
    who text not null,
    why text not null,
    at timestamptz not null default now(),
    primary key (source, local_id)
);

-- Two records of a cluster that give one heading different ids of one authority file. MERGE enters and removes those
-- that wait; what somebody settled stays, so that it isn't asked again.
create table authority_conflict (
    conflict bigint generated always as identity primary key,
    cluster bigint not null,            -- in which it was found last
    tag text not null,
    heading text not null,              -- subfields as in the record, $ before each code
    file text not null,                 -- the authority file
    source_a int not null,
    local_id_a text not null,
    library_a text not null,
    id_a text not null,
    source_b int not null,
    local_id_b text not null,
    library_b text not null,
    id_b text not null,
    state text not null default 'waiting' check (state in ('waiting', 'settled')),
    found_at timestamptz not null default now(),
    who text,
    why text,
    at timestamptz,
    unique (source_a, local_id_a, source_b, local_id_b, file, id_a, id_b)
);
create index authority_conflict_cluster on authority_conflict (cluster);
create index authority_conflict_waiting on authority_conflict (conflict) where state = 'waiting';

grant select on base_choice, authority_conflict to tianlu_door;

-- Staff of a library see what its records are part of.
alter table authority_conflict enable row level security;
create policy door on authority_conflict for select to tianlu_door
    using (tianlu_reaches(library_a) or tianlu_reaches(library_b));
alter table base_choice enable row level security;
create policy door on base_choice for select to tianlu_door
    using (coalesce(current_setting('tianlu.libraries', true), '') <> '');
