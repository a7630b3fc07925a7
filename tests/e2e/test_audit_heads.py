"""Ends of audit logs between two nodes over real sockets: a log that is shortened or made anew is found out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog import audit, heads, peers
from catalog.acts import Entry
from catalog.connection import Connection
from catalog.heads import Heard
from exchange import auditing
from exchange.auditing import Compared, Judged, Keeper, Told
from node import flows
from node.flows import Counts
from node.web import network_view
from tests import network, postgres
from tests.network import Stand
from tests.postgres import Postgres

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=1)


@contextlib.asynccontextmanager
async def family(server: Postgres) -> AsyncIterator[tuple[Stand, Stand]]:
    """(parent, child), the child having joined and written six entries."""
    async with network.standing(server, "CN-TJ", tier="central") as parent, network.standing(server, "CN-TJU") as child:
        await network.joined(child, parent)
        await write(child, 6)
        yield parent, child


async def write(node: Stand, count: int) -> None:
    """So many acts more."""
    for _ in range(count):
        async with node.database.transaction() as conn:
            await audit.append(conn, Entry(actor="account:wang", act="library.rename", object="CN-TJU"))


async def tell(child: Stand, parent: Stand) -> Compared:
    """As the exchange does each minute."""
    async with child.client(parent.symbol) as client:
        return await auditing.tell(child.database, client, parent.symbol)


async def force(conn: Connection, statement: str) -> None:
    """As the owner of the tables can."""
    async with conn.transaction():
        for table in ("audit", "audit_end"):
            await conn.execute(f"alter table {table} disable trigger user")
        await conn.execute(statement)
        for table in ("audit", "audit_end"):
            await conn.execute(f"alter table {table} enable trigger user")


def digest_of(kept: audit.Kept) -> bytes:
    """As it is documented, of an entry whose predecessor is another now."""
    texts = kept.actor, kept.library, kept.act, kept.object, kept.outcome, kept.detail, kept.address, kept.request
    return audit._digest(kept.previous, kept.no, kept.at, *texts)


async def rewrite(node: Stand, no: int) -> None:
    """Change an entry and make the chain anew from there on: `verify` alone finds nothing."""
    async with node.database.connection() as conn:
        await force(conn, f"update audit set actor = 'account:nobody-of-us' where no = {no}")
        previous = await audit.digest_of(conn, no - 1) or audit.FIRST
        for row in await conn.fetch(f"select {audit.COLUMNS} from audit where no >= $1 order by no", no):
            kept = audit.Kept(**{**dict(row), "previous": previous})
            digest = digest_of(kept)
            await force(
                conn,
                f"update audit set previous = '\\x{previous.hex()}', digest = '\\x{digest.hex()}' where no = {kept.no}",
            )
            previous = digest
        await force(conn, f"update audit_end set digest = '\\x{previous.hex()}'")
    async with node.database.snapshot() as conn:
        assert (await audit.verify(conn)).faults == ()


async def cut(node: Stand, last: int) -> None:
    """Take away all entries after this one, and set the end back: `verify` alone finds nothing."""
    async with node.database.connection() as conn:
        digest = await audit.digest_of(conn, last)
        assert digest
        await force(conn, f"delete from audit where no > {last}")
        await force(conn, f"update audit_end set no = {last}, digest = '\\x{digest.hex()}'")
    async with node.database.snapshot() as conn:
        assert (await audit.verify(conn)).faults == ()


async def alarm_at(parent: Stand, symbol: str = "CN-TJU") -> str:
    """Why the parent has raised an alarm."""
    async with parent.database.connection() as conn:
        found = await heads.alarm(conn, symbol)
    return found.reason if found else ""


async def fault_at(child: Stand, compared: Compared) -> str:
    """What the child finds itself in the parent's answer."""
    async with child.database.snapshot() as conn:
        return await auditing.fault(conn, compared)


