"""The exchange of a node: cuts segments ahead for every peer, and keeps a link with every parent (shell).

One process a node, by lease. Everything is found by a look at the tables, so a signal that is lost delays nothing for
longer than `LOOK`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from catalog import corrections, directory, hosting, offering, peers, streams
from catalog.audit import KEPT_DAYS
from catalog.database.pool import Database
from catalog.hosting import Handover
from catalog.peers import PeerNo
from catalog.work import leases, lives
from catalog.work.queue import Queue
from config.errors import Retry, TianluError
from exchange import ends, feed, lanes, link, peer, spares
from exchange.auditing import Keeper
from exchange.ends import CHANNELS, FEEDS, Me, Peer
from exchange.feed import AHEAD
from exchange.handing import Handing, asking
from exchange.keys import Keyring
from exchange.linking import Linking
from exchange.moving import Moves, Wire
from exchange.spares import Alone
from protocols.http.guard import Rules

log = logging.getLogger(__name__)

LEASE = "exchange"
LEASE_SECONDS = 15
LOOK = 0.3  # seconds between looks for what is new
PAUSE = 0.5  # seconds between looks at a hand-over that waits
ALONE = 2.0  # the same, for a node without peers
DIRECTORY_EVERY = 2.0  # seconds between looks for libraries that changed

Connect = Callable[[peers.Peer], AbstractAsyncContextManager[Wire]]


@dataclass(frozen=True, slots=True)
class _Live:
    """A link with a parent, as the peer's row was when it was begun."""

    row: peers.Peer
    linking: Linking
    task: asyncio.Task[None]
    stack: contextlib.AsyncExitStack  # closes the connections


