"""The audit log: chained, added to only, and every change of it found."""

from __future__ import annotations

import asyncio
import hashlib
import json

import asyncpg
import msgspec
import pytest

from catalog import audit
from catalog.acts import Entry
from catalog.audit import Wanted
from catalog.connection import Connection
from catalog.database.pool import Database
from config.secret import Secret
from tests import postgres

FIELDS = {
    "at": "at + interval '1 microsecond'",
    "actor": "actor || 'x'",
    "library": "'CN-OTHER'",
    "act": "act || 'x'",
    "object": "''",
    "outcome": "'refused'",
    "detail": "'{}'",
    "address": "'192.0.2.1'",
    "request": "'other'",
    "previous": "digest",
    "digest": "previous",
}


def an_entry(n: int = 1, **more: object) -> Entry:
    """The n-th act."""
    told: dict[str, object] = {
        "actor": f"account:a{n % 3}", "act": "library.rename" if n % 2 else "source.add", "object": f"CN-{n}",
        "library": f"CN-L{n % 4}", "detail": {"name": f"第{n}馆", "n": n}, "address": "198.51.100.7",
        "request": f"r{n}",
    } | more  # fmt: skip
    return Entry(**told)  # type: ignore[arg-type]


async def write(conn: Connection, count: int) -> None:
    """So many entries, each in a transaction of its own."""
    for n in range(1, count + 1):
        async with conn.transaction():
            await audit.append(conn, an_entry(n))


