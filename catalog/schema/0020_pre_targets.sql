-- Other catalogues that records are copied from.

create table target (
    target int generated always as identity primary key,
    name text not null unique,
    kind text not null default 'z3950' check (kind in ('z3950')),
    profile jsonb not null,                 -- protocols.target.Profile
    secret bytea,                           -- its password, sealed with the node's key; null = none
    state text not null default 'active' check (state in ('active', 'paused')),
    made_at timestamptz not null default now(),
    made_by text not null
);

-- Cataloguers choose among them; no page reads a password.
grant select (target, name, kind, profile, state) on target to tianlu_door;
