-- How good the records of each source are that stand now: kept as sums, so that looking at them does not read records.

create table quality_standing (
    source int primary key references source (source),
    records bigint not null,
    judged bigint not null,             -- of these
    score bigint not null,              -- sum of those
    poor bigint not null                -- of those, with a score below 60
);

insert into quality_standing
    select r.source, count(*), count(r.score), coalesce(sum(r.score), 0), count(*) filter (where r.score < 60)
    from record r join source using (source) group by r.source;

grant select on quality_standing to tianlu_door;

alter table quality_standing enable row level security;
create policy door on quality_standing for select to tianlu_door
    using (exists (select from source s where s.source = quality_standing.source and tianlu_reaches(s.library)));
