"""How fast records pass from one node to another: each step alone, both nodes at work, and beside an OAI-PMH harvest.

The steps run one after the other, in this process and the two databases: *produce* reads the feed and makes signed
segments, *verify* reads them again, *apply* lands them with their checkpoint, *again* lands what is there already. End
to end both nodes run as their users run them, until all is acknowledged. The harvest is sickle's, from the same child.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import sickle

from bench import cpu, pair
from bench.cpu import Spent
from bench.node import Failed
from bench.options import Options
from bench.pair import End
from bench.report import Report, Row
from catalog import arrivals, ledgers, peers, streams
from catalog.database import pool
from catalog.database.pool import Database
from catalog.ledgers import Ledger
from catalog.payload import CLUSTERS
from catalog.work import leases
from catalog.work.queue import PgQueue
from config import settings
from exchange import ends, feed, manifest, receiving, running
from exchange.ends import Me, Peer
from exchange.giving import Parcel
from exchange.model import START
from node import identity

SIZE = 100_000
HARVESTED = 20_000  # records of the harvest, at most: it is slow
PATIENCE = 3600.0  # seconds
LOOK = 0.1  # seconds between looks at how far it is: each costs a little of what is measured


@dataclass(slots=True, kw_only=True)
class Steps:
    """What each step took."""

    produce: Spent = field(default_factory=Spent)
    verify: Spent = field(default_factory=Spent)
    apply: Spent = field(default_factory=Spent)
    again: Spent = field(default_factory=Spent)
    segments: int = 0
    bytes: int = 0  # of all segments as they travel


def run(given: Options) -> Report:
    """Measure."""
    count = given.size or SIZE
    with pair.joined() as (child, parent):
        asyncio.run(pair.fill(child, count))
        steps = asyncio.run(_steps(child, parent, count))
    with pair.joined() as (child, parent):
        asyncio.run(pair.fill(child, count))
        whole = asyncio.run(_whole(child, parent))
        harvest = _harvest(child, min(count, HARVESTED))
    harvested = min(count, HARVESTED)
    rates = [
        *_rates("produce (feed to signed segments)", steps.produce, count, "≥ 30,000"),
        *_rates("verify and decode", steps.verify, count),
        *_rates("apply (landed, with checkpoint)", steps.apply, count, "≥ 30,000"),
        *_rates("apply again (nothing new)", steps.again, count),
        *_rates("end to end, both nodes running", whole, count),
        *_rates("OAI-PMH harvest with sickle", harvest, harvested),
    ]
    slower = max(steps.produce.wall, steps.apply.wall) / count
    rows = [
        *rates,
        Row(name="times the harvest, produce or apply", value=harvest.wall / harvested / slower, unit="", goal="≥ 12"),
        Row(name="times the harvest, end to end", value=harvest.wall / harvested / (whole.wall / count), unit=""),
        Row(name="times the harvest, end to end, CPU", value=harvest.cpu / harvested / (whole.cpu / count), unit=""),
        Row(name="on the wire", value=steps.bytes / count, unit="bytes/record"),
        Row(name="segments", value=steps.segments, unit=""),
    ]
    notes = (
        "CPU: this process, the nodes' and PostgreSQL's; end to end stops when all is landed and acknowledged, "
        "without PREPARE and PLACE",
    )
    return Report(bench="exchange", size=count, rows=tuple(rows), notes=notes)


def _rates(name: str, taken: Spent, count: int, goal: str = "") -> list[Row]:
    return [
        Row(name=name, value=count / taken.wall, unit="records/s", goal=goal),
        Row(name=f"{name}, CPU", value=count / max(taken.cpu, 1e-9), unit="records/cpu-s"),
    ]


async def side(of: End, other: End, database: Database) -> tuple[Me, Peer]:
    """A node and its peer as the exchange is given them."""
    keyring = identity.keyring(of.node.home, settings.load(of.node.home, {}))
    async with database.connection() as conn:
        return ends.me(of.symbol, keyring.key), ends.peer(await peers.get(conn, other.symbol))


async def _steps(child: End, parent: End, count: int) -> Steps:
    steps = Steps()
    homes = child.node.home, parent.node.home
    async with pool.open(homes[0]) as below, pool.open(homes[1]) as above:
        me, to = await side(child, parent, below)
        parcels: list[Parcel] = []
        while True:
            with cpu.spent(homes[0]) as taken:
                made = await feed.cut(below, me, to, CLUSTERS)
            if not made:
                break
            steps.produce.add(taken)
            parcels += await _acknowledged(below, to)
        taker, giver = await side(parent, child, above)
        with cpu.spent() as steps.verify:
            read = sum(_read(parcel, giver) for parcel in parcels)
        with cpu.spent(homes[1]) as steps.apply:
            await _take(above, taker, giver, parcels)
        async with above.transaction() as conn:
            stands = await arrivals.lock(conn, giver.no, CLUSTERS)
            await arrivals.move(conn, giver.no, CLUSTERS, stands, START)
        with cpu.spent(homes[1]) as steps.again:
            await _take(above, taker, giver, parcels)
        async with above.connection() as conn:
            heard = await ledgers.alive(conn, Ledger.HEARD, giver.no, CLUSTERS)
    if not count == read == heard:
        raise Failed(f"{count} records were published, {read} were in segments and {heard} heard of")
    steps.segments = len(parcels)
    steps.bytes = sum(len(manifest.join(parcel.manifest, parcel.content)) for parcel in parcels)
    return steps


async def _acknowledged(database: Database, to: Peer) -> list[Parcel]:
    """The segments that wait, as if the peer had applied them."""
    async with database.transaction() as conn:
        waiting = await feed.waiting(conn, to, CLUSTERS)
        found = [await streams.segment(conn, to.no, CLUSTERS, one.number) for one in waiting]
        await streams.move_known(conn, to.no, CLUSTERS, waiting[-1].end, waiting[-1].number)
    return [Parcel(link=one.link, manifest=one.manifest, content=one.content) for one in found]


def _read(parcel: Parcel, giver: Peer) -> int:
    core, _ = manifest.verify(parcel.manifest, giver.trusted)
    return len(manifest.unpack(core, parcel.content, giver.trusted[core.suite]).changes)


async def _take(database: Database, me: Me, giver: Peer, parcels: Sequence[Parcel]) -> None:
    queue = PgQueue(database.dsn)
    for parcel in parcels:
        await receiving.take(database, queue, me, giver, CLUSTERS, parcel.manifest, parcel.content)


async def _whole(child: End, parent: End) -> Spent:
    """Both nodes run; the child may not speak to its parent before the clock runs."""
    async with pool.open(child.node.home) as database:
        _, to = await side(child, parent, database)
        await _turn(database, parent, "suspended")
        with parent.node.running("web", "exchange"), child.node.running("web", "exchange"):
            await _at_work(database)
            with cpu.spent(child.node.home, parent.node.home) as taken:
                await _turn(database, parent, "active")
                await _told(database, to)
        return taken


async def _turn(database: Database, parent: End, state: peers.State) -> None:
    async with database.transaction() as conn:
        await peers.set_state(conn, parent.symbol, state)


async def _at_work(database: Database) -> None:
    """Until the exchange role has its lease."""
    while True:
        async with database.connection() as conn:
            if await leases.holder(conn, running.LEASE):
                return
        await asyncio.sleep(0.02)


async def _told(database: Database, to: Peer) -> None:
    """Until the parent has acknowledged everything."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        async with database.connection() as conn:
            head = await feed.head(conn, CLUSTERS)
            stands = await feed.outgoing(conn, to, CLUSTERS)
        if stands.known.seq == head.last and not stands.held_up:
            return
        await asyncio.sleep(LOOK)
    raise Failed("the parent has not acknowledged everything in an hour")


def _harvest(child: End, count: int) -> Spent:
    with child.node.running("web"), cpu.spent(child.node.home) as taken:
        found = sickle.Sickle(f"{child.address}/oai").ListRecords(metadataPrefix="marcxml")
        got = sum(1 for _ in itertools.islice(found, count))
    if got != count:
        raise Failed(f"the harvest brought {got} of {count} records")
    return taken
