"""Carries hand-overs on, one step at a time, at either end (shell). What follows on what is in `exchange.handover`.

Everything is in the database: whoever does the next step, in whichever process, finds what was done. A step and the
state that follows on it are written in one transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from catalog import (
    clusters,
    dictionaries,
    directory,
    handed,
    hosting,
    inbox,
    ledgers,
    loads,
    peers,
    quarantine,
    sources,
    spare,
    streams,
)
from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.hosting import Handover
from catalog.ledgers import Ledger
from catalog.model import LoadState, Source
from catalog.payload import CLUSTERS, HANDOVER
from catalog.work.queue import Queue
from config.errors import Conflict, TianluError
from exchange import feed, greeting, handover, parting, raws, spares
from exchange.ends import Me, Peer
from exchange.giving import HeldUp
from exchange.handover import Ask, Had, Have, Side, Statement, Step, Told, Turn
from exchange.lanes import Lane, Outcome, Way
from exchange.moving import Moves, Wire
from exchange.peer import Barred
from exchange.spares import Alone

log = logging.getLogger(__name__)

PATH, HAVE = "/x/handover", "/x/have"


class Waits(Conflict):
    """The step can't be done yet; the message says what it waits for."""

    code = "waits"


@dataclass(kw_only=True)
class Handing:
    """One end of the hand-overs with one peer."""

    database: Database
    queue: Queue
    me: Me
    peer: Peer
    alone: Alone
    wire: Wire | None = None  # to a parent
    told: Told = field(default_factory=lambda: Told(state=""))  # a parent's latest answer

    async def go_on(self, one: Handover) -> bool:
        """The next step, if it can be done now; True if it was."""
        side = Side((self.peer.role, one.way))
        try:
            theirs = await self._ask(one) if self.wire else one.theirs
            turn = handover.due(side, one.state, theirs)
            if turn is None:
                return False
            await STEPS[turn.step](self, one, turn)
        except Waits as error:
            await self._say(one, str(error))
            return False
        except TianluError as error:
            if str(error) != one.reason:
                log.warning("the hand-over of %s with %s waits: %s", one.library, self.peer.symbol, error)
            await self._say(one, str(error))
            return False
        log.info("the hand-over of %s with %s: %s", one.library, self.peer.symbol, turn.then)
        return True

    async def _say(self, one: Handover, reason: str) -> None:
        async with self.database.transaction() as conn:
            await hosting.tell(conn, one, reason=reason)

    async def _ask(self, one: Handover) -> str:
        """Say our state, and hear the parent's."""
        assert self.wire is not None
        gives = one.way == "out"
        told = Ask(
            library=one.library,
            reign=one.reign,
            way=one.way,
            state=one.state,
            statement=one.statement if gives else b"",
            sources=await self._names(one) if gives and one.state == "due" else (),
        )
        try:
            answer = await self.wire.send("POST", PATH, greeting.encode(told))
            if answer.status != 200:
                raise self.wire.refusal(answer)
        except Barred:
            if not gives or one.state != "moved":
                raise
            return "done"  # the parent needs this node no more, and only its answer that it is done was lost
        self.told = greeting.decode(answer.body, Told)
        if self.told.statement and not one.statement:
            async with self.database.transaction() as conn:
                await hosting.keep(conn, one, statement=self.told.statement)
        if self.told.reason:
            await self._say(one, f"{self.peer.symbol}: {self.told.reason}")
        return self.told.state

    async def _names(self, one: Handover) -> tuple[str, ...]:
        async with self.database.connection() as conn:
            return tuple(source.name for source in await handed.sources(conn, one.library))

    async def wait(self, one: Handover, turn: Turn) -> None:
        """From now on nothing new is begun: whoever begins a load holds the same locks."""
        async with self.database.transaction() as conn:
            for source in await handed.sources(conn, one.library):
                await sources.lock(conn, source.no)
            await _turn(conn, one, turn)

    async def freeze(self, one: Handover, turn: Turn) -> None:
        """See open loads through; then sign that this node gives way, and write down what it has."""
        async with self.database.transaction() as conn:
            of = await handed.sources(conn, one.library)
            await _see_through(conn, of, self.peer.symbol)
        await raws.fill(self.database, Ledger.TOLD, self.peer, raws.standing(self.database, of))
        if self.peer.role == "child":
            await self._lay_in(of)
        async with self.database.transaction() as conn:
            statement = Statement(
                library=one.library,
                reign=one.reign,
                old=self.me.symbol,
                new=self.peer.symbol,
                suite=self.me.signer.suite,
                sources=await handed.habits(conn, one.library),
                made=int(time.time()),
            )
            await hosting.move(conn, one.library, self.peer.symbol, one.reign)
            await hosting.keep(conn, one, statement=handover.sign(statement, self.me.signer))
            await _turn(conn, one, turn)
            await directory.refresh(conn)

    async def _lay_in(self, of: list[Source]) -> None:
        async with self.database.transaction() as conn:
            await spare.forget(conn, self.peer.no)
            known = await dictionaries.every(conn)
        async for source, rows in raws.standing(self.database, of):
            await spares.lay_in(self.database, self.peer, source, rows, known, self.alone)

    async def accept(self, one: Handover, turn: Turn) -> None:
        """Believe the old host's statement if it is true, and write down what is here of the library already."""
        async with self.database.connection() as conn:
            found = await hosting.find(conn, one.library, one.reign)
            assert found is not None
            of = await handed.sources(conn, one.library)
            by = await hosting.kept_by(conn, one.library)
        told = handover.verify(
            found.statement,
            self.peer.trusted,
            library=one.library,
            reign=one.reign,
            old=self.peer.symbol,
            new=self.me.symbol,
        )
        named = {each.name for each in told.sources}
        if self.peer.role == "child":  # the records went when the library left
            pages = raws.retired(self.database, by)
        else:
            pages = raws.standing(self.database, [source for source in of if source.name in named])
        await raws.fill(self.database, Ledger.HEARD, self.peer, pages)
        async with self.database.transaction() as conn:
            for source in of:
                await sources.lock(conn, source.no)
            if busy := await handed.open_loads(conn, [source.no for source in of]):
                load, state, name = busy[0]
                raise Waits(f"load {load} of {name} here is {state}: it must be over before {one.library} arrives")
            await handed.settle(conn, one.library, told.sources)
            await hosting.move(conn, one.library, "", one.reign)
            await hosting.keep(conn, one, mark=await loads.last(conn))
            await _turn(conn, one, turn)
            await directory.refresh(conn)

    async def carry(self, one: Handover, turn: Turn) -> None:
        """Move source records until both ends have proved that they have the same. Only the child comes here."""
        assert self.wire is not None
        lane = Lane(HANDOVER, Way.DOWN if one.way == "in" else Way.UP)
        moves = Moves(database=self.database, queue=self.queue, me=self.me, peer=self.peer, wire=self.wire, wait=0.0)
        move = moves.pull if lane.way is Way.DOWN else moves.push
        while True:
            try:
                while await move(HANDOVER) is Outcome.MOVED:
                    pass
            except HeldUp:
                pass
            report = await moves.look(lane)
            if report.equal and not report.waiting:
                break
            await moves.mend(lane, reason=f"{one.library} moves")
        async with self.database.transaction() as conn:
            await _turn(conn, one, turn)

    async def restore(self, one: Handover, turn: Turn) -> None:
        """Bring back from here what the other host has just so."""
        async with self.database.transaction() as conn:
            by = await hosting.kept_by(conn, one.library)
            await raws.restore(conn, self.queue, self.peer, by, f"back from {self.peer.symbol}")
            await _turn(conn, one, turn)

    async def land(self, one: Handover, turn: Turn) -> None:
        """Everything that arrived is placed and merged."""
        async with self.database.transaction() as conn:
            await _placed(conn, await handed.sources(conn, one.library))
            await _turn(conn, one, turn)

    async def rise(self, one: Handover, turn: Turn) -> None:
        """The parent has applied all that this node has to tell."""
        async with self.database.transaction() as conn:
            head = await feed.head(conn, CLUSTERS)
            stands = await feed.outgoing(conn, self.peer, CLUSTERS)
            waiting = await streams.waiting_count(conn, self.peer.no, CLUSTERS)
            if stands.held_up or waiting or stands.made.seq < head.last:
                raise Waits(f"{self.peer.symbol} has not applied all of this node's records yet")
            await _turn(conn, one, turn)

    async def retire(self, one: Handover, turn: Turn) -> None:
        """Take away the copy that counts no more: the other one is placed and merged."""
        async with self.database.transaction() as conn:
            hosted = await handed.sources(conn, one.library)
            fed = [] if self.peer.source is None else [await sources.by_number(conn, self.peer.source)]
            going, staying = (hosted, fed) if one.way == "out" else (fed, hosted)
            await _placed(conn, [*going, *staying])
            begun = await raws.retire(conn, self.queue, going, f"{one.library} has moved, reign {one.reign}")
            await hosting.keep(conn, one, loads=begun)
            await _turn(conn, one, turn)

    async def drop(self, one: Handover, turn: Turn) -> None:
        """Both ends have forgotten it."""
        async with self.database.transaction() as conn:
            if await hosting.drop(conn, one, turn.state):
                await parting.forget_given(conn, self.peer.no)

    async def clear(self, one: Handover, turn: Turn) -> None:
        """Forget what only the hand-over needed."""
        parts = Side((self.peer.role, one.way)) is Side.CHILD_GIVES
        if parts and self.wire is not None:  # the library has no node any more: the parent revokes its key
            last = Ask(library=one.library, reign=one.reign, way=one.way, state="done")
            await self.wire.send("POST", PATH, greeting.encode(last))
        async with self.database.transaction() as conn:
            found = await hosting.find(conn, one.library, one.reign)
            for number in found.loads if found else ():
                if (await loads.get(conn, number)).state is not LoadState.DONE:
                    raise Waits(f"load {number} takes away the copy that counts no more")
            if one.way == "out":
                await parting.forget_given(conn, self.peer.no)
                await handed.pause(conn, one.library)
            else:
                await ledgers.forget(conn, Ledger.HEARD, self.peer.no, HANDOVER)
            if parts:
                await peers.set_state(conn, self.peer.symbol, "revoked")
            await _turn(conn, one, turn)


