"""How this node stands in the network: the nodes that it knows, and its streams to and from its peers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from catalog import changes, clusters, heads, ledgers, libraries, loads, peers
from catalog.connection import Connection
from catalog.ledgers import Ledger
from catalog.model import Library
from catalog.peers import Peer
from catalog.streams import Lag
from node import telling

State = Literal["even", "flowing", "listening", "held_up", "silent", "trouble"]
Relation = Literal["self", "parent", "child", "further"]

FRESH = 1.0  # seconds that a count is shown at least …
SHARE = 20  # … and this many times as long as counting took, so that it never costs more than a twentieth


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A node that this one knows of."""

    symbol: str
    name: str
    relation: Relation
    path: str = ""  # of a peer: uplink or membership
    state: str = ""  # of a peer: active, suspended, revoked
    address: str = ""  # of a parent
    libraries: tuple[Library, ...] = ()  # that it hosts
    seen: datetime | None = None
    trouble: str = ""  # why the last exchange with it failed
    alarm: str = ""  # why its audit log is not what it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one node tells another on one channel, as this end knows it."""

    origin: str
    to: str
    channel: str
    records: int  # that stand: told, or heard where this node is told
    behind: int | None  # states that the other has not acknowledged; None = only the other end knows
    state: State
    reason: str = ""  # of a state that needs one


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the node has to do still before others can be told."""

    preparing: int  # loads
    to_merge: int  # clusters
    epoch: int  # of the change feed
    last: int  # place in it


@dataclass(slots=True)
class Counts:
    """How many records were told and heard, counted anew at most every so often: counting reads every line."""

    _kept: dict[tuple[Ledger, int, str], tuple[int, float]] = field(default_factory=dict)  # count, good until

    async def of(self, conn: Connection, ledger: Ledger, peer: int, channel: str) -> int:
        """Lines that stand, tombstones left out."""
        key, now = (ledger, peer, channel), time.monotonic()
        count, until = self._kept.get(key, (0, 0.0))
        if now >= until:
            count = await ledgers.alive(conn, ledger, peer, channel)
            then = time.monotonic()
            self._kept[key] = count, then + max(FRESH, SHARE * (then - now))
        return count


async def look(conn: Connection, counts: Counts, symbol: str, name: str) -> tuple[list[Known], list[Flow]]:
    """The nodes that `symbol` knows, itself first, and its streams."""
    every = await peers.every(conn)
    flows = []
    for lag in await telling.lags(conn):
        told = await counts.of(conn, Ledger.TOLD, lag.no, lag.channel)
        heard = await counts.of(conn, Ledger.HEARD, lag.no, lag.channel)
        flows += between(symbol, lag, told=told, heard=heard)
    alarms = {other: each.reason for other, each in (await heads.alarms(conn)).items()}
    return known(symbol, name, every, await libraries.every(conn), alarms), flows


async def work(conn: Connection) -> Work:
    """What is under way here."""
    epoch, last = await changes.head(conn)
    return Work(
        preparing=await loads.under_way(conn),
        to_merge=await clusters.dirty_count(conn),
        epoch=epoch,
        last=last,
    )


def known(
    symbol: str, name: str, every: Iterable[Peer], directory: Sequence[Library], alarms: Mapping[str, str]
) -> list[Known]:
    """Nodes in order: this one, parents, children, and those that only the directory tells of. `alarms`: about audit
    logs, by symbol.
    """
    hosted: dict[str, list[Library]] = defaultdict(list)
    for each in directory:
        hosted[each.node or symbol].append(each)
    names = {each.symbol: each.name for each in directory}
    found = [Known(symbol=symbol, name=name, relation="self", libraries=tuple(hosted.pop(symbol, ())))]
    for peer in sorted(every, key=lambda each: (each.role == "child", each.path != "uplink", each.symbol)):
        found.append(
            Known(
                symbol=peer.symbol,
                name=peer.name or names.get(peer.symbol, ""),
                relation=peer.role,
                path=peer.path,
                state=peer.state,
                address=peer.address,
                libraries=tuple(hosted.pop(peer.symbol, ())),
                seen=peer.seen_at,
                trouble=peer.trouble,
                alarm=alarms.get(peer.symbol, ""),
            )
        )
    for other in sorted(hosted):
        found.append(Known(symbol=other, name=names.get(other, ""), relation="further", libraries=tuple(hosted[other])))
    return found


def between(symbol: str, lag: Lag, *, told: int, heard: int) -> list[Flow]:
    """What goes to the peer of a lag and what comes from it, upward first."""
    apart: State | None = "trouble" if lag.trouble else None if telling.in_touch(lag) else "silent"
    outward = Flow(
        origin=symbol,
        to=lag.peer,
        channel=lag.channel,
        records=told,
        behind=lag.behind,
        state=apart or ("held_up" if lag.held_up else "flowing" if lag.behind else "even"),
        reason=lag.trouble or lag.held_up,
    )
    inward = Flow(
        origin=lag.peer,
        to=symbol,
        channel=lag.channel,
        records=heard,
        behind=None,
        state=apart or "listening",
        reason=lag.trouble,
    )
    return [outward, inward] if lag.role == "parent" else [inward, outward]
