-- Batch changes: one change of many source records, kept beside what the library sends, and made again of what it sends
-- next as long as the field is what was expected.

create table batch (
    batch bigint generated always as identity primary key,
    state text not null default 'due' check (state in ('due', 'done', 'undue', 'undone')),
    change jsonb not null,              -- operations (dms.batch_change)
    selection text not null,            -- as it was asked for
    rule text not null default '',      -- only records in which this rule finds something
    libraries text[],                   -- whose records it changes, others are offered it; null = all
    who text not null,
    why text not null,
    at timestamptz not null default now(),
    finished_at timestamptz,
    undone_by text,
    undone_why text,
    undone_at timestamptz
);
create index batch_open on batch (batch) where state in ('due', 'undue');

create table batch_record (
    batch bigint not null references batch (batch),
    source int not null references source (source),
    local_id text not null,
    -- due → changed, same (nothing to change), refused, offered (to its owner, as a correction) or gone;
    -- changed → undone, or kept: somebody changed it since
    state text not null default 'due'
        check (state in ('due', 'changed', 'same', 'refused', 'offered', 'gone', 'undone', 'kept')),
    load bigint,                        -- that made the change, or took it back
    edits jsonb not null default '[]',  -- [[tag, n-th, text before, text after], …]; '' = no such field
    ended bigint[] not null default '{}', -- of each edit: 0 = it holds, -1 = taken back, else the load that ended it
    reason text not null default '',    -- why it was refused or kept
    primary key (batch, source, local_id)
);
create index batch_record_of on batch_record (source, local_id) where state in ('changed', 'kept');
create index batch_record_next on batch_record (batch, source, local_id) where state = 'due';

alter table load drop constraint load_mode_check;
alter table load add constraint load_mode_check
    check (mode in ('changes', 'full', 'undo', 'feed', 'move', 'recheck', 'batch'));

grant select on batch, batch_record to tianlu_door;

alter table batch_record enable row level security;
create policy door on batch_record for select to tianlu_door
    using (exists (select from source s where s.source = batch_record.source and tianlu_reaches(s.library)));

alter table batch enable row level security;
create policy door on batch for select to tianlu_door
    using (exists (select from batch_record r where r.batch = batch.batch));
