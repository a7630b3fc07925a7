-- Authority records told apart: what each says of its heading, searched by catalog.authority and by nothing else. Whether
-- a row may be shown its record says (catalog.visibility); it goes with its record.
create table authority (
    source int not null,
    local_id text not null,
    library text not null,
    kind smallint not null,             -- catalog.heading.Naming
    heading text not null,
    variants text[] not null,           -- seen from
    related text[] not null,            -- seen also from
    identifiers text[] not null,        -- 001 first, then 035 and 024
    ordered text not null,              -- the heading folded, by which headings stand in order
    words tsvector not null,            -- A of the heading, B of variants, C of related, D how they sound, identifiers
    primary key (source, local_id),
    foreign key (source, local_id) references record (source, local_id) on delete cascade
);
create index authority_words on authority using gin (words);
create index authority_ordered on authority (ordered collate "C");

grant select on authority to tianlu_door;
