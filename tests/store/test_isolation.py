"""What is private is kept apart twice: by the queries, and by the database, whatever a query forgets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from catalog import audit, corrections, libraries, loads, ownership, quarantine
from catalog.acts import Entry
from catalog.connection import Connection
from catalog.database import door, pool
from catalog.database.pool import Database
from catalog.model import Library
from config.errors import Misconfigured, NotFound
from services.access import accounts, attempts, keys, resets, sessions
from services.access.policy import NOWHERE, Permission, Reach, Role, Scope
from tests import access
from tests.postgres import Postgres

NODE, A, B = "CN-NODE", "CN-A", "CN-B"
EVERYWHERE = Reach(everywhere=True)
# What each private table shows of the two libraries: how many rows by who looks.
PRIVATE = (
    "account",
    "account_role",
    "api_key",
    "api_key_use",
    "audit",
    "load",
    "quarantine",
    "finding",
    "correction",
)
# What staff see: tested with the pages that show it.
STAFF = (
    "authority_conflict",
    "base_choice",
    "batch",
    "batch_record",
    "decision",
    "submission",
    "target",
    "profile",
    "rekey",
    "load_rule",
    "quality_month",
    "quality_standing",
    "quality_rule",
)
# Everything else that the door may read is public, with the reason why that does no harm.
PUBLIC = {
    "amendment": "corrections that are part of a merged record",
    "authority": "headings of records that are shown",
    "audit_alarm": "that another node's log is not what it was stands on the network page",
    "audit_end": "a number and a digest",
    "dictionary": "bodies are unpacked with it",
    "dirty": "numbers of clusters",
    "edge": "why records are together",
    "feed": "places in the feeds",
    "handover": "which libraries are on their way",
    "heard": "digests of what other nodes told",
    "holding": "copies",
    "identifier_use": "numbers of records",
    "incoming": "places in the feeds",
    "known_as": "by which ids other nodes know copies",
    "library": "the directory",
    "match_key": "digests of records",
    "membership": "numbers of clusters",
    "merged": "the catalogue",
    "node": "its symbol",
    "notice": "what was told to other nodes of libraries and corrections",
    "outgoing": "places in the feeds",
    "peer": "the network page; keys are public halves",
    "pin": "which records belong together",
    "received": "what parents show",
    "received_of": "the same",
    "record": "source records, through the one predicate of visibility",
    "rekeyed": "which id a record had before",
    "reservation": "what a library is about to catalogue, without who said so",
    "redirect": "numbers of clusters",
    "segment": "how much waits; not what is in it",
    "source": "names of sources",
    "told": "digests of what other nodes were told",
}


@pytest_asyncio.fixture
async def stocked(database: Database) -> Database:
    """One of everything private for each of two libraries; three in `audit`, of which one is the node's own."""
    async with database.transaction() as conn:
        await ownership.claim(conn, NODE)
        for symbol in (NODE, A, B):
            await libraries.add(conn, Library(symbol=symbol, name=symbol, area="天津"))
        await conn.execute(
            "insert into peer (symbol, role, path, suite, key)"
            " select s, 'child', 'uplink', 'x', '' from unnest($1::text[]) s",
            [A, B],
        )
        for symbol in (A, B):
            await _fill(conn, symbol)
        await audit.append(
            conn,
            *(Entry(actor="os:root", act="library.add", object=each, library=each) for each in (A, B)),
            Entry(actor="os:root", act="node.run"),
        )
    return database


async def _fill(conn: Connection, symbol: str) -> None:
    now = datetime.now(UTC)
    made = await access.an_account(conn, f"post-{symbol}", Role.CATALOGUER, library=symbol)
    await sessions.begin(conn, made, now)
    await resets.issue(conn, made, "os:root", now)
    key, _ = await keys.issue(
        conn, made, "-", [Scope(permission=Permission.COPY)], days=1, rate=1, by="os:root", now=now
    )
    await keys.count(conn, {(key.key, symbol, now.date(), "/api"): (1, 0)}, now)
    await conn.execute(
        "insert into attempt (what, failures, since) values ($1, 1, now())", attempts.of_account(made.name)
    )
    source = await conn.fetchval("insert into source (name, library) values (lower($1), $1) returning source", symbol)
    load = await loads.begin(
        conn,
        source,
        symbol,
        mode="changes",
        origin="-",
        fingerprint=b"",
        carrier="auto",
        encoding="auto",
        assured=False,
    )
    case = quarantine.Case(
        source=source, library=symbol, load=load.load, position=0, ordinal=1, local_id="1", verdict="returned",
        rule="x", reason="x", carrier=1, digest=b"x", body=b"",
    )  # fmt: skip
    await quarantine.put(conn, [case])
    await quarantine.add_findings(conn, [(load.load, source, symbol, "1", 1, "x", "x")])
    await conn.execute(
        "insert into correction (id, peer, outward, target, tag, expected, old, new)"
        " select $1, peer, true, 'x', '245', '', 'a', 'b' from peer where symbol = $1",
        symbol,
    )