@dataclass(kw_only=True)
class Exchange:
    """The role, while its lease is held."""

    database: Database
    queue: Queue
    symbol: str
    keyring: Keyring
    connect: Connect
    alone: Alone = spares.nobody
    accepts: bool = False  # what parents correct, with nobody deciding
    keeper: Keeper
    links: dict[PeerNo, _Live] = field(default_factory=dict)
    cutting: dict[tuple[int, str], asyncio.Task[int]] = field(default_factory=dict)
    handing: dict[tuple[str, int], asyncio.Task[None]] = field(default_factory=dict)
    unreadable: dict[PeerNo, str] = field(default_factory=dict)  # why a peer's row makes no sense
    taking: frozenset[int] = frozenset()  # parents that hand a library over to this node
    seen: dict[PeerNo, datetime | None] = field(default_factory=dict)  # when parents had last talked with this node
    troubled: frozenset[PeerNo] = frozenset()  # parents whose links were in trouble at the last look

    @property
    def me(self) -> Me:
        """This node."""
        return ends.me(self.symbol, self.keyring.key)

    async def look(self) -> float:
        """One round: links as the table of peers says, and whatever is new cut. Seconds until the next one."""
        async with self.database.connection() as conn:
            known = [one for one in await peers.every(conn) if one.state == "active"]
            lags = await streams.lags(conn, {channel: FEEDS[channel] for channel in CHANNELS})
        peer_of = self._readable(known)
        parents = {one.no: one for one in known if one.role == "parent" and one.no in peer_of}
        for no in [no for no, live in self.links.items() if _changed(live.row, parents.get(no)) or live.task.done()]:
            await self._unlink(no)
        for no, row in parents.items():
            if no not in self.links:
                await self._link(row)
        self.wake()
        self.greet(parents)
        for lag in lags:
            to = peer_of.get(PeerNo(lag.no))
            if to and not lag.held_up and (lag.told < lag.last or lag.policy != to.published) and lag.waiting < AHEAD:
                self.begin_to_cut(to, lag.channel)
        self.keeper.look({no: (live.row.symbol, live.linking.moves.wire) for no, live in self.links.items()})
        await self._carry_on({one.no: one for one in known if one.no in peer_of})
        return LOOK if known else ALONE

    def wake(self) -> None:
        """Where a parent answers again the network may be back: nobody waits out a long pause then."""
        now = frozenset(no for no, live in self.links.items() if live.linking.link.trouble)
        if any(no in self.links for no in self.troubled - now):
            for no in now:
                self.links[no].linking.tell(lanes.Back())
        self.troubled = now

    def greet(self, parents: Mapping[PeerNo, peers.Peer]) -> None:
        """A parent that has dealt with a command of this node (it let it in again, say) deals with the link too."""
        for no, row in parents.items():
            apart = self.links[no].linking.link.state is not link.State.OPEN
            if apart and row.seen_at != self.seen.get(no, row.seen_at):
                self.links[no].linking.tell(lanes.Back())
            self.seen[no] = row.seen_at

    def _readable(self, known: Sequence[peers.Peer]) -> dict[PeerNo, Peer]:
        """Peers by number, without those whose rows make no sense: they must not stop the others."""
        found = {}
        for row in known:
            try:
                found[row.no] = ends.peer(row)
            except TianluError as error:
                if self.unreadable.get(row.no) != str(error):
                    log.error("nothing is exchanged with %s: %s", row.symbol, error)
                self.unreadable[row.no] = str(error)
            else:
                self.unreadable.pop(row.no, None)
        return found

    async def _carry_on(self, known: Mapping[PeerNo, peers.Peer]) -> None:
        """Libraries that move: the next step of each hand-over, unless one is under way."""
        async with self.database.connection() as conn:
            going = await hosting.going(conn)
        self.taking = frozenset(one.peer for one in going if one.way == "in")
        for one in going:
            row, running = known.get(PeerNo(one.peer)), self.handing.get((one.library, one.reign))
            if row is None or (running and not running.done()):
                continue
            live = self.links.get(row.no)
            if row.role == "parent" and live is None:
                continue
            handing = Handing(
                database=self.database,
                queue=self.queue,
                me=self.me,
                peer=ends.peer(row),
                alone=self.alone,
                wire=live.linking.moves.wire if live else None,
            )
            self.handing[one.library, one.reign] = asyncio.create_task(_hand(handing, one))

    async def refresh(self) -> None:
        """Tell what changed in the directory of libraries."""
        async with self.database.transaction() as conn:
            await directory.refresh(conn)
        async with self.database.transaction() as conn:
            await offering.supersede(conn)
        if self.accepts:
            async with self.database.transaction() as conn:
                await corrections.accept_open(conn, self.symbol)

    async def close(self) -> None:
        """End the links and what is being cut."""
        await self.keeper.close()
        for no in list(self.links):
            await self._unlink(no)
        tasks = [*self.cutting.values(), *self.handing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _link(self, row: peers.Peer) -> None:
        stack = contextlib.AsyncExitStack()
        wire = await stack.enter_async_context(self.connect(row))
        moves = _Shared(role=self, database=self.database, queue=self.queue, me=self.me, peer=ends.peer(row), wire=wire)
        linking = Linking(moves=moves)
        self.links[row.no] = _Live(row, linking, asyncio.create_task(linking.run()), stack)

    async def _unlink(self, no: PeerNo) -> None:
        live = self.links.pop(no)
        live.task.cancel()
        for failure in await asyncio.gather(live.task, return_exceptions=True):
            if isinstance(failure, Exception):
                log.error("the link with %s ended and begins anew: %s", live.row.symbol, failure)
        await live.stack.aclose()

    def begin_to_cut(self, to: Peer, channel: str) -> asyncio.Task[int]:
        """Cut, or go on with what is under way; how many segments."""
        running = self.cutting.get((to.no, channel))
        if running is None or running.done():
            running = self.cutting[to.no, channel] = asyncio.create_task(self._cut_now(to, channel))
        return running

    async def _cut_now(self, to: Peer, channel: str) -> int:
        made = 0
        try:
            live = self.links.get(PeerNo(to.no))
            spare = asking(live.linking.moves.wire) if live and to.no in self.taking else None
            made = await feed.cut(self.database, self.me, to, channel, spare=spare)
        except TianluError as error:
            log.warning("nothing is told %s on %s for now: %s", to.symbol, channel, error)
        except Exception:
            log.exception("nothing could be cut for %s on %s, a fault of ours", to.symbol, channel)
        else:
            live = self.links.get(PeerNo(to.no))
            if made and live:
                live.linking.tell(lanes.News(channel))
        return made


@dataclass(kw_only=True)
class _Shared(Moves):
    """Moves that don't cut what the role is cutting already."""

    role: Exchange

    async def cut(self, channel: str) -> int:
        return await asyncio.shield(self.role.begin_to_cut(self.peer, channel))


async def _hand(handing: Handing, one: Handover) -> None:
    """A step of a hand-over, and a pause where there was none to do."""
    try:
        if not await handing.go_on(one):
            await asyncio.sleep(PAUSE)
    except Exception:
        log.exception("the hand-over of %s with %s stopped, a fault of ours", one.library, handing.peer.symbol)
        await asyncio.sleep(PAUSE)


def _changed(was: peers.Peer, now: peers.Peer | None) -> bool:
    """Must the link begin anew? What it writes itself (when it was seen, troubles) doesn't count."""
    return now is None or any(
        getattr(was, name) != getattr(now, name) for name in ("symbol", "key", "former", "address", "policy", "path")
    )


async def run(
    database: Database,
    queue: Queue,
    *,
    symbol: str,
    keyring: Keyring,
    rules: Rules,
    stop: asyncio.Event,
    alone: Alone = spares.nobody,
    accepts: bool = False,
    audited_days: int = KEPT_DAYS,
) -> None:
    """Hold the lease when it is free, and exchange until `stop`. `alone`: how this node merges a record by itself;
    `accepts`: it does what parents correct, with nobody deciding; `audited_days`: how long the audit log is kept.
    """

    def connect(row: peers.Peer) -> AbstractAsyncContextManager[Wire]:
        return peer.connect(database, keyring, symbol, row, rules)

    holder = lives.name()
    while not stop.is_set():
        try:
            async with _leased(database, holder) as term:
                if term is not None:
                    role = Exchange(
                        database=database,
                        queue=queue,
                        symbol=symbol,
                        keyring=keyring,
                        connect=connect,
                        alone=alone,
                        accepts=accepts,
                        keeper=Keeper(database=database, days=audited_days),
                    )
                    await _held(role, database, holder, term, stop)
        except Retry as error:
            log.warning("the exchange pauses: %s", error)
        await _pause(stop, LOOK)


async def _held(role: Exchange, database: Database, holder: str, term: int, stop: asyncio.Event) -> None:
    """Work until `stop`, or until another process has the lease."""
    loop = asyncio.get_running_loop()
    renewed = refreshed = loop.time()
    try:
        await role.refresh()
        while not stop.is_set():
            pause = await role.look()
            if loop.time() - refreshed > DIRECTORY_EVERY:
                await role.refresh()
                refreshed = loop.time()
            if loop.time() - renewed > LEASE_SECONDS / 3:
                async with database.connection() as conn:
                    if not await leases.renew(conn, LEASE, holder, term, LEASE_SECONDS):
                        return
                renewed = loop.time()
            await _pause(stop, pause)
    finally:
        await role.close()


@contextlib.asynccontextmanager
async def _leased(database: Database, holder: str) -> AsyncIterator[int | None]:
    """The lease's term, None if a living process has it."""
    async with database.connection() as conn:
        held_by = await leases.holder(conn, LEASE)
        if held_by and lives.ended(held_by):
            await leases.bury(conn, LEASE, held_by)
        term = await leases.acquire(conn, LEASE, holder, LEASE_SECONDS)
    try:
        yield term
    finally:
        if term is not None:
            with contextlib.suppress(Retry):
                async with database.connection() as conn:
                    await leases.release(conn, LEASE, holder, term)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
