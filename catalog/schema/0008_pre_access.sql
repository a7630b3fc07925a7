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
    at timestamptz not null check (isfinite(at)),
    actor text not null,                    -- account:wang, key:wang/ab12cd, os:root, node:CN-TJ, nobody
    library text not null,                  -- whose data it was about; '' = the node's
    act text not null,                      -- e.g. account.role, load.undo
    object text not null,
    outcome text not null check (outcome in ('begun', 'done', 'refused', 'failed')),
    detail text not null check (jsonb_typeof(detail::jsonb) = 'object'),     -- the very text that is chained; never a secret
    address text not null,
    request text not null,
    previous bytea not null,
    digest bytea not null
);
create index audit_at on audit (at);
create index audit_library on audit (library, no);
create index audit_actor on audit (actor, no);
create index audit_act on audit (act, no);

create table audit_end (
    single boolean primary key default true check (single),
    no bigint not null,
    digest bytea not null,
    start_no bigint not null default 0,     -- of the last entry that was dropped
    start_digest bytea not null
);
insert into audit_end (no, digest, start_digest) values (0, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));

-- Entries are added and, after half a year, dropped from the beginning; nothing else ever happens to them.
create function audit_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.no <= (select start_no from audit_end) and old.at < now() - interval '180 days' then
        return old;
    end if;
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_kept before update or delete on audit for each row execute function audit_kept();
create trigger audit_kept_whole before truncate on audit for each statement execute function audit_kept();

create function audit_end_grows() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.no >= old.no and new.start_no between old.start_no and new.no then
        return new;
    end if;
    raise exception 'the end of the audit log only moves on' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_end_grows before update or delete on audit_end for each row execute function audit_end_grows();
create trigger audit_end_stays before truncate on audit_end for each statement execute function audit_end_grows();

-- Ends of other nodes' logs as they told them, each minute: a log whose tail was cut, or that was rewritten, is found
-- out. Kept are the last and the first of each hour.
create table audit_heard (
    symbol text not null,
    no bigint not null,
    digest bytea not null,
    at timestamptz not null,                -- by its clock
    heard_at timestamptz not null default now(),
    primary key (symbol, no)
);

-- Other nodes whose logs are not what they were; until somebody has accepted it.
create table audit_alarm (
    symbol text primary key,
    reason text not null,
    at timestamptz not null default now()
);