async def counts(conn: Connection, tables: tuple[str, ...] = PRIVATE) -> dict[str, int]:
    """Rows that a query without any filter sees."""
    return {name: await conn.fetchval(f"select count(*) from {name}") for name in tables}


async def test_without_being_told_of_anybody_the_door_sees_nothing_private(stocked: Database) -> None:
    async with stocked.visit() as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 0)
        assert await counts(conn, ("session", "attempt")) == {"session": 0, "attempt": 0}
    async with stocked.private(None, ()) as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 0)


async def test_a_query_that_forgot_its_filter_sees_one_librarys_things(stocked: Database) -> None:
    async with stocked.private(None, {A}) as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 1)
        for table in ("account", "api_key", "api_key_use", "audit", "load", "quarantine", "finding", "account_role"):
            assert await conn.fetchval(f"select library from {table}") == A
        assert await conn.fetchval("select id from correction") == A
    async with stocked.private(None, {A, B, "CN-NONE"}) as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 2)


async def test_whoever_reaches_everywhere_sees_all_and_what_is_the_nodes_own(stocked: Database) -> None:
    async with stocked.private(None, None) as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 2) | {"audit": 3}


async def test_an_account_sees_what_is_its_own_and_nobody_elses_sessions(stocked: Database) -> None:
    async with stocked.connection() as conn:
        own = (await accounts.get(conn, f"post-{A}")).account
    seen = {"account": 1, "account_role": 1, "api_key": 1, "api_key_use": 1}
    async with stocked.private(own, ()) as conn:
        assert await counts(conn) == dict.fromkeys(PRIVATE, 0) | seen
        assert await conn.fetchval("select account from session") == own
    async with stocked.private(own, None) as conn:
        assert await counts(conn, ("session",)) == {"session": 1}


# The stores' own queries with the filter taken out: `EVERYWHERE` is what they are given by mistake.
Listing = Callable[[Connection], Awaitable[list[Any]]]
FORGETFUL: dict[str, Listing] = {
    "accounts": lambda conn: accounts.within(conn, EVERYWHERE, EVERYWHERE),
    "keys": lambda conn: keys.within(conn, EVERYWHERE, None),
    "loads": lambda conn: loads.recent(conn, within=None),
    "quarantine": lambda conn: quarantine.listing(conn, source=None, rule=None, limit=9, within=None),
    "corrections": lambda conn: corrections.listing(conn, decided=True, within=None),
    "audit": lambda conn: audit.page(conn, audit.Wanted(within=None), limit=9),
}
MINDFUL: dict[str, Listing] = {
    "accounts": lambda conn: accounts.within(conn, Reach(libraries=frozenset({A})), NOWHERE),
    "keys": lambda conn: keys.within(conn, Reach(libraries=frozenset({A})), None),
    "loads": lambda conn: loads.recent(conn, within={A}),
    "quarantine": lambda conn: quarantine.listing(conn, source=None, rule=None, limit=9, within={A}),
    "corrections": lambda conn: corrections.listing(conn, decided=True, within={A}),
    "audit": lambda conn: audit.page(conn, audit.Wanted(within={A}), limit=9),
}


@pytest.mark.parametrize("name", FORGETFUL)
async def test_each_of_the_two_filters_is_enough_by_itself(stocked: Database, name: str) -> None:
    async with stocked.connection() as conn:  # the node's own role: the database filters nothing
        assert len(await FORGETFUL[name](conn)) == (3 if name == "audit" else 2)
        assert len(await MINDFUL[name](conn)) == 1
    async with stocked.private(None, {A}) as conn:
        assert len(await FORGETFUL[name](conn)) == 1
    async with stocked.private(None, {B}) as conn:
        assert len(await MINDFUL[name](conn)) == 0


async def test_single_things_of_another_library_are_not_there(stocked: Database) -> None:
    async with stocked.connection() as conn:
        (foreign,) = await loads.recent(conn, within={B})
    async with stocked.private(None, {A}) as conn:
        with pytest.raises(NotFound):
            await loads.get(conn, foreign.load)
        with pytest.raises(NotFound):
            await corrections.get(conn, B)
        assert (await corrections.get(conn, A)).library == A


