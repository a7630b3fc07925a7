-- A load of mode `feed` is a segment that a child node sent: placed in the order of arrival, never held or undone.
alter table load drop constraint load_mode_check;
alter table load add constraint load_mode_check check (mode in ('changes', 'full', 'undo', 'feed'));