async def test_a_log_that_grows_is_heard_and_fits(server: Postgres) -> None:
    async with family(server) as (parent, child):
        first = await tell(child, parent)
        assert (first.no, first.alarm) == (0, "")
        again = await tell(child, parent)
        assert (again.no, again.alarm) == (6, "")
        await write(child, 3)
        assert (await tell(child, parent)).alarm == ""
        async with parent.database.transaction() as conn:
            heard = await heads.last(conn, "CN-TJU")
        async with child.database.connection() as conn:
            head = await audit.head(conn)
        assert heard
        assert (heard.no, heard.digest) == (head.no, head.digest)
        assert head.no == 9
        assert await fault_at(child, again) == ""


async def test_a_cut_tail_is_found_at_both_ends_and_shown_until_it_is_accepted(server: Postgres) -> None:
    async with family(server) as (parent, child):
        await tell(child, parent)
        await cut(child, 4)
        found = await tell(child, parent)
        assert found.alarm == "the log ends at entry 4; it had entry 6"
        assert await fault_at(child, found) == "it was told of entry 6; the log ends at 4"
        assert await alarm_at(parent) == found.alarm
        async with parent.database.connection() as conn:
            nodes, _ = await flows.look(conn, Counts(), "CN-TJ", "")
            (entry,) = await audit.page(conn, audit.Wanted(act="audit.alarm"))
        assert [each.alarm for each in nodes if each.symbol == "CN-TJU"] == [found.alarm]
        shown = network_view.document(nodes, [], flows.Work(preparing=0, to_merge=0, epoch=1, last=0), 0)
        assert any("CN-TJU" in each["trouble"] and found.alarm in each["trouble"] for each in shown["nodes"])
        assert (entry.actor, entry.object, entry.outcome) == ("node:CN-TJU", "CN-TJU", "failed")
        await write(child, 5)  # longer than ever: still not the log that was told of
        assert (await tell(child, parent)).alarm == found.alarm
        async with parent.database.transaction() as conn:
            accepted = await heads.accept(conn, "CN-TJU")
        assert accepted and accepted.reason == found.alarm
        assert (await tell(child, parent)).alarm == ""
        assert (await tell(child, parent)).no == 9


async def test_a_tail_that_was_cut_and_grew_again_is_found(server: Postgres) -> None:
    async with family(server) as (parent, child):
        await tell(child, parent)
        await cut(child, 4)
        await write(child, 7)
        found = await tell(child, parent)
        assert found.alarm == "entry 6 is not the one that was there"
        assert await fault_at(child, found) == "it was told of another entry 6"


@pytest.mark.parametrize("more", [0, 4])
async def test_a_middle_that_was_written_anew_is_found(server: Postgres, more: int) -> None:
    async with family(server) as (parent, child):
        await tell(child, parent)
        await rewrite(child, 3)
        await write(child, more)
        found = await tell(child, parent)
        assert found.alarm == "entry 6 is not the one that was there"
        assert await fault_at(child, found) == "it was told of another entry 6"
        assert await alarm_at(parent) == found.alarm


async def test_the_children_know_the_end_of_their_parents_log(server: Postgres) -> None:
    async with family(server) as (parent, child):
        await write(parent, 4)
        own = (await tell(child, parent)).own
        assert own and own.no == 5, "that the child joined is an entry too"
        await write(parent, 1)
        await tell(child, parent)
        assert await alarm_at(child, "CN-TJ") == ""
        await cut(parent, 3)
        await write(parent, 4)
        assert (await tell(child, parent)).alarm == "", "the child's log is whole"
        assert await alarm_at(child, "CN-TJ") == "entry 6 is not the one that was there"
        async with child.database.connection() as conn:
            (entry,) = await audit.page(conn, audit.Wanted(act="audit.alarm"))
        assert entry.object == "CN-TJ"


async def test_only_the_node_itself_tells_of_its_log(server: Postgres) -> None:
    async with family(server) as (parent, child), network.standing(server, "CN-PKU") as other:
        await tell(child, parent)
        await network.joined(other, parent)
        await write(other, 2)
        assert (await tell(other, parent)).alarm == ""
        assert await alarm_at(parent) == ""
        async with parent.database.transaction() as conn:
            heard = await heads.last(conn, "CN-TJU")
        assert heard and heard.no == 6