async def test_what_was_told_of_one_visitor_is_forgotten_before_the_next(dsn: str, home: Path) -> None:
    async with pool.open(home, dsn, size=1) as database:
        async with database.transaction() as conn:
            await libraries.add(conn, Library(symbol=A, name=A, area="天津"))
            await access.an_account(conn, "post", Role.CATALOGUER, library=A)
        async with database.private(1, None) as conn:
            process = conn.get_server_pid()
            assert await conn.fetchval("select count(*) from account") == 1
        with pytest.raises(ZeroDivisionError):
            async with database.private(1, None) as conn:
                raise ZeroDivisionError
        async with database.visit() as conn:
            assert conn.get_server_pid() == process
            assert await conn.fetchval("select count(*) from account") == 0
            assert await conn.fetchval("select coalesce(current_setting('tianlu.libraries', true), '')") == ""
            with pytest.raises(AssertionError):
                await door.tell(conn, None, None)


async def test_the_door_changes_nothing_and_reads_no_secret(stocked: Database) -> None:
    refused = (
        "select password from account",
        "select totp from account",
        "select * from api_key",
        "select secret from api_key",
        "select * from reset_code",
        "select * from invitation",
        "select * from nonce",
        "select * from inbox",
        "select * from record_before",
        "select content from segment",
        "update library set name = ''",
        "delete from audit",
        "insert into audit_alarm (symbol, reason) values ('x', 'x')",
        "create table mine (n int)",
        "truncate merged",
        "alter table account disable row level security",
        "drop policy door on account",
    )
    async with stocked.private(None, None) as conn:
        for statement in refused[:-3]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with conn.transaction():
                    await conn.execute(statement)
        for statement in refused[-3:]:
            with pytest.raises(asyncpg.PostgresError):
                async with conn.transaction():
                    await conn.execute(statement)
        assert await conn.fetchval("select current_user") == door.ROLE


async def test_whatever_the_door_reads_is_public_or_kept_apart(stocked: Database) -> None:
    """A new table is private until somebody says otherwise here."""
    async with stocked.connection() as conn:
        rows = await conn.fetch(
            """select c.relname name, c.relrowsecurity apart,
                      has_any_column_privilege($1, c.oid, 'select') readable,
                      has_any_column_privilege($1, c.oid, 'insert, update, references')
                      or has_table_privilege($1, c.oid, 'delete, truncate, trigger') changeable
               from pg_class c
               where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')""",
            door.ROLE,
        )
    assert not [row["name"] for row in rows if row["changeable"]]
    assert {row["name"] for row in rows if row["readable"] and not row["apart"]} == set(PUBLIC)
    assert {row["name"] for row in rows if row["readable"] and row["apart"]} == {*PRIVATE, *STAFF, "session", "attempt"}


async def test_public_searching_meets_no_policy(stocked: Database) -> None:
    """Row-level security on what searching reads would keep its indexes from being used."""
    async with stocked.visit() as conn:
        plan = await conn.fetch(
            "explain (verbose) select * from merged m join membership using (cluster) join record r using (sid)"
            " join holding h using (source, local_id) where m.cluster = any($1::bigint[])",
            [1, 2],
        )
    assert "current_setting" not in "\n".join(row[0] for row in plan)


# ---- the role itself


@contextlib.asynccontextmanager
async def owned(server: Postgres, name: str, *options: str) -> AsyncIterator[str]:
    """The DSN of an empty database of a new role, which is no superuser."""
    admin = await asyncpg.connect(server.admin)
    try:
        await admin.execute(f"create role {name} login password 'quiet' nosuperuser {' '.join(options)}")
        await admin.execute(f"create database {name} owner {name} encoding 'UTF8' template template0")
        where = urlsplit(server.owner).netloc.rpartition("@")[2]
        yield urlsplit(server.dsn(name))._replace(netloc=f"{name}:quiet@{where}").geturl()
    finally:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"drop role if exists {name}")
        await admin.close()


async def test_an_ordinary_owner_is_told_what_an_administrator_must_run(server: Postgres, home: Path) -> None:
    async with owned(server, "plain_owner") as dsn:
        with pytest.raises(Misconfigured, match=f"grant {door.ROLE} to plain_owner;") as refused:
            async with pool.open(home, dsn):
                pass
        statement = str(refused.value).split("`")[1]
        admin = await asyncpg.connect(server.admin)
        await admin.execute(statement)
        await admin.close()
        async with pool.open(home, dsn) as database, database.private(None, None) as conn:
            assert await conn.fetchval("select current_user") == door.ROLE
            assert await conn.fetchval("select count(*) from account") == 0


async def test_a_database_whose_tables_are_in_the_owners_schema(server: Postgres, home: Path) -> None:
    async with owned(server, "own_schema") as dsn:
        admin = await asyncpg.connect(server.admin)
        await admin.execute(f"grant {door.ROLE} to own_schema")
        await admin.close()
        conn = await asyncpg.connect(dsn)
        await conn.execute("create schema authorization own_schema")
        await conn.close()
        async with pool.open(home, dsn) as database, database.visit() as conn:
            assert await conn.fetchval("select to_regclass('library')::text") == "library"
            assert await conn.fetchval("select count(*) from library") == 0
