"""A hand-over is begun, cancelled, and answered for (store). `exchange.handing` carries it on."""

from __future__ import annotations

from catalog import handed, hosting, ledgers, peers, spare
from catalog.connection import Connection
from catalog.hosting import DROPPED, Handover
from catalog.ledgers import Ledger
from catalog.payload import HANDOVER
from config.errors import Conflict, NotFound
from exchange.ends import Peer
from exchange.handover import Ask, Told

UNSIGNED = ("due", "freezing")  # states of the giving end before it has given way


async def give(conn: Connection, me: str, parent: str) -> Handover:
    """Begin to hand this node's own library over to a parent, which hosts it from then on. Conflict if it can't be."""
    peer = await peers.get(conn, parent)
    if peer.role != "parent" or peer.state != "active":
        raise Conflict(f"{parent} is no parent that this node deals with: see `tianlu peer list`")
    node, reign = await hosting.host(conn, me)
    if node:
        raise Conflict(f"{me} is hosted by {node} already")
    return await hosting.begin(conn, me, reign + 1, peer.no, "out")


async def cancel(conn: Connection, library: str) -> Handover:
    """Give a library away no more. Conflict if it has given way already, or is somebody else's to cancel.

    A parent revokes the node that was to have it: two would write for the library. With a new code it begins anew.
    """
    one = next((one for one in await hosting.going(conn) if one.library == library), None)
    if one is None:
        raise NotFound(f"no hand-over of {library} goes on here (tianlu handover list)")
    peer = next(each for each in await peers.every(conn) if each.no == one.peer)
    if one.way == "in":
        raise Conflict(f"{peer.symbol} hosts {library} so far: there, run tianlu handover cancel {library}")
    if peer.role == "parent":
        free = one.state in UNSIGNED and await hosting.turn(conn, one, DROPPED)
    elif free := await hosting.drop(conn, one, *UNSIGNED):
        await peers.set_state(conn, peer.symbol, "revoked")
        await forget_given(conn, peer.no)
    if not free:
        raise Conflict(f"{library} has given way to {peer.symbol} already (it is {one.state}): let it arrive first")
    return one


async def forget_given(conn: Connection, peer: int) -> None:
    """What the giving end wrote down of itself."""
    await ledgers.forget(conn, Ledger.TOLD, peer, HANDOVER)
    await spare.forget(conn, peer)


async def hear(conn: Connection, me: str, peer: Peer, asked: Ask) -> Told:
    """What a parent answers a child: its own state. Conflict if the hand-over is stale, or no such one is due."""
    way = "out" if asked.way == "in" else "in"
    one = await hosting.find(conn, asked.library, asked.reign)
    if asked.state == DROPPED and (one is None or ((one.peer, one.way) == (peer.no, "in") and one.state == "due")):
        if one is not None:
            await hosting.drop(conn, one, "due")
        return Told(state=DROPPED)
    if one is None and way == "in":
        node, _ = await hosting.host(conn, asked.library)
        if node != peer.symbol:
            raise Conflict(f"{asked.library} is not {peer.symbol}'s to give: {node or me} hosts it")
        if name := await handed.clash(conn, asked.library, asked.sources):
            raise Conflict(f"{me} has a source named {name} that isn't {asked.library}'s: it must be removed first")
        one = await hosting.begin(conn, asked.library, asked.reign, peer.no, way)
    if one is None or (one.peer, one.way) != (peer.no, way):
        raise Conflict(f"no hand-over of {asked.library} with {peer.symbol} under reign {asked.reign} is due at {me}")
    await hosting.tell(conn, one, theirs=asked.state)
    if way == "in" and asked.statement and one.state == "due":
        await hosting.keep(conn, one, statement=asked.statement)
    if way == "in" and (one.state, asked.state) == ("done", "done"):
        await peers.set_state(conn, peer.symbol, "revoked")
    return Told(state=one.state, statement=one.statement if way == "out" else b"", reason=one.reason)
