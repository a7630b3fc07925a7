"""Clients that are slow, silent, broken or many: they are cut or told, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.search import port
from catalog.search.tantivy import TantivyReader
from node.z3950 import connection, desk, listener
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.close import CloseReason
from protocols.z3950.apdu.init import IdPass
from protocols.z3950.apdu.parts import External, Single
from protocols.z3950.apdu.present import PresentRequest
from protocols.z3950.apdu.query import And, RpnOperation, RpnQuery, Type1, Type104
from protocols.z3950.apdu.search import SearchResponse
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.limits import REQUESTS
from protocols.z3950.primitive import GENERAL
from services.access.policy import Role
from tests import access
from tests.z3950 import standing
from tests.z3950.answers import diagnostic
from tests.z3950.capture import CAPTURED
from tests.z3950.standing import PATIENCE, Standing, a_search, a_term

MUTATIONS = 1000


@pytest_asyncio.fixture
async def door(database: Database, home: Path) -> AsyncIterator[Standing]:
    async with standing.door(database, home) as opened:
        yield opened


async def works(door: Standing) -> bool:
    """Whether others are still served."""
    async with door.session() as client:
        return (await client.search("天工开物")).result_count == 2


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 -- what another process or thread does sets no event
            await asyncio.sleep(0.01)


async def test_a_thousand_mutations_of_requests_leave_the_door_open(
    door: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    draw = random.Random(7)
    cql = Type104(External(direct_reference=oids.CQL, encoding=Single(GENERAL.encode("title any 天* sortby year"))))
    both = RpnOperation(rpn1=a_term("天").query.rpn, rpn2="default", op=And())
    valid = [
        *(apdu.encode(a_search(each)) for each in (cql, Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=both)))),
        *(path.read_bytes() for path in sorted(CAPTURED.iterdir())),
    ]

    async def one(octets: bytes) -> None:
        async with door.client() as client:
            if draw.random() < 0.8:
                await client.init()
            with contextlib.suppress(ConnectionError):
                await client.send(octets)
                client.writer.write_eof()
            await client.ended()

    for _ in range(MUTATIONS // 20):
        mutated = []
        for _ in range(20):
            octets = bytearray(draw.choice(valid))
            for _ in range(draw.randint(1, 4)):
                at = draw.randrange(len(octets))
                match draw.randrange(3):
                    case 0:
                        octets[at] = draw.randrange(256)
                    case 1:
                        del octets[at:]
                    case 2:
                        octets[at:at] = draw.randbytes(draw.randint(1, 9))
                if not octets:
                    octets = bytearray(b"\x00")
            mutated.append(bytes(octets))
        await asyncio.gather(*map(one, mutated))
    assert await works(door)
    await until(lambda: len(door.guard) == 0)
    assert "a request failed" not in caplog.text, "none of them is an error of ours"


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xb6\x84\xff\xff\xff\xff" + b"\x00" * 64,
        b"\xb6\x83" + (REQUESTS.octets + 1).to_bytes(3, "big"),
        b"\xb6\x80" + b"\x30\x80" * 5000,
        b"\x00" * 100,
    ],
    ids=["http", "four gigabytes", "too long", "nested", "zeros"],
)
async def test_what_is_no_request_is_answered_with_close(door: Standing, octets: bytes) -> None:
    async with door.session() as client:
        with contextlib.suppress(ConnectionError):
            await client.send(octets)
        word = await client.ended()
    assert word is None or word.close_reason == CloseReason.PROTOCOL_ERROR
    assert await works(door)


async def test_a_silent_client_and_a_slow_one_are_cut(door: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LOOK", 0.05)
    monkeypatch.setattr(listener, "FIRST", 0.2)
    monkeypatch.setattr(listener, "WHOLE", 0.2)
    async with door.client() as silent, door.session() as slow, door.session() as patient:
        whole = apdu.encode(a_search(a_term("天工开物")))

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                for at in range(len(whole)):
                    await slow.send(whole[at : at + 1])
                    await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await silent.ended() is None
        assert await slow.ended() is None
        await dripping
        assert (await patient.search("天工开物")).result_count == 2, "who has begun a session may think"
    assert door.guard.cuts == {"no request": 1, "request too slow": 1}


async def test_an_idle_session_ends_with_a_word(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LOOK", 0.05)
    async with standing.door(database, home, idle=0.3) as door, door.session() as client:
        word = await client.ended()
    assert word is not None
    assert word.close_reason == CloseReason.LACK_OF_ACTIVITY


async def test_who_does_not_take_its_answer_is_cut_and_holds_no_memory(
    door: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LOOK", 0.05)
    monkeypatch.setattr(listener, "STALLED", 0.3)
    async with door.session(preferred_message_size=4 << 20) as client:
        await client.search("长编")
        one = apdu.encode(
            PresentRequest(result_set_id="default", result_set_start_point=1, number_of_records_requested=1)
        )
        transport = client.writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while door.guard.cuts["answer not taken"] == 0:
                    client.writer.write(one * 20)
                    await asyncio.sleep(0.01)
                    assert all(each.unsent < 8 << 20 for each in door.guard.every())
    assert await works(door)


async def test_what_waits_to_be_taken_is_bounded_for_all_clients_together(
    door: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LOOK", 0.05)
    monkeypatch.setattr(listener, "MOST_UNSENT", 64 << 10)
    one = apdu.encode(PresentRequest(result_set_id="default", result_set_start_point=1, number_of_records_requested=1))
    async with door.session() as greedy, door.session() as other:
        await greedy.search("长编")
        greedy.writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while not door.guard.cuts:
                    greedy.writer.write(one * 20)
                    await asyncio.sleep(0.01)
        assert door.guard.cuts == {"too much not taken": 1}
        assert (await other.search("天工开物")).result_count == 2


class Wire:
    """Takes octets as slowly as a test wants."""

    def __init__(self, unsent: int) -> None:
        self.unsent, self.cut = unsent, False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.cut = True


async def test_nobody_is_blamed_when_the_node_itself_was_late(door: Standing) -> None:
    now, came = 100.0, asyncio.Event()

    def session(made: connection.Connection) -> connection.Answers:
        came.set()
        return door.guard.session(made)

    guard = listener.Guard(session, most=9, each=9, idle=60.0, clock=lambda: now)
    server = await asyncio.get_running_loop().create_server(guard, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.wait_for(came.wait(), 10)
    now += 30.0
    guard.look()
    assert len(guard) == 1
    now += 1.0
    guard.look()
    assert (len(guard), dict(guard.cuts)) == (0, {"no request": 1})
    writer.close()
    server.close()


async def test_a_last_answer_is_not_cut_while_it_is_taken(door: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER", 0.0)
    wire, its = Wire(unsent=5), door.guard()
    its._wire = cast(asyncio.Transport, wire)
    its._finish()
    for left in (4, 3):
        wire.unsent = left
        await asyncio.sleep(0)
        assert not wire.cut
    await until(lambda: wire.cut)


async def test_requests_in_a_row_end_where_they_take_long(door: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ROW", -1.0)
    rested: list[object] = []
    go_on = connection.Connection._go_on

    def seen(its: connection.Connection) -> None:
        rested.append(its)
        go_on(its)

    monkeypatch.setattr(connection.Connection, "_go_on", seen)
    async with door.session() as client:
        await client.send(apdu.encode(a_search(a_term("天工开物"))) * 4)
        answers = [await client.heard() for _ in range(4)]
    assert [each.result_count for each in answers if isinstance(each, SearchResponse)] == [2] * 4
    assert len(rested) == 3, "the others are heard between them"


async def test_a_half_closed_client_still_gets_what_it_asked_for(door: Standing) -> None:
    async with door.session() as client:
        await client.send(apdu.encode(a_search(a_term("天工开物"))))
        client.writer.write_eof()
        answer = await client.heard()
        assert isinstance(answer, SearchResponse)
        assert answer.result_count == 2
        assert await client.heard() is None


async def test_who_leaves_while_it_is_worked_for_leaves_nothing(door: Standing) -> None:
    for _ in range(20):
        async with door.session() as client:
            await client.send(apdu.encode(a_search(a_term("天工开物"))))
            client.writer.transport.abort()
    await until(lambda: len(door.guard) == 0)
    assert await works(door)


async def test_when_there_are_too_many_the_one_that_was_idle_longest_makes_room(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "YOUNG", 0.0)
    async with standing.door(database, home, sessions=2) as door, door.session() as first, door.session() as second:
        await second.search("天工开物")
        async with door.session() as third:
            assert await first.ended() is None
            assert (await third.search("天工开物")).result_count == 2
            assert (await second.search("天工开物")).result_count == 2
    assert door.guard.cuts == {"no room": 1}


class Slow:
    """A search engine in which some queries take as long as the test wants."""

    def __init__(self, reader: port.Reader) -> None:
        self.reader, self.go, self.waiting = reader, threading.Event(), 0

    def search(self, request: port.Request) -> port.Result:
        return self.reader.search(request)

    def place(self) -> tuple[int, int]:
        return self.reader.place()

    def numbers(self, request: port.Request) -> tuple[int, tuple[int, ...]]:
        if request.libraries is not None:
            self.waiting += 1
            assert self.go.wait(PATIENCE)
        return self.reader.numbers(request)

    def scan(self, index: str, text: str, **how: object) -> port.Stretch:
        return self.reader.scan(index, text, **how)  # type: ignore[arg-type]


async def test_a_hog_takes_its_share_and_others_do_not_wait_for_it(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = [ip_address("192.0.2.1")] * 6 + [ip_address("198.51.100.1")]
    monkeypatch.setattr("node.web.address.of_peer", lambda transport: peers.pop(0) if peers else None)
    slow: list[Slow] = []

    def reader(folder: Path) -> Slow:
        slow.append(Slow(TantivyReader(folder)))
        return slow[0]

    async with (
        standing.door(database, home, reader=reader, at_work=4, waiting=6) as door,
        contextlib.AsyncExitStack() as stack,
    ):
        hogs = [await stack.enter_async_context(door.session()) for _ in range(6)]
        for hog in hogs:
            await hog.send(apdu.encode(a_search(a_term("天工开物"), "Default-CN-TJU")))
        await until(lambda: slow[0].waiting == 2)
        other = await stack.enter_async_context(door.session())
        assert (await other.search("天工开物")).result_count == 2
        assert slow[0].waiting == 2, "half of the places, however many it asks for"
        slow[0].go.set()
        answers = [await hog.heard() for hog in hogs]
    told = [each.result_count for each in answers if isinstance(each, SearchResponse) and each.search_status]
    busy = [each for each in answers if isinstance(each, SearchResponse) and not each.search_status]
    assert told == [1] * len(told)
    assert len(told) >= 2
    assert {each.records.condition for each in busy} <= {Bib1.TEMPORARY_ERROR}  # type: ignore[union-attr]


async def test_a_thread_that_nobody_waits_for_any_longer_still_counts(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = [ip_address("192.0.2.1")] * 4 + [ip_address("198.51.100.1")]
    monkeypatch.setattr("node.web.address.of_peer", lambda transport: peers.pop(0) if peers else None)
    monkeypatch.setattr(desk, "LONGEST", 0.3)
    slow: list[Slow] = []

    def reader(folder: Path) -> Slow:
        slow.append(Slow(TantivyReader(folder)))
        return slow[0]

    async with (
        standing.door(database, home, reader=reader, at_work=4) as door,
        contextlib.AsyncExitStack() as stack,
    ):
        hogs = [await stack.enter_async_context(door.session()) for _ in range(4)]
        for hog in hogs[:2]:
            await hog.send(apdu.encode(a_search(a_term("天工开物"), "Default-CN-TJU")))
        await until(lambda: slow[0].waiting == 2)
        for hog in hogs[2:]:
            late = await hog.search("天工开物", "Default-CN-TJU")
            assert diagnostic(late)[0] == Bib1.TEMPORARY_ERROR
        assert slow[0].waiting == 2, "its share, though its first searches have taken too long"
        slow[0].go.set()
        for hog in hogs[:2]:
            assert diagnostic(await hog.heard())[0] == Bib1.TEMPORARY_ERROR
        assert (await hogs[3].search("天工开物", "Default-CN-TJU")).result_count == 1


async def test_wrong_passwords_are_refused_counted_and_kept_in_the_audit_log(
    database: Database, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with standing.door(database, home) as door:
        async with database.connection() as conn:
            await access.an_account(conn, "wang", Role.COPYIST)
            await access.an_account(conn, "new", Role.COPYIST, must_change=True)
        for name, password in (("wang", "wrong"), ("nobody", "wrong"), ("new", access.PASSWORD), ("", "x")):
            async with door.client() as client:
                refused = await client.init(IdPass(user_id=name, password=password))
                assert not refused.result
                assert (name == "new") == ("web pages first" in str(refused)), "who has the password is told why"
                assert await client.heard() is None, "and that is all that it gets"
        for form in (IdPass(user_id="wang", password=access.PASSWORD), f"wang/{access.PASSWORD}"):
            async with door.client() as client:
                assert (await client.init(form)).result
                assert (await client.search("天工开物")).search_status
        for _ in range(10):
            async with door.client() as client:
                assert not (await client.init(IdPass(user_id="wang", password="wrong"))).result
        async with door.client() as client:
            assert not (await client.init(IdPass(user_id="wang", password=access.PASSWORD))).result, "it is locked"
        async with database.connection() as conn:
            rows = await conn.fetch(
                "select actor, act, object, outcome from audit where act = 'z3950.sign-in' order by no"
            )
    kept = [tuple(row) for row in rows]
    assert ("nobody", "z3950.sign-in", "wang", "refused") in kept
    assert ("account:wang", "z3950.sign-in", "wang", "done") in kept
    assert not any("wrong" in str(row) for row in kept)
    assert access.PASSWORD not in caplog.text


async def test_where_accounts_alone_may_search_nobody_else_does(database: Database, home: Path) -> None:
    async with standing.door(database, home, search="accounts") as door:
        async with database.connection() as conn:
            await access.an_account(conn, "wang", Role.COPYIST)
        async with door.client() as client:
            assert not (await client.init()).result
        async with door.client() as client:
            assert (await client.init(IdPass(user_id="wang", password=access.PASSWORD))).result


async def test_an_account_that_is_disabled_is_out_within_a_minute(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.z3950.visitors.STALE", 0.0)
    async with standing.door(database, home) as door:
        async with database.connection() as conn:
            await access.an_account(conn, "wang", Role.COPYIST)
        async with door.client() as client:
            assert (await client.init(IdPass(user_id="wang", password=access.PASSWORD))).result
            assert (await client.search("天工开物")).search_status
            async with database.connection() as conn:
                await conn.execute("update account set state = 'disabled'")
            await client.send(apdu.encode(a_search(a_term("天工开物"))))
            word = await client.ended()
    assert word is not None
    assert word.close_reason == CloseReason.SECURITY_VIOLATION
