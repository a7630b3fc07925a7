-- What the web door may read. Its role (catalog.database.door) owns nothing, changes nothing, and sees of private tables
-- only what its transaction was told that the visitor may see:
--     tianlu.account      the number of the visitor's account
--     tianlu.libraries    symbols with commas between; * = all, and what belongs to no library
-- The node's own role owns the tables, and row-level security does not hold for it (it is not forced): sign-in, the
-- pipeline and the exchange see across libraries, and it can dump the database without being a superuser.
-- What everybody may read has no row-level security: on the tables behind search it would cost much and protect nothing.

do $$ begin
    execute format('grant usage on schema %I to tianlu_door', current_schema());
end $$;

-- Public: the catalogue, the directory, the network.
grant select on node, feed, library, source, dictionary, record, holding, membership, merged, redirect, amendment, pin,
    identifier_use, match_key, edge, dirty, received, received_of, peer, outgoing, told, incoming, heard, notice,
    handover, audit_end, audit_alarm
    to tianlu_door;
grant select (peer, channel, number, link, made_at) on segment to tianlu_door;  -- that it waits, not what is in it

-- Private: never what proves an account or a key.
alter table account add column has_totp boolean not null generated always as (totp is not null) stored;
grant select (account, name, title, library, kind, must_change, has_totp, state, made_at, made_by, password_at, seen_at)
    on account to tianlu_door;
grant select (key, account, library, title, prefix, scopes, rate, made_at, made_by, until, disabled_at, disabled_by,
              used_at)
    on api_key to tianlu_door;
grant select on account_role, session, attempt, api_key_use, audit, load, quarantine, finding, correction to tianlu_door;

create function tianlu_account() returns bigint language sql stable parallel safe
    return nullif(current_setting('tianlu.account', true), '')::bigint;

create function tianlu_reaches(library text) returns boolean language sql stable parallel safe
    return coalesce(current_setting('tianlu.libraries', true) = '*'
                    or library = any (string_to_array(current_setting('tianlu.libraries', true), ',')), false);

alter table account enable row level security;
create policy door on account for select to tianlu_door
    using (tianlu_reaches(library) or account = tianlu_account());

alter table account_role enable row level security;
create policy door on account_role for select to tianlu_door
    using (exists (select from account a where a.account = account_role.account));

alter table session enable row level security;
create policy door on session for select to tianlu_door using (account = tianlu_account());

alter table reset_code enable row level security;   -- nothing to see: no policy, no grant

alter table attempt enable row level security;      -- whoever looks after accounts somewhere
create policy door on attempt for select to tianlu_door
    using (coalesce(current_setting('tianlu.libraries', true), '') <> '');

alter table api_key enable row level security;
create policy door on api_key for select to tianlu_door
    using (tianlu_reaches(library) or account = tianlu_account());

alter table api_key_use enable row level security;
create policy door on api_key_use for select to tianlu_door
    using (exists (select from api_key k where k.key = api_key_use.key));

alter table audit enable row level security;
create policy door on audit for select to tianlu_door using (tianlu_reaches(library));

alter table load enable row level security;
create policy door on load for select to tianlu_door using (tianlu_reaches(library));

alter table quarantine enable row level security;
create policy door on quarantine for select to tianlu_door using (tianlu_reaches(library));

alter table finding enable row level security;
create policy door on finding for select to tianlu_door using (tianlu_reaches(library));

-- What is offered to a child is its library's; what a parent offers, or was made here, is this node's.
create function correction_library(outward boolean, to_peer int) returns text language sql stable parallel safe
    return case when outward then (select p.symbol from peer p where p.peer = to_peer)
                else (select n.symbol from node n) end;

alter table correction enable row level security;
create policy door on correction for select to tianlu_door using (tianlu_reaches(correction_library(outward, peer)));

-- The time up to which a feed is complete (catalog.changes.horizon): waiting for a row's lock takes the right to change it.
create function feed_horizon(feed_name text) returns timestamptz language plpgsql volatile security definer
    set search_path from current as $$
begin
    perform from feed where name = feed_name for share;
    return clock_timestamp();
end $$;
revoke execute on function feed_horizon(text) from public;
grant execute on function feed_horizon(text) to tianlu_door;

-- How much is on its way into the catalogue is public; whose it is, is not.
create function loads_under_way() returns bigint language sql stable security definer
    return (select count(*) from load where state in ('landing', 'preparing', 'placing'));
revoke execute on function loads_under_way() from public;
grant execute on function loads_under_way() to tianlu_door;
