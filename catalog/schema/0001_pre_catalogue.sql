-- The catalogue of one node. Keep to core SQL (no extensions, no triggers on record tables); keys carry the
-- distribution column (source or cluster or load) so that tables can be partitioned later.

create table node (
    single boolean primary key default true check (single),
    symbol text not null,
    created_at timestamptz not null default now()
);

-- A feed's place: taken as the last statement before commit, so that readers never skip a late commit.
create table feed (
    name text primary key,
    epoch bigint not null,      -- changes on restore or failover; cursors of another epoch are refused
    last bigint not null default 0
);
insert into feed (name, epoch) values ('clusters', (extract(epoch from now()) * 1000)::bigint);

create table library (
    symbol text primary key,
    name text not null,
    name_en text not null default '',
    area text not null default '',
    state text not null default 'active' check (state in ('active', 'merged', 'closed')),
    successor text not null default '',
    created_at timestamptz not null default now()
);

create table source (
    source int generated always as identity primary key,
    name text not null unique,
    library text not null references library (symbol),
    format text not null default 'auto',
    encoding text not null default 'auto',
    identity text not null default '001',
    mapping jsonb not null default '{}',
    visibility smallint not null default 0,
    state text not null default 'active' check (state in ('active', 'paused', 'removed')),
    trust int not null default 0,
    created_at timestamptz not null default now()
);