async def test_the_exchange_tells_at_once_and_then_each_minute(server: Postgres) -> None:
    async with family(server) as (parent, child), child.client("CN-TJ") as client:
        keeper = Keeper(database=child.database, days=180)

        async def heard() -> bool:
            async with parent.database.transaction() as conn:
                last = await heads.last(conn, "CN-TJU")
            return last is not None and last.no == 6

        wires = {1: ("CN-TJ", client)}
        keeper.look(wires)
        await postgres.eventually(heard)
        due = dict(keeper._due)
        keeper.look(wires)
        assert keeper._due == due, "nothing is due for a minute"
        assert 50 < due[1] - asyncio.get_running_loop().time() <= 60
        keeper.look({})
        assert keeper._due == {}
        await keeper.close()


async def test_a_node_that_says_nothing_of_its_log_is_named(server: Postgres) -> None:
    async with family(server) as (parent, child):
        await tell(child, parent)
        async with parent.database.transaction() as conn:
            last = await heads.last(conn, "CN-TJU")
            peer = await peers.get(conn, "CN-TJU")
            assert last
            later = last.heard_at + timedelta(minutes=6)
            assert auditing.silent(last, later, later).startswith("it has told nothing of its log since")
            assert auditing.silent(None, later, later) == "it has told nothing of its log yet"
            assert auditing.silent(last, last.heard_at, last.heard_at) == ""
            assert auditing.silent(last, peer.seen_at, later) == "", "it says nothing at all"


async def test_of_the_ends_the_last_and_the_first_of_each_hour_are_kept(conn: Connection) -> None:
    for no in range(1, 31):
        async with conn.transaction():
            await heads.last(conn, "CN-TJU")
            await heads.hear(conn, "CN-TJU", no, bytes([no]) * 32, NOW)
        await conn.execute(
            "update audit_heard set heard_at = date_trunc('hour', now()) - interval '5 hours'"
            " + make_interval(mins => 5 * no::int) where no = $1",
            no,
        )
    kept = [row["no"] for row in await conn.fetch("select no from audit_heard order by no")]
    assert kept == [1, 12, 24, 30], "the first of three hours, and the last"


def heard(no: int, at: datetime = EARLIER) -> Heard:
    return Heard(no=no, digest=bytes([no]) * 32, at=at, heard_at=at)


def told(no: int, digest: int, **more: object) -> Told:
    return Told(no=no, digest=bytes([digest]) * 32, at=more.pop("at", NOW), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "now_told", "judged"),
    [
        (None, told(0, 0), Judged()),
        (heard(6), told(6, 6), Judged()),
        (heard(6), told(9, 9), Judged(ask=6)),
        (heard(6), told(9, 9, past={6: bytes([6]) * 32}), Judged()),
        (heard(6), told(9, 9, past={6: bytes([7]) * 32}), Judged(alarm="entry 6 is not the one that was there")),
        (heard(6), told(6, 7), Judged(alarm="entry 6 is not the one that was there")),
        (heard(6), told(5, 5), Judged(alarm="the log ends at entry 5; it had entry 6")),
        (heard(6, NOW), told(5, 5, at=EARLIER + timedelta(seconds=30)), Judged(late=True)),
        (heard(6, NOW), told(5, 5, at=EARLIER), Judged(alarm="the log ends at entry 5; it had entry 6")),
        (heard(6), told(9, 9, start=7), Judged(alarm="entry 6 was dropped before its time")),
        (heard(6, NOW - timedelta(days=180)), told(9, 9, start=7), Judged()),
    ],
)
def test_an_end_is_judged_by_the_one_before(last: Heard | None, now_told: Told, judged: Judged) -> None:
    assert auditing.judge(last, now_told, NOW) == judged
