-- Libraries on their way from one host to another (docs/exchange.md, "Hosted members and hand-over").
create table handover (
    library text not null,
    reign bigint not null,                  -- under which the new host writes
    peer int not null references peer (peer),
    way text not null check (way in ('out', 'in')),     -- out: this node gives the library away
    state text not null default 'due',
    theirs text not null default '',        -- the peer's state, as it last said
    statement bytea not null default '',    -- of the old host, signed
    mark bigint not null default 0,         -- in: what a later load brought here is newer than what is handed over
    loads bigint[] not null default '{}',   -- that retire or restore the hosted copy
    reason text not null default '',        -- what it waits for
    at timestamptz not null default now(),
    done_at timestamptz,
    primary key (library, reign)
);

-- Bibs as the new host will tell them while it knows no better: it sends their digests instead.
create table spare (
    peer int not null,
    digest bytea not null,
    payload bytea not null,                 -- zstd
    primary key (peer, digest)
);
alter table spare alter column payload set storage external;

insert into feed (name, epoch) values ('handover', (extract(epoch from clock_timestamp()) * 1000)::bigint);

-- A load of mode `move` brings or takes away what a hand-over moves.
alter table load drop constraint load_mode_check;
alter table load add constraint load_mode_check check (mode in ('changes', 'full', 'undo', 'feed', 'move'));