create table load (
    load bigint generated always as identity primary key,
    source int not null references source (source),
    library text not null,
    mode text not null check (mode in ('changes', 'full', 'undo')),   -- undo: units carry earlier versions
    origin text not null,               -- file name, '-' for standard input, or 'undo of N'
    fingerprint bytea not null,         -- of the file's beginning and size: the same file resumes its load
    carrier text not null,
    encoding text not null default 'auto',
    state text not null,
    landed bigint not null default 0,   -- checkpoint: bytes of the (decompressed) input that are safely in the inbox
    units int not null default 0,
    assured boolean not null default false, -- --yes: limits don't hold it
    undoes bigint,
    reason text not null default '',
    records bigint not null default 0,
    unchanged bigint not null default 0,
    added bigint not null default 0,
    updated bigint not null default 0,
    deleted bigint not null default 0,
    superseded bigint not null default 0,   -- repeats of an id within the load that lost
    returned bigint not null default 0,     -- held back by a rule
    unreadable bigint not null default 0,   -- quarantined
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
create index load_source on load (source, load);
create index load_open on load (state) where state in ('landing', 'preparing', 'placing', 'held');

-- A stretch of input whose bytes are safe. Prepared: what PREPARE made of it. The row goes when it has been placed.
create table inbox (
    load bigint not null,
    unit int not null,
    state smallint not null default 0,  -- 0 landed, 1 prepared
    position bigint not null,           -- byte offset of the stretch in the (decompressed) input
    ordinal bigint not null default 0,  -- records before the stretch, where the framing tells
    payload bytea not null,             -- zstd
    prepared bytea,                     -- zstd of packed prepared items
    tallies bytea,                      -- packed: local ids, stamps, digests, counts for judging the load
    orders bytea,                       -- packed: what judging decided on items of this unit (repeats, numbering)
    primary key (load, unit)
);

create table dictionary (
    dictionary int primary key,     -- hash of its bytes
    kind smallint not null,         -- format of source records; format + 10 of merged ones
    body bytea not null,
    made_at timestamptz not null default clock_timestamp()
);

create table record (
    source int not null,
    local_id text not null,
    library text not null,
    sid bigint,
    load bigint not null,           -- that brought this version
    format smallint not null,
    carrier smallint not null,
    encoding text not null,
    visibility smallint not null,
    dictionary int not null,        -- 0 = plain zstd
    digest bytea not null,          -- of the bytes as received and the source's habits: equal means nothing to do
    stamp text not null,            -- 005, to choose between repeats in one load
    title_hash bigint not null,
    body bytea not null,            -- zstd of the bytes as received
    primary key (source, local_id)
);
create index record_sid on record (sid);

-- What a load (`by`) replaced or deleted, as it was: undo puts it back; kept at least 400 days.
create table record_before (
    by bigint not null,
    source int not null,
    local_id text not null,
    library text not null,
    sid bigint,
    load bigint not null,
    format smallint not null,
    carrier smallint not null,
    encoding text not null,
    visibility smallint not null,
    dictionary int not null,
    digest bytea not null,
    stamp text not null,
    title_hash bigint not null,
    body bytea not null,
    primary key (by, source, local_id)
);

create table finding (
    load bigint not null,
    source int not null,
    library text not null,
    local_id text not null,
    ordinal bigint not null,
    rule text not null,
    detail text not null
);
create index finding_load on finding (load);
create index finding_record on finding (source, local_id);

create table quarantine (
    id bigint generated always as identity primary key,
    source int not null,
    library text not null,
    load bigint not null,
    position bigint not null,       -- byte offset in the (decompressed) input
    ordinal bigint not null,        -- 1 = first record of the input
    local_id text not null default '',
    verdict text not null check (verdict in ('unreadable', 'returned')),
    rule text not null,
    reason text not null,
    carrier smallint not null,
    digest bytea not null,
    body bytea not null,            -- zstd of the bytes
    at timestamptz not null default now(),
    unique (source, load, position, digest)
);

create table holding (
    source int not null,
    local_id text not null,
    n smallint not null,
    library text not null,
    call_number text not null,
    item text not null,
    location text not null,
    status text not null,
    note text not null,
    primary key (source, local_id, n)
);

-- The signature graph (docs/architecture.md, matching).
create sequence signature_sid;
create sequence cluster_no;

create table signature (
    sid bigint primary key,
    digest bytea not null unique,
    features bytea not null,
    records int not null
);

create table match_key (
    key bigint not null,
    sid bigint not null,
    primary key (key, sid)
);

create table edge (
    a bigint not null,
    b bigint not null,
    score int not null,
    ruleset smallint not null,
    verdict text not null,
    reasons bytea not null,
    primary key (a, b)
);
create index edge_b on edge (b);

create table membership (
    sid bigint primary key,
    cluster bigint not null
);
create index membership_cluster on membership (cluster);

create table identifier_use (
    identifier bigint not null,
    token bigint not null,
    n int not null,
    primary key (identifier, token)
);

create table pin (
    pin bigint generated always as identity primary key,
    source_a int not null,
    local_id_a text not null,
    source_b int not null,
    local_id_b text not null,
    verdict text not null check (verdict in ('must', 'cannot')),
    who text not null,
    why text not null,
    at timestamptz not null default now()
);
create index pin_a on pin (source_a, local_id_a);
create index pin_b on pin (source_b, local_id_b);

create table redirect (
    old bigint primary key,
    new bigint not null,
    at timestamptz not null default now()
);
create index redirect_new on redirect (new);

-- Clusters whose merged record must be made again; `mark` rises with each reason, so a late merge can't clear a new one.
create table dirty (
    cluster bigint primary key,
    mark bigint not null
);
create sequence dirty_mark;

-- Merged records and, by seq, the change feed: the latest state of each cluster in commit order.
create table merged (
    cluster bigint primary key,
    seq bigint not null unique,
    at timestamptz not null,
    deleted boolean not null,
    redirect bigint,
    format smallint not null,
    fingerprint bytea not null,
    libraries text[] not null,
    former text[] not null default '{}',    -- libraries that left: harvesters of their sets must hear of it
    dictionary int not null,
    content bytea not null                  -- zstd of packed (body, description)
);
create index merged_at on merged (at, cluster);

create table lease (
    name text primary key,
    holder text not null,
    term bigint not null,
    until timestamptz not null
);

create table worker (
    id text primary key,
    host text not null,
    pid int not null,
    version text not null,
    roles text[] not null,
    state text not null,
    beat_at timestamptz not null,
    load real not null default 0
);