STEPS: Mapping[Step, Callable[[Handing, Handover, Turn], Awaitable[None]]] = {
    Step.WAIT: Handing.wait,
    Step.FREEZE: Handing.freeze,
    Step.ACCEPT: Handing.accept,
    Step.CARRY: Handing.carry,
    Step.RESTORE: Handing.restore,
    Step.LAND: Handing.land,
    Step.RISE: Handing.rise,
    Step.RETIRE: Handing.retire,
    Step.CLEAR: Handing.clear,
    Step.DROP: Handing.drop,
}


async def _turn(conn: Connection, one: Handover, turn: Turn) -> None:
    if not await hosting.turn(conn, one, turn.then):
        raise Conflict(f"another process has carried on the hand-over of {one.library}")


async def _placed(conn: Connection, of: list[Source]) -> None:
    if busy := await handed.open_loads(conn, [source.no for source in of]):
        load, state, name = busy[0]
        raise Waits(f"load {load} of {name} is {state}")
    if left := await clusters.dirty_count(conn):
        raise Waits(f"{left} clusters are still to be merged")


async def _see_through(conn: Connection, of: list[Source], host: str) -> None:
    """Loads that somebody works on are waited for; those that nobody goes on with are refused, and say so."""
    for source in of:
        await sources.lock(conn, source.no)
    busy = []
    for load, state, name in await handed.open_loads(conn, [source.no for source in of]):
        if state not in ("held", "left"):
            busy.append(f"load {load} of {name} is {state}")
            continue
        why = f"{name} has moved to the node {host}: load it there"
        await loads.turn(conn, load, LoadState.FAILED, since=(LoadState.LANDING, LoadState.HELD), reason=why)
        await inbox.discard(conn, load)
        await quarantine.forget(conn, load)
    if busy:
        raise Waits("; ".join(busy))


def asking(wire: Wire) -> spares.Ask:
    """How a parent is asked which of these proofs it can open."""

    async def ask(proofs: list[bytes]) -> set[bytes]:
        answer = await wire.send("POST", HAVE, greeting.encode(Have(proofs=tuple(proofs))))
        if answer.status != 200:
            raise wire.refusal(answer)
        return {proofs[place] for place in greeting.decode(answer.body, Had).places if 0 <= place < len(proofs)}

    return ask
