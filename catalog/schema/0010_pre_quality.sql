-- Profiles of quality rules, the score of every record, and what was found by load and by month.

-- 0 to 100 by the rules of the library's profile; null = not judged yet, as all records of before this release.
alter table record add column score smallint;
alter table record_before add column score smallint;

-- A load of mode `recheck` reads a source's own records again by the profile that is active now.
alter table load drop constraint load_mode_check;
alter table load add constraint load_mode_check
    check (mode in ('changes', 'full', 'undo', 'feed', 'move', 'recheck'));
alter table load add column mended bigint not null default 0;   -- records that fixes of the profile changed on arrival
alter table load add column judged bigint not null default 0;   -- records that the rules looked at
alter table load add column score bigint not null default 0;    -- sum of their scores

-- A domain's (scope '') or a library's choice of levels and fixes. One of a scope is active at a time.
create table profile (
    profile bigint generated always as identity primary key,
    scope text not null,                -- '' = the node, else a library's symbol
    version int not null,               -- counts within the scope
    state text not null default 'draft' check (state in ('draft', 'shadow', 'active', 'retired')),
    levels jsonb not null,              -- level by rule id or glob
    mends jsonb not null,               -- rule ids and globs that are mended on arrival; -id takes one of the domain's away
    who text not null,
    why text not null,
    at timestamptz not null default now(),
    shadow jsonb,                       -- what the last shadow run found (dms.shadow)
    shadow_at timestamptz,
    active_at timestamptz,
    retired_at timestamptz,
    unique (scope, version)
);
create unique index profile_active on profile (scope) where state = 'active';

-- What the rules found in a load: a row a rule, never a row a record.
create table load_rule (
    load bigint not null references load (load) on delete cascade,
    rule text not null,
    level smallint not null,            -- under the profile of then (dms.rules.model.Level)
    findings bigint not null,
    records bigint not null,            -- that have any
    mended bigint not null,             -- records that its fix changed on arrival
    examples text[] not null,           -- a few local ids
    primary key (load, rule)
);

-- The trend: what was judged in a month of what is in force. An undone load is taken out again.
create table quality_month (
    source int not null references source (source),
    month date not null,                -- its first day, UTC
    judged bigint not null,
    score bigint not null,              -- sum
    returned bigint not null,
    unreadable bigint not null,
    mended bigint not null,
    primary key (source, month)
);

create table quality_rule (
    source int not null,
    month date not null,
    rule text not null,
    level smallint not null,
    findings bigint not null,
    records bigint not null,
    examples text[] not null,           -- of the newest load that found any
    primary key (source, month, rule),
    foreign key (source, month) references quality_month (source, month) on delete cascade
);

grant select on profile, load_rule, quality_month, quality_rule to tianlu_door;

alter table profile enable row level security;      -- a library's staff see the domain's too: theirs stands on it
create policy door on profile for select to tianlu_door
    using (tianlu_reaches(scope) or (scope = '' and coalesce(current_setting('tianlu.libraries', true), '') <> ''));

alter table load_rule enable row level security;
create policy door on load_rule for select to tianlu_door
    using (exists (select from load l where l.load = load_rule.load));

alter table quality_month enable row level security;
create policy door on quality_month for select to tianlu_door
    using (exists (select from source s where s.source = quality_month.source and tianlu_reaches(s.library)));

alter table quality_rule enable row level security;
create policy door on quality_rule for select to tianlu_door
    using (exists (select from source s where s.source = quality_rule.source and tianlu_reaches(s.library)));
