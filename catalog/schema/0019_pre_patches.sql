-- Corrections of several fields, to records of libraries here as well, and what was said when they were decided on.

alter table correction add column changes jsonb not null default '[]';  -- [[tag, old, new], …]; '' = no such field. Empty: tag, old, new say it
alter table correction add column source int references source (source); -- offered to a library here: target is a local id of this source
alter table correction add column library text not null default '';     -- of whoever offers it from here; '' = the node
alter table correction add column batch bigint references batch (batch); -- that it comes from, or that carries it out
alter table correction add column reason text not null default '';      -- why it was refused, or what stands there now
alter table correction add column decided_by text not null default '';
create index correction_of_batch on correction (batch) where batch is not null;

-- Both sides see a correction: whoever is to decide on it, and whoever offers it.
drop policy door on correction;
create policy door on correction for select to tianlu_door using (
    (library <> '' and tianlu_reaches(library))
    or tianlu_reaches(case when source is null then correction_library(outward, peer)
                           else (select s.library from source s where s.source = correction.source) end));
