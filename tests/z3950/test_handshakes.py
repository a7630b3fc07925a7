"""TLS clients count from the moment they connect, on either loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import uvloop

from node.z3950 import listener, session
from node.z3950.connection import Answers
from node.z3950.handshakes import Handshakes
from node.z3950.listener import Guard
from protocols.z3950 import apdu
from protocols.z3950.apdu.close import CloseReason
from tests import doors as outgoing
from tests.z3950.standing import HOST, PATIENCE


@pytest.fixture(
    scope="module", params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"]
)
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    return cast(asyncio.AbstractEventLoopPolicy, request.param())


class Silent:
    """A session that nobody asks."""

    def refuse(self, reason: CloseReason, why: str) -> apdu.Apdu:
        """The last word."""
        return session.refusal(reason, why)

    def over(self) -> None:
        """Nothing is kept."""


class Clock:
    """Tells what it is set to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """(the door's, its clients')"""
    outgoing.certified(tmp_path, monkeypatch)
    pem = tmp_path / "secure.pem"
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(pem)
    yield own, ssl.create_default_context(cafile=pem)


@contextlib.asynccontextmanager
async def taking(most: int, own: ssl.SSLContext) -> AsyncIterator[tuple[Guard, Handshakes, int, Clock]]:
    clock = Clock()
    guard = Guard(lambda _: cast(Answers, Silent()), most=most, each=most, idle=60.0, clock=clock)
    with socket.create_server((HOST, 0)) as at:
        taken = Handshakes(guard, at.dup(), own)
        try:
            yield guard, taken, at.getsockname()[1], clock
        finally:
            taken.close()
            guard.end()
            await until(lambda: not len(taken))


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 -- what another thread does sets no event
            await asyncio.sleep(0.01)


def _shaken(port: int, trusted: ssl.SSLContext) -> str | None:
    """A client whose first octets are there as soon as it has connected."""
    with (
        socket.create_connection((HOST, port), PATIENCE) as plain,
        trusted.wrap_socket(plain, server_hostname="secure.test") as secure,
    ):
        return secure.version()


async def test_many_that_speak_at_once_are_all_taken(trusted: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    own, theirs = trusted
    async with taking(40, own) as (guard, taken, port, _):
        for _ in range(3):
            shaken = await asyncio.gather(*(asyncio.to_thread(_shaken, port, theirs) for _ in range(20)))
            assert set(shaken) == {"TLSv1.3"}
        await until(lambda: not len(taken) and not len(guard))
        assert not guard.cuts


async def test_who_begins_no_handshake_counts_and_makes_room(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    own, theirs = trusted
    async with taking(3, own) as (guard, taken, port, clock):
        silent = [await asyncio.open_connection(HOST, port) for _ in range(3)]
        await until(lambda: len(taken) == 3)
        reader, late = await asyncio.open_connection(HOST, port)
        assert await reader.read() == b"", "all three are young"
        assert guard.cuts["refused"] == 1
        clock.now += listener.YOUNG
        assert await asyncio.to_thread(_shaken, port, theirs) == "TLSv1.3"
        assert await silent[0][0].read() == b"", "the oldest made room"
        assert guard.cuts["no room"] == 1
        for _, writer in (*silent, (reader, late)):
            writer.close()
        await until(lambda: not len(taken))


async def test_a_handshake_that_is_none_or_takes_too_long_is_ended(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST", 0.2)
    async with taking(3, trusted[0]) as (guard, taken, port, _):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"no TLS at all\r\n" * 10)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        slow, other = await asyncio.open_connection(HOST, port)
        with contextlib.suppress(ConnectionError):
            assert await slow.read() == b""
        await until(lambda: not len(taken))
        assert guard.cuts["no handshake"] == 2
        assert not len(guard)
        writer.close()
        other.close()


async def test_who_goes_in_the_middle_of_a_handshake_counts_no_longer(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    own, theirs = trusted
    async with taking(100, own) as (guard, taken, port, _):
        for octets in (b"", b"\x16\x03\x01\x02\x00\x01\x00"):
            for linger in (b"\0" * 8, b"\1\0\0\0" + b"\0" * 4):  # it says so, or breaks off
                gone = [socket.create_connection((HOST, port)) for _ in range(10)]
                for each in gone:
                    each.sendall(octets)
                await until(lambda: len(taken) == 10)
                for each in gone:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    each.close()
                await until(lambda: not len(taken))
        assert await asyncio.to_thread(_shaken, port, theirs) == "TLSv1.3"
        assert set(guard.cuts) <= {"no handshake"}
