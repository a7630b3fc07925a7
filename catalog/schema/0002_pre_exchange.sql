-- What a node knows of its peers, and what passed between them (docs/exchange.md).

create table peer (
    peer int generated always as identity primary key,
    symbol text not null unique,
    name text not null default '',
    role text not null check (role in ('parent', 'child')),        -- what it is to us
    path text not null check (path in ('uplink', 'membership')),   -- a library has one uplink and any number of memberships
    state text not null default 'active' check (state in ('active', 'suspended', 'revoked')),
    suite text not null,
    key bytea not null,                 -- public
    former bytea,                       -- public key before a change of keys, trusted until `former_until`
    former_until timestamptz,
    address text not null default '',   -- of a parent: https://host[:port]/
    policy jsonb not null default '{}', -- what we publish to it
    proto int not null default 1,       -- protocol version agreed on
    skew real not null default 0,       -- seconds its clock is ahead of ours
    source int references source (source),  -- of a child: the source that its records are of
    seen_at timestamptz,
    trouble text not null default '',   -- why the last exchange failed
    made_at timestamptz not null default now()
);

create table invitation (
    digest bytea primary key,           -- public half of the key whose seed is the secret in the code
    symbol text not null,               -- library that may use it
    path text not null check (path in ('uplink', 'membership')),
    made_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);

-- Nonces of signed requests, until the signature's expiry: a replayed request is refused.
create table nonce (
    peer int not null,
    nonce text not null,
    until timestamptz not null,
    primary key (peer, nonce)
);
create index nonce_until on nonce (until);

-- A stream is what one node tells one peer on one channel. This row: how far it is made and acknowledged.
create table outgoing (
    peer int not null references peer (peer),
    channel text not null,
    made_epoch bigint not null default 0,       -- upper end of the last segment made
    made_seq bigint not null default 0,
    made_link bytea not null default '',        -- digest of the last manifest made
    known_epoch bigint not null default 0,      -- what the peer acknowledged
    known_seq bigint not null default 0,
    known_link bytea not null default '',
    held_up text not null default '',           -- reason of a reconcile that is due
    primary key (peer, channel)
);

-- The latest state told to a peer, by key; digest null = told that it is gone.
create table told (
    peer int not null,
    channel text not null,
    kind smallint not null,
    id text not null,
    epoch bigint not null,
    seq bigint not null,
    digest bytea,
    bucket smallint not null,
    primary key (peer, channel, kind, id)
);
create index told_bucket on told (peer, channel, bucket);

-- Immutable segments that the peer has not acknowledged yet.
create table segment (
    peer int not null,
    channel text not null,
    number bigint generated always as identity,
    link bytea not null,                -- digest of the manifest
    manifest bytea not null,
    content bytea not null,
    made_at timestamptz not null default now(),
    primary key (peer, channel, number),
    unique (peer, channel, link)
);

-- How far we have applied what a peer tells us.
create table incoming (
    peer int not null references peer (peer),
    channel text not null,
    epoch bigint not null default 0,
    seq bigint not null default 0,
    link bytea not null default '',
    applied_at timestamptz,
    primary key (peer, channel)
);

-- The latest state heard from a peer, by key.
create table heard (
    peer int not null,
    channel text not null,
    kind smallint not null,
    id text not null,
    epoch bigint not null,
    seq bigint not null,
    digest bytea,
    bucket smallint not null,
    primary key (peer, channel, kind, id)
);
create index heard_bucket on heard (peer, channel, bucket);

-- A segment on its way up, resumable by offset.
create table arriving (
    peer int not null,
    link bytea not null,
    n int not null,
    start bigint not null,
    part bytea not null,
    at timestamptz not null default now(),
    primary key (peer, link, n)
);

-- A parent's versions of what is held here: shown, never matched, merged or sent up.
create table received (
    peer int not null,
    id text not null,                   -- the parent's cluster id
    redirect text not null default '',
    payload bytea not null,             -- zstd of the packed bib; empty = gone
    libraries text[] not null default '{}',
    at timestamptz not null default now(),
    primary key (peer, id)
);
create table received_of (
    cluster bigint not null,            -- of this node
    peer int not null,
    id text not null,
    primary key (cluster, peer, id)
);
create index received_of_id on received_of (peer, id);

-- Corrections: patches offered to the owner of a record, with what must still stand there.
create table correction (
    id text primary key,                -- made by the node that offers it
    peer int,                           -- the child it goes to, or the parent it came from; null = made and kept here
    outward boolean not null,           -- true = we offer it
    target text not null,               -- id of the owner's cluster
    tag text not null,
    expected bytea not null,            -- SHA-256 of the field as it must stand
    old text not null,
    new text not null,
    why text not null default '',
    who text not null default '',
    state text not null default 'open' check (state in ('open', 'accepted', 'refused', 'stale')),
    at timestamptz not null default now(),
    decided_at timestamptz
);
create index correction_state on correction (state);

-- Accepted corrections: applied to the merged record each time it is made.
create table amendment (
    cluster bigint not null,
    n bigint generated always as identity,
    tag text not null,
    old text not null,
    new text not null,
    correction text not null,
    at timestamptz not null default now(),
    primary key (cluster, n)
);

-- Changes to libraries, corrections and receipts, in commit order like `merged`.
create table notice (
    kind smallint not null,
    id text not null,
    peer int not null default 0,        -- whom it is for; 0 = everyone
    seq bigint not null unique,
    payload bytea not null,             -- empty = gone
    at timestamptz not null default now(),
    primary key (kind, id, peer)
);
insert into feed (name, epoch) values ('notices', (extract(epoch from clock_timestamp()) * 1000)::bigint);

alter table library add column node text not null default '';   -- symbol of the node that hosts it; '' = this one
alter table library add column reign bigint not null default 0;  -- rises with each hand-over: an older host is refused
alter table source add column sharing jsonb not null default '{}';
alter table holding add column origin text not null default '';  -- node/source/local id#n of the record it is of; '' = here
alter table merged add column outward bytea;                     -- as it may leave the node, where that differs; empty = not at all
