-- Who may do what: accounts with their roles, sessions and keys; and the audit log.

create table account (
    account bigint generated always as identity primary key,
    name text not null,                     -- what is typed to sign in; case does not count
    title text not null default '',         -- of the post, e.g. 编目一组: accounts belong to posts, not to mailboxes
    library text not null references library (symbol),
    kind text not null default 'staff' check (kind in ('staff', 'reader')),
    password text not null,                 -- argon2id, PHC string
    must_change boolean not null default false,     -- somebody else set the password
    totp bytea,                             -- the secret, sealed with the node's key; null = none
    totp_step bigint not null default 0,    -- time step of the last code that was used: each works once
    state text not null default 'active' check (state in ('active', 'disabled')),
    made_at timestamptz not null default now(),
    made_by text not null,
    password_at timestamptz not null default now(),
    seen_at timestamptz
);
create unique index account_name on account (lower(name));
create index account_library on account (library);

create table account_role (
    account bigint not null references account on delete cascade,
    role text not null,
    library text not null,                  -- within which it counts; '' = all of this node
    given_at timestamptz not null default now(),
    given_by text not null,
    primary key (account, role, library)
);

create table session (
    token bytea primary key,                -- SHA-256 of what the cookie holds
    account bigint not null references account on delete cascade,
    library text not null,                  -- of the account
    made_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    address text not null default '',
    agent text not null default ''
);
create index session_account on session (account);

create table reset_code (
    code bytea primary key,                 -- SHA-256
    account bigint not null references account on delete cascade,
    library text not null,
    until timestamptz not null,
    used_at timestamptz,
    made_by text not null
);

-- Failed attempts to sign in, by account name and by address; over all processes of the node.
create table attempt (
    what text primary key,                  -- account:NAME or address:PREFIX
    failures int not null,
    since timestamptz not null,
    until timestamptz                       -- locked up to then
);

create table api_key (
    key bigint generated always as identity primary key,
    account bigint not null references account on delete cascade,  -- whose rights bound the key's
    library text not null,                  -- of that account
    title text not null,
    prefix text not null unique,            -- shown in lists, and by which it is found
    secret bytea not null,                  -- SHA-256
    scopes text[] not null,                 -- permission@library, permission@* = all that the account may
    rate int not null check (rate > 0),     -- requests a minute
    made_at timestamptz not null default now(),
    made_by text not null,
    until timestamptz not null,
    disabled_at timestamptz,
    disabled_by text not null default '',
    used_at timestamptz
);
create index api_key_account on api_key (account);

create table api_key_use (
    key bigint not null references api_key on delete cascade,
    library text not null,
    day date not null,
    operation text not null,
    calls bigint not null default 0,
    refused bigint not null default 0,
    primary key (key, day, operation)
);

-- The audit log: entries chained by their digests. `audit_end` is the last entry's (or what `audit` begins after, once
-- old entries have been dropped); its row is what appending locks.
create table audit (
    no bigint primary key,                  -- 1, 2, … without a gap
    at timestamptz not null,
    actor text not null,                    -- account:wang, key:wang/ab12cd, os:root, node:CN-TJ, nobody
    library text not null,                  -- whose data it was about; '' = the node's
    act text not null,                      -- e.g. account.role, load.undo
    object text not null,
    outcome text not null check (outcome in ('done', 'refused', 'failed')),
    detail jsonb not null default '{}',     -- never a secret
    address text not null default '',
    request text not null default '',
    previous bytea not null,
    digest bytea not null
);
create index audit_at on audit (at);
create index audit_library on audit (library, no);

create table audit_end (
    single boolean primary key default true check (single),
    no bigint not null,
    digest bytea not null,
    start_no bigint not null default 0,     -- of the last entry that was dropped
    start_digest bytea not null
);
insert into audit_end (no, digest, start_digest) values (0, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));

-- Ends of the children's logs as they told them, each minute: a log whose tail was cut is found out.
create table audit_heard (
    symbol text not null,
    no bigint not null,
    digest bytea not null,
    at timestamptz not null,
    heard_at timestamptz not null default now(),
    primary key (symbol, no)
);
