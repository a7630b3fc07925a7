-- A load of mode `feed` is a segment that a child node sent: placed in the order of arrival, never held or undone.
alter table load drop constraint load_mode_check;
alter table load add constraint load_mode_check check (mode in ('changes', 'full', 'undo', 'feed'));

-- What is published to a peer may change: then everything is looked at anew, and told or taken back.
alter table outgoing add column policy text not null default '';  -- under which it was told; '' = nothing yet

-- A tombstone with a redirect has a digest, and there is nothing kept that it could be compared with.
alter table heard add column gone boolean not null default false;
