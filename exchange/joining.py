"""Joining a parent with a one-time code: the child's side (shell) and the parent's (store)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from catalog import directory, hosting, invitations, peers, sources
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.invitations import Invitation
from catalog.payload import Entry
from catalog.peers import Peer
from config.errors import Conflict, Misconfigured
from config.settings import SYMBOL
from exchange import codes, greeting
from exchange.codes import Code
from exchange.greeting import Join, Joined
from exchange.keys import Key, Keyring
from exchange.peer import Barred, Client, Known, hello, known
from protocols import suites
from protocols.http.door import Door

NAME = 200  # characters of a library's name or area


class BadCode(Conflict):
    """The code doesn't let this library in."""

    code = "bad-code"


async def invite(conn: Connection, digest: bytes, symbol: str, path: str, days: float, me: str) -> Invitation:
    """Keep an invitation of the library `symbol`. Misconfigured if that is no code of a library, Conflict if its node
    has joined already.
    """
    if not SYMBOL.fullmatch(symbol):
        raise Misconfigured(f"{symbol!r} is no library's code: 1 to 16 letters, digits and hyphens")
    if symbol == me:
        raise Conflict(f"{symbol} is this node itself")
    peer = await peers.find(conn, symbol)
    if peer is not None and peer.state != "revoked":
        what = "is this node's parent" if peer.role == "parent" else f"has joined already and is {peer.state}"
        raise Conflict(f"{symbol} {what}: see `tianlu peer list`; to let a new node in, revoke the old one first")
    return await invitations.add(conn, digest, symbol, path, days)


async def admit(conn: Connection, join: Join, *, me: str, name: str, key: Key, now: float) -> Joined:
    """Let a library's node in, in the caller's transaction. BadCode or Conflict tells why not."""
    proto = greeting.agree(join.proto, join.symbol)
    suite = suites.named(join.suite)
    if not suite.verify(join.ticket, codes.claim(key.fingerprint, join.symbol, join.key), join.proof):
        raise BadCode("the code was not given for this node, library and key")
    invitation = await invitations.take(conn, join.ticket)
    if invitation is None:
        raise BadCode(f"{me} has given out no such code: ask its operator for a new one (tianlu invite)")
    if invitation.symbol != join.symbol:
        raise BadCode(f"the code is for the library {invitation.symbol}, not for {join.symbol}")
    before = await peers.find(conn, join.symbol)
    _fits(before, join, me)
    again = before is not None and before.state == "active"
    if invitation.used_at is not None and not again:
        raise BadCode("the code has been used already: ask for a new one")
    if invitation.expired and invitation.used_at is None:
        raise BadCode(f"the code ran out at {invitation.expires_at:%Y-%m-%d %H:%M} UTC: ask for a new one")
    await _register(conn, join)
    if before is not None and before.state == "revoked":
        await hosting.part(conn, before.no)
    path = join.path if invitation.path == "uplink" else "membership"
    peer = await peers.enter(
        conn,
        join.symbol,
        name=join.libraries.get(join.symbol, Entry(join.symbol)).name[:NAME],
        role="child",
        path=path,
        suite=suite.name,
        key=join.key,
        proto=proto,
        source=before.source if before and before.source else await _source(conn, join.symbol),
    )
    await invitations.use(conn, join.ticket)
    return Joined(
        symbol=me,
        name=name,
        suite=key.suite.name,
        key=key.public,
        proto=proto,
        path=path,
        time=now,
        reign=await _to_move(conn, peer),
    )


async def _to_move(conn: Connection, peer: Peer) -> int:
    """The reign under which the library moves from here to the node that has joined, 0 if it isn't hosted here.

    A node that lost everything on the way joins anew, and the move goes on.
    """
    for one in await hosting.going(conn):
        if (one.library, one.peer, one.way) == (peer.symbol, peer.no, "out"):
            return one.reign
    if not await hosting.is_hosted(conn, peer.symbol):
        return 0
    _, reign = await hosting.host(conn, peer.symbol)
    return (await hosting.begin(conn, peer.symbol, reign + 1, peer.no, "out")).reign


def _fits(before: Peer | None, join: Join, me: str) -> None:
    """Conflict if who joins is somebody to us already that it can't be twice."""
    if join.symbol == me or not SYMBOL.fullmatch(join.symbol):
        raise Conflict(f"{join.symbol[:40]} can't join here: it is this node, or no library's code")
    if before is None or before.state == "revoked":
        return
    if before.role == "parent":
        raise Conflict(f"{join.symbol} is a parent of {me} and can't be its child")
    if before.state == "suspended":
        raise Conflict(f"{join.symbol} is suspended at {me}: its operator can resume it (tianlu peer resume)")
    if before.key != join.key:
        raise Conflict(
            f"{join.symbol} has joined {me} with another key: that node can change its key (tianlu peer rekey), or the "
            f"operator of {me} revokes it first (tianlu peer revoke {join.symbol})"
        )