async def faults(conn: Connection) -> tuple[str, ...]:
    """What verifying finds."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        return (await audit.verify(conn)).faults


async def force(conn: Connection, statement: str) -> None:
    """As somebody would who owns the tables: the triggers are switched off."""
    async with conn.transaction():
        for table in ("audit", "audit_end"):
            await conn.execute(f"alter table {table} disable trigger user")
        await conn.execute(statement)
        for table in ("audit", "audit_end"):
            await conn.execute(f"alter table {table} enable trigger user")


async def test_an_empty_log_is_whole(conn: Connection) -> None:
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await audit.verify(conn)
    assert (found.entries, found.head.no, found.faults) == (0, 0, ())


async def test_the_chain_is_as_documented(conn: Connection) -> None:
    async with conn.transaction():
        assert await audit.append(conn, an_entry(1), an_entry(2)) == 2
    previous = bytes(32)
    for row in await conn.fetch("select * from audit order by no"):
        micros = (row["at"] - row["at"].fromtimestamp(0, row["at"].tzinfo)).total_seconds()
        texts = [row[name] for name in ("actor", "library", "act", "object", "outcome", "detail", "address", "request")]
        packed = msgspec.msgpack.encode([row["no"], round(micros * 1_000_000), *texts])
        assert row["previous"] == previous
        assert row["digest"] == hashlib.sha256(previous + packed).digest()
        previous = row["digest"]
    assert (await audit.head(conn)).digest == previous
    assert await faults(conn) == ()


async def test_an_entry_is_there_only_with_its_act(conn: Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        async with conn.transaction():
            await audit.append(conn, an_entry())
            raise ZeroDivisionError
    assert (await audit.head(conn)).no == 0
    with pytest.raises(ValueError, match="transaction of the act"):
        await audit.append(conn, an_entry())


@pytest.mark.parametrize("field", FIELDS)
async def test_a_changed_field_is_found(conn: Connection, field: str) -> None:
    await write(conn, 5)
    await force(conn, f"update audit set {field} = {FIELDS[field]} where no = 3")
    assert any("entry 3" in each for each in await faults(conn))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("delete from audit where no = 3", "entries 3 to 3 are missing"),
        ("delete from audit where no in (3, 4)", "entries 3 to 4 are missing"),
        ("delete from audit where no = 1", "entries 1 to 1 are missing"),
        ("delete from audit where no = 6", "entries 6 to 6 are missing at the end"),
        ("delete from audit", "entries 1 to 6 are missing at the end"),
        ("update audit_end set no = 5, digest = (select digest from audit where no = 5)", "stand behind the log's end"),
        ("update audit_end set digest = (select digest from audit where no = 5)", "another digest"),
        ("update audit_end set start_no = 2", "which were dropped"),
        ("update audit set no = no + 100 where no = 6", "entries 6 to 105 are missing"),
    ],
)
async def test_what_was_taken_away_or_moved_is_found(conn: Connection, statement: str, found: str) -> None:
    await write(conn, 6)
    await force(conn, statement)
    assert any(found in each for each in await faults(conn))


async def test_exchanged_entries_are_found(conn: Connection) -> None:
    await write(conn, 4)
    await force(conn, "update audit set no = case no when 2 then -3 when 3 then -2 else no end where no in (2, 3)")
    await force(conn, "update audit set no = -no where no < 0")
    assert {"entry 2 is not as it was written", "entry 2 does not follow on entry 1"} <= set(await faults(conn))


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'somebody else' where no = 2",
        "delete from audit where no = 1",
        "delete from audit",
        "truncate audit",
        "update audit_end set no = 1",
        "update audit_end set start_no = -1",
        "delete from audit_end",
        "truncate audit_end",
    ],
)
async def test_the_tables_refuse_what_is_no_addition(conn: Connection, statement: str) -> None:
    await write(conn, 3)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="audit log"):
        await conn.execute(statement)
    assert await faults(conn) == ()


async def test_many_writers_leave_no_gap(database: Database) -> None:
    async def one(writer: int) -> None:
        for n in range(25):
            async with database.transaction() as conn:
                await conn.execute("select pg_sleep(0.001)")
                await audit.append(conn, an_entry(n, actor=f"account:w{writer}"))
                if n % 5 == 0:
                    await audit.append(conn, an_entry(n, actor=f"account:w{writer}", outcome="failed"))

    async with asyncio.TaskGroup() as tasks:
        for writer in range(8):
            tasks.create_task(one(writer))
    async with database.snapshot() as conn:
        found = await audit.verify(conn)
        last = await conn.fetchval("select max(no) from audit")
    assert (found.entries, last, found.faults) == (240, 240, ())


async def test_old_entries_are_dropped_and_the_chain_goes_on(conn: Connection) -> None:
    await write(conn, 8)
    assert await audit.drop(conn, 0) == 0  # nothing younger than half a year, whatever is asked for
    await aged(conn)
    assert await audit.drop(conn, 180) == 5
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        found = await audit.verify(conn)
    assert (found.entries, found.head.start, found.head.no, found.faults) == (3, 5, 8, ())
    assert await audit.digest_of(conn, 5) is not None
    assert await audit.digest_of(conn, 4) is None
    await write(conn, 2)
    assert await faults(conn) == ()


async def test_everything_may_have_become_old(conn: Connection) -> None:
    await write(conn, 3)
    await aged(conn, older=3)
    assert await audit.drop(conn, 200) == 3
    await write(conn, 1)
    assert await faults(conn) == ()
    assert [each.no for each in await audit.page(conn, Wanted())] == [4]


async def test_a_young_entry_is_dropped_by_no_trick(conn: Connection) -> None:
    await write(conn, 3)
    await conn.execute("update audit_end set start_no = 2, start_digest = (select digest from audit where no = 2)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("delete from audit where no = 1")
    assert any("which were dropped" in each for each in await faults(conn))


async def test_listing_filters_and_keeps_within_reach(conn: Connection) -> None:
    await write(conn, 20)

    async def numbers(**wanted: object) -> list[int]:
        return [each.no for each in await audit.page(conn, Wanted(**wanted))]  # type: ignore[arg-type]

    assert await numbers() == list(range(20, 0, -1))
    assert await numbers(actor="account:a1") == [19, 16, 13, 10, 7, 4, 1]
    assert await numbers(act="library", library="CN-L1") == [17, 13, 9, 5, 1]
    assert await numbers(act="librar") == []
    assert await numbers(within=["CN-L2", "CN-L9"]) == [18, 14, 10, 6, 2]
    assert await numbers(within=[]) == []
    middle = await conn.fetchval("select at from audit where no = 11")
    assert await numbers(since=middle) == list(range(20, 10, -1))
    assert await numbers(until=middle) == list(range(10, 0, -1))
    assert [each.no for each in await audit.page(conn, Wanted(), before=4, limit=2)] == [3, 2]
    assert (await audit.latest(conn, "source.add")).no == 20  # type: ignore[union-attr]


async def test_what_a_text_cannot_hold_is_replaced_and_what_is_long_is_cut(conn: Connection) -> None:
    odd = an_entry(object="a\0b\ud800c", detail={"long": "书" * 9999, "many": list(range(80)), "none": None})
    async with conn.transaction():
        await audit.append(conn, odd)
    (kept,) = await audit.page(conn, Wanted())
    detail = json.loads(kept.detail)
    assert kept.object == "a\ufffdb?c"
    assert len(detail["long"]) == audit.LONGEST
    assert detail["many"][-2:] == [49, "… 80"]
    assert await faults(conn) == ()


@pytest.mark.parametrize("value", [Secret("x"), b"x", float("nan"), object()])
async def test_what_is_no_plain_value_is_refused(conn: Connection, value: object) -> None:
    with pytest.raises(TypeError):
        async with conn.transaction():
            await audit.append(conn, an_entry(detail={"value": value}))


async def test_a_log_is_verified_in_pages(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    await write(conn, 10)
    assert await faults(conn) == ()
    assert [[each.no for each in found] async for found in audit.pages(conn, Wanted())] == [
        [10, 9, 8], [7, 6, 5], [4, 3, 2], [1]
    ]  # fmt: skip
    await force(conn, "delete from audit where no = 7")
    assert await faults(conn) == ("entries 7 to 7 are missing",)


async def test_the_door_of_a_second_process_sees_the_same_log(conn: Connection, dsn: str) -> None:
    await write(conn, 2)
    async with postgres.connection(dsn) as other, other.transaction():
        assert await audit.append(other, an_entry(3)) == 3
    assert await faults(conn) == ()


def digest_of(kept: audit.Kept) -> bytes:
    """As it is documented, of an entry whose predecessor is another now."""
    texts = kept.actor, kept.library, kept.act, kept.object, kept.outcome, kept.detail, kept.address, kept.request
    return audit._digest(kept.previous, kept.no, kept.at, *texts)


async def aged(conn: Connection, older: int = 5) -> None:
    """The first entries, as if they had been written long ago: the chain is made anew with their times."""
    await force(conn, f"update audit set at = at - interval '300 days' where no <= {older}")
    previous = audit.FIRST
    for row in await conn.fetch(f"select {audit.COLUMNS} from audit order by no"):
        kept = audit.Kept(**{**dict(row), "previous": previous})
        digest = digest_of(kept)
        await force(
            conn,
            f"update audit set previous = '\\x{previous.hex()}', digest = '\\x{digest.hex()}' where no = {row['no']}",
        )
        previous = digest
    await force(conn, f"update audit_end set digest = '\\x{previous.hex()}'")
