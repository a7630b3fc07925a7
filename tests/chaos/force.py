"""Kill both nodes of an exchange again and again, and see that nothing is lost or comes twice.

Kills come at seeded places of the stream; so do edits, and some of either while the last kill is still being got over.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import feeding
from catalog.model import cluster_id
from catalog.payload import CLUSTERS
from tests.chaos.nodes import VICTIMS, Couple, Node

LOOK = 0.05  # seconds between looks at how far the stream is
JITTER = 0.5  # seconds after a place is reached, at most, before the blow falls
STILL = 30.0  # seconds without progress, with everything back, after which the stream counts as stuck
EDITS = 50  # clusters of one edit
PATIENCE = 120.0  # seconds for what shall be killed to be there
BACK = 5.0  # seconds that a killed process may need to be there again on a busy machine, on top of STILL

Say = Callable[[str], None]


class Broken(AssertionError):
    """A promise of the exchange was not kept."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is done to the nodes, and what must be there in the end."""

    records: int
    kills: int
    seed: int
    edits: int = 10
    alive: set[int] = field(default_factory=set)  # clusters that stand at the child
    killed: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0  # seconds without progress

    async def run(self, couple: Couple, say: Say) -> None:
        """Start both nodes, strike at every place that was drawn, and wait until all has landed."""
        chance = random.Random(self.seed)
        self.alive = set(couple.clusters)
        blows = [(chance.randrange(self.records), "kill") for _ in range(self.kills)]
        blows += [(chance.randrange(self.records), "edit") for _ in range(self.edits)]
        for node in (couple.parent, couple.child):
            node.start()
        for place, blow in sorted(blows):
            await self._reach(couple, place)
            await asyncio.sleep(chance.random() * JITTER)
            if blow == "kill":
                await self._kill(couple, chance, say)
            else:
                await self._edit(couple.child, chance)
        await self._finish(couple)

    async def _reach(self, couple: Couple, place: int) -> None:
        """Until the parent has applied the stream beyond a place."""
        since, last = time.monotonic(), -1
        while (heard := await couple.heard()) <= place:
            if heard > last:
                since, last = time.monotonic(), heard
            self._look(couple, time.monotonic() - since)
            await asyncio.sleep(LOOK)

    async def _finish(self, couple: Couple) -> None:
        since, last = time.monotonic(), -1
        while not await couple.landed():
            if (heard := await couple.heard()) > last:
                since, last = time.monotonic(), heard
            self._look(couple, time.monotonic() - since)
            await asyncio.sleep(LOOK)

    def _look(self, couple: Couple, still: float) -> None:
        for node in (couple.child, couple.parent):
            node.revive()
        self.longest = max(self.longest, still)
        if still > STILL + BACK:
            raise Broken(
                f"nothing has moved for {still:.0f} s; the child's log ends\n{couple.child.log[-2000:]}\n"
                f"and the parent's\n{couple.parent.log[-2000:]}"
            )

    async def _kill(self, couple: Couple, chance: random.Random, say: Say) -> None:
        name = chance.choice(("child", "parent"))
        victim = chance.choice(VICTIMS)
        async with asyncio.timeout(PATIENCE):
            await (couple.child if name == "child" else couple.parent).kill(victim)
        self.killed[f"{name}'s {victim}"] += 1
        say(f"kill {self.killed.total()} of {self.kills}: the {name}'s {victim}, at {await couple.heard():,}")

    async def _edit(self, child: Node, chance: random.Random) -> None:
        """Some clusters get another title, some go, one of them into another."""
        chosen = chance.sample(sorted(self.alive), EDITS)
        gone, changed = chosen[:5], chosen[5:]
        self.alive -= set(gone)
        versions = [feeding.version(cluster, chance.randrange(1, 1000)) for cluster in changed]
        versions += [feeding.gone(gone[0], heir=changed[0]), *(feeding.gone(cluster) for cluster in gone[1:])]
        await child.publish(versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is there in the end."""

    landed: int  # segments, each as a load of its own
    sends: int
    again: int  # segments that were begun to be sent once more
    told: int  # keys that stand
    reconciles: int  # that the nodes began by themselves


async def landed(couple: Couple, trial: Trial) -> Outcome:
    """Everything has landed, once, and nothing else has; Broken if not."""
    loads = await couple.parent.fetch("select fingerprint from load where mode = 'feed'")
    links = Counter(row["fingerprint"].hex() for row in loads)
    _equal("segments that landed more than once", [link for link, n in links.items() if n > 1], [])
    _equal("segments that landed and were never sent", set(links) - set(couple.proxy.up), set())
    heard = await couple.parent.fetch(
        "select id, epoch, seq, digest from heard where channel = $1 and digest is not null and not gone", CLUSTERS
    )
    told = await couple.child.fetch(
        "select id, epoch, seq, digest from told where channel = $1 and digest is not null", CLUSTERS
    )
    known = {row["id"]: tuple(row) for row in told}
    wrong = [row["id"] for row in heard if known.get(row["id"]) != tuple(row)]
    _equal("keys that were heard otherwise than they were told", wrong, [])
    alive = {cluster_id(couple.child.end.symbol, cluster) for cluster in trial.alive}
    _equal("keys that stand at one end alone", {row["id"] for row in heard} ^ alive, set())
    reconciles = couple.child.log.count("reconciled ")
    again = couple.proxy.again
    if again > trial.kills:
        raise Broken(f"{again} segments were sent again for {trial.kills} kills")
    _equal("reconciles that a kill has made necessary", reconciles, 0)
    return Outcome(landed=len(loads), sends=couple.proxy.sends, again=again, told=len(heard), reconciles=reconciles)


async def placed(couple: Couple, trial: Trial, patience: float) -> None:
    """What landed became source records, once; Broken if not."""
    until = time.monotonic() + patience
    while not await couple.placed():
        if time.monotonic() > until:
            raise Broken(f"the parent has not placed in {patience:.0f} s what landed")
        await asyncio.sleep(LOOK)
    told, keeps = await couple.kept()
    _equal("records that the parent lacks or has too many", set(told) ^ set(keeps), set())
    _equal("records with another digest", [ident for ident, digest in told.items() if keeps[ident] != digest], [])
    _equal("records that stand", len(told), len(trial.alive))
    (row,) = await couple.parent.fetch(
        "select sum(added) - sum(deleted) stand, sum(unchanged) unchanged, sum(unreadable + returned) refused "
        "from load where mode = 'feed'"
    )
    _equal("records that were added and not deleted", row["stand"], len(trial.alive))
    _equal("changes that were placed twice", row["unchanged"], 0)
    _equal("changes that were refused", row["refused"], 0)


async def equal(couple: Couple) -> None:
    """`tianlu reconcile` finds no difference; Broken if it does."""
    rows = await couple.child.asks("reconcile", couple.parent.end.symbol, allowed=(0, 1))
    _equal("streams whose ends differ", [row for row in rows if not row["equal"]], [])


def _equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Broken(f"{what}: {str(found)[:500]} instead of {wanted}")
