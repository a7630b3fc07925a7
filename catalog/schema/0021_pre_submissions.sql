-- Records that cataloguers hand in one by one, and what became of each; and what somebody is about to catalogue.

create table submission (
    submission bigint generated always as identity primary key,
    library text not null,              -- whose record it will be
    state text not null default 'draft'
        check (state in ('draft', 'submitted', 'returned', 'accepted', 'merged', 'withdrawn')),
    action text not null check (action in ('insert', 'replace', 'delete')),
    source int references source (source),  -- of the record that is replaced or deleted; null = of its own
    local_id text not null default '',  -- of that record, or that it was given when it was accepted
    format text not null,               -- marc21 or cnmarc
    body bytea not null default '',     -- the record as MARC-in-JSON, compressed; empty = what is deleted
    title text not null default '',     -- for lists
    answer jsonb not null default '{}', -- services.submitting.answer, as it was when it was last looked at
    note text not null default '',      -- what the cataloguer says of it
    made_by text not null,
    made_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    decided_by text not null default '',
    reason text not null default '',    -- why it was returned
    load bigint                         -- that brings it
);
create index submission_open on submission (library, submission) where state in ('draft', 'submitted', 'returned');
create index submission_load on submission (load) where state = 'accepted';

create table reservation (
    key text primary key,               -- isbn:9787020002207 or title:红楼梦, folded
    told text not null,                 -- as it was asked for
    library text not null,
    until timestamptz not null,
    made_at timestamptz not null default now(),
    made_by text not null
);

grant select on submission to tianlu_door;
grant select (key, told, library, until, made_at) on reservation to tianlu_door;  -- public, but for who made it

alter table submission enable row level security;
create policy door on submission for select to tianlu_door using (tianlu_reaches(library));
