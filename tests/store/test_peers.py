"""Peers, invitations and nonces in the database."""

from __future__ import annotations

import asyncio
import time

import pytest

from catalog import invitations, nonces, peers
from catalog.connection import Connection
from catalog.peers import Peer
from config.errors import NotFound
from tests import postgres

NOW = time.time()
WEEK = 7 * 86400


async def entered(conn: Connection, symbol: str = "TJU", key: bytes = b"k1") -> Peer:
    return await peers.enter(
        conn, symbol, name=symbol, role="child", path="uplink", suite="ed25519-sha256-blake3", key=key, proto=1
    )


async def test_nonce_is_new_once_for_each_peer(conn: Connection) -> None:
    assert await nonces.first(conn, 1, "a", until=NOW + 60, now=NOW)
    assert not await nonces.first(conn, 1, "a", until=NOW + 60, now=NOW)
    assert await nonces.first(conn, 2, "a", until=NOW + 60, now=NOW)
    assert await nonces.first(conn, 1, "b", until=NOW + 60, now=NOW)


async def test_of_many_who_bring_one_nonce_at_once_one_is_first(dsn: str) -> None:
    async def bring() -> bool:
        async with postgres.connection(dsn) as conn:
            return await nonces.first(conn, 1, "a", until=NOW + 60, now=NOW)

    assert sorted(await asyncio.gather(*(bring() for _ in range(8)))) == [False] * 7 + [True]


async def test_expired_nonces_go_and_others_stay(conn: Connection) -> None:
    for n in range(5):
        await nonces.first(conn, 1, f"old{n}", until=NOW - 1, now=NOW - 60)
    await nonces.first(conn, 1, "young", until=NOW + 60, now=NOW)
    assert await conn.fetchval("select array_agg(nonce) from nonce") == ["young"]


async def test_two_with_one_invitation_come_one_after_the_other(conn: Connection, dsn: str) -> None:
    made = await invitations.add(conn, b"d", "TJU", "uplink", 7)
    assert not made.expired
    assert (made.expires_at - made.made_at).total_seconds() == pytest.approx(WEEK, abs=1)
    taken = asyncio.Event()

    async def second() -> bool:
        async with postgres.connection(dsn) as other, other.transaction():
            await taken.wait()
            found = await invitations.take(other, b"d")
            return found is not None and found.used_at is not None

    coming = asyncio.create_task(second())
    async with conn.transaction():
        first = await invitations.take(conn, b"d")
        assert first is not None and first.used_at is None
        taken.set()
        await invitations.use(conn, b"d")
    assert await coming
    assert await invitations.waiting(conn) == []
    assert await invitations.take(conn, b"none") is None


async def test_key_changes_from_the_one_that_was_seen(conn: Connection) -> None:
    before = await entered(conn)
    assert before.former is None
    assert await peers.set_key(conn, before, before.suite, b"k2")
    assert not await peers.set_key(conn, before, before.suite, b"k3"), "another request has changed it meanwhile"
    after = await peers.get(conn, "TJU")
    assert (after.key, after.former) == (b"k2", b"k1")
    await conn.execute("update peer set former_until = now()")
    assert (await peers.get(conn, "TJU")).former is None


async def test_peer_that_is_entered_anew_keeps_its_number_and_no_former_key(conn: Connection) -> None:
    before = await entered(conn)
    await peers.set_key(conn, before, before.suite, b"k2")
    await peers.failed(conn, before.no, "away")
    await peers.set_state(conn, "TJU", "revoked")
    assert (await peers.get(conn, "TJU")).trouble == "away"
    after = await entered(conn, key=b"k9")
    assert (after.no, after.key, after.former, after.state, after.trouble) == (before.no, b"k9", None, "active", "")
    assert await peers.trusted(conn) == {before.no: ("active", b"k9")}


async def test_unknown_peer_is_not_found(conn: Connection) -> None:
    with pytest.raises(NotFound, match="XYZ"):
        await peers.set_state(conn, "XYZ", "suspended")
    with pytest.raises(NotFound):
        await peers.get(conn, "XYZ")
    assert await peers.every(conn, "parent") == []
