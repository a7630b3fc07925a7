-- What people decided about clusters. A decision becomes pins; the matcher makes them, and takes them back.

create table decision (
    decision bigint generated always as identity primary key,
    kind text not null check (kind in ('join', 'split', 'apart', 'link')),
    state text not null default 'due' check (state in ('due', 'done', 'undue', 'undone', 'void')),
    records jsonb not null,             -- [[source, local id], …]: those named, and …
    others jsonb not null,              -- … those that they are joined with, kept from or linked to
    clusters text[] not null,           -- ids of then, for people
    library text not null default '',   -- whose staff decided; '' = the node's
    who text not null,
    why text not null,
    at timestamptz not null default now(),
    result text not null default '',    -- what became of it, or why it is void
    undone_by text,
    undone_why text,
    undone_at timestamptz
);
create index decision_records on decision using gin (records jsonb_path_ops);
create index decision_others on decision using gin (others jsonb_path_ops);
create index decision_due on decision (decision) where state in ('due', 'undue');

alter table pin add column decision bigint references decision (decision);
create index pin_decision on pin (decision) where decision is not null;

-- Pairs that a person must judge.
create index edge_review on edge (score desc, a, b) where verdict = 'review';

grant select on decision to tianlu_door;

-- Staff of any library see who decided what and why; visitors see what is linked.
alter table decision enable row level security;
create policy door on decision for select to tianlu_door
    using (kind = 'link' or coalesce(current_setting('tianlu.libraries', true), '') <> '');