async def _register(conn: Connection, join: Join) -> None:
    """The libraries that the child hosts. One that another node hosts stays as it is: a node tells of its own."""
    told = {join.symbol: Entry(join.symbol)} | {
        symbol: entry
        for symbol, entry in itertools.islice(join.libraries.items(), greeting.MOST_LIBRARIES)
        if SYMBOL.fullmatch(symbol)
    }
    # Without a reign of its own an entry takes no library away from its host; the channel of notices tells the rest.
    entries = {symbol: _trimmed(entry, node=join.symbol) for symbol, entry in told.items()}
    await directory.take(conn, entries, peer=join.symbol, role="child", theirs=())


def _trimmed(entry: Entry, node: str) -> Entry:
    return Entry(entry.name[:NAME], entry.name_en[:NAME], entry.area[:NAME], node=node)


async def _source(conn: Connection, symbol: str) -> int:
    """The source that the child's records will be of: named after its node, unless a source here has that name."""
    names = {source.name for source in await sources.every(conn)}
    made = await sources.add(conn, symbol if symbol not in names else f"{symbol}@node", symbol)
    return made.no


async def join(
    database: Database,
    out: Door,
    keyring: Keyring,
    code: Code,
    *,
    me: str,
) -> Peer:
    """Join the parent that a code is of. Conflict if that can't be, Unreachable if it doesn't answer."""
    async with database.connection() as conn:
        before = await _before(conn, code, me)
        path = await _path(conn, before)
        entries = await directory.entries(conn)
    if before is not None and before.state != "revoked" and not await _shut_out(out, keyring, me, before):
        raise Conflict(
            f"this node has joined {code.symbol} already, which is {before.state}: see `tianlu peer list`; "
            f"to join it anew, revoke it first (tianlu peer revoke {code.symbol})"
        )
    key = keyring.key()
    seed, public = codes.ticket(code.secret, code.suite)
    told = Join(
        ticket=public,
        proof=code.suite.sign(seed, codes.claim(code.fingerprint, me, key.public)),
        symbol=me,
        suite=key.suite.name,
        key=key.public,
        proto=(greeting.LOWEST, greeting.HIGHEST),
        path=path,
        libraries=_hosted(entries, me),
    )
    parent = Known(symbol=code.symbol, address=code.address, suite=code.suite.name, fingerprint=code.fingerprint)
    client = Client(out=out, keyring=keyring, me=me, known=parent)
    joined = await client.call("/x/join", told, Joined)
    proto = greeting.agree((joined.proto, joined.proto), code.symbol)
    assert client.known.key is not None  # learnt from the answer, which it verified
    async with database.transaction() as conn:
        before = await peers.find(conn, code.symbol)
        if before is not None and before.state == "revoked":
            await hosting.part(conn, before.no)
        peer = await peers.enter(
            conn,
            code.symbol,
            name=joined.name[:NAME],
            role="parent",
            path=joined.path,
            suite=client.known.suite,
            key=client.known.key,
            proto=proto,
            address=code.address,
        )
        await peers.seen(conn, peer.no, proto=proto, skew=client.skew)
        if joined.reign:
            await hosting.take_over(conn, me, joined.reign, peer.no)
        return peer


async def _before(conn: Connection, code: Code, me: str) -> Peer | None:
    """The parent that a code is of, if it is known. Conflict if the code is of no possible parent."""
    if code.symbol == me:
        raise Conflict(f"the code is of this node, {me}, itself: it is for another library's node")
    before = await peers.find(conn, code.symbol)
    if before is not None and before.role == "child" and before.state != "revoked":
        raise Conflict(f"{code.symbol} is a child of this node ({before.state}) and can't be its parent")
    return before


async def _path(conn: Connection, before: Peer | None) -> greeting.Path:
    """The first parent is the uplink, later ones are memberships."""
    others = [each for each in await peers.every(conn, "parent") if before is None or each.no != before.no]
    uplinks = [each for each in others if each.path == "uplink" and each.state != "revoked"]
    return "membership" if uplinks else "uplink"


async def _shut_out(out: Door, keyring: Keyring, me: str, parent: Peer) -> bool:
    """Has the parent ended what this node takes for going on? Then a code may begin it anew."""
    if parent.state != "active":
        return False
    client = Client(out=out, keyring=keyring, me=me, known=known(parent))
    try:
        await hello(client, greeting.Hello())
    except Barred:
        return True
    return False


def _hosted(entries: Mapping[str, Entry], me: str) -> dict[str, Entry]:
    """The node's own library first: a parent takes a limited number at once."""
    ordered = sorted(entries, key=lambda symbol: (symbol != me, symbol))
    ours = [symbol for symbol in ordered if entries[symbol].node == me]
    return {symbol: entries[symbol] for symbol in ours[: greeting.MOST_LIBRARIES]}
