"""The core and its shell with one thing left out: each must be noticed (planted here, never in the product)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import msgspec

from catalog.payload import CLUSTERS, Change, Kind
from exchange import consumer, manifest, producer
from exchange.consumer import PARENT, TAKEN, Judged, Place, Plan, Verdict
from exchange.manifest import LINK, Content, Manifest
from exchange.model import Cursor, Key, Leaf, Outgoing, Trusted, Verifier, Waiting, leaf
from exchange.producer import Admitted, Cut
from tests.simulation import store
from tests.simulation.node import Node
from tests.simulation.steps import POINT, Pause, Steps
from tests.simulation.store import Merged, Own

Patch = tuple[object, str, Any]

_unpack, _cut, _fence, _plan = manifest.unpack, producer.cut, consumer.fence, consumer.plan
_repair, _mend, _admit, _verdict = producer.repair, Node.mend, producer.admit, consumer.verdict


def _unpack_anything(core: Manifest, content: bytes, verifier: Verifier) -> Content:
    return _unpack(
        msgspec.structs.replace(core, packed=len(content), digest=verifier.digest(content)), content, verifier
    )


def _trust_anybody(signed: bytes, trusted: Trusted) -> tuple[Manifest, bytes]:
    core = manifest.read(signed)
    return core, next(iter(trusted.values())).digest(signed)[:LINK]


def _fence_nothing(changes: Iterable[Change], heard: Mapping[Key, Leaf], *, repair: bool) -> list[tuple[Change, Leaf]]:
    return [(change, leaf(change)) for change in changes]


def _fence_as_ever(changes: Iterable[Change], heard: Mapping[Key, Leaf], *, repair: bool) -> list[tuple[Change, Leaf]]:
    return _fence(changes, heard, repair=False)


def _always_next(core: Manifest, link: bytes, cursor: Cursor) -> Verdict:
    return Verdict.NEXT


def _repair_always_next(core: Manifest, link: bytes, cursor: Cursor) -> Verdict:
    return Verdict.NEXT if core.repair else _verdict(core, link, cursor)


def _next_by_number(core: Manifest, link: bytes, cursor: Cursor) -> Verdict:
    return Verdict.NEXT if (core.epoch, core.seq) > cursor.place else Verdict.STALE


def _admit_by_number(outgoing: Outgoing, waiting: Sequence[Waiting], cursor: Cursor) -> Admitted:
    if cursor.place > outgoing.made.place:
        return Admitted(known=None)
    done = [segment for segment in waiting if segment.end.place <= cursor.place]
    rest = waiting[len(done) :]
    return Admitted(known=cursor, upto=done[-1].number if done else None, next=rest[0].number if rest else None)


def _admit_anything(outgoing: Outgoing, waiting: Sequence[Waiting], cursor: Cursor) -> Admitted:
    admitted = _admit(outgoing, waiting, cursor)
    if admitted.known is not None:
        return admitted
    return Admitted(known=cursor, next=waiting[0].number if waiting else None)


def _admit_all(outgoing: Outgoing, waiting: Sequence[Waiting], cursor: Cursor) -> Admitted:
    admitted = _admit(outgoing, waiting, cursor)
    return replace(admitted, upto=waiting[-1].number) if waiting and admitted.upto is not None else admitted


def _never_renew(*_: object) -> None:
    return None


def _cut_living(feed: Any, outgoing: Outgoing, rendered: Iterable[Change], told: Any, upto: int) -> Cut:
    return _cut(feed, outgoing, [change for change in rendered if change.payload], told, upto)


def _repair_another_s(outgoing: Outgoing, base: bytes, *what: Any, final: bool) -> Cut:
    return _repair(outgoing, outgoing.made.link, *what, final=final)


def _mend_on(self: Node, peer: str, buckets: Any, theirs: Any, base: bytes, *, final: bool) -> bytes:
    return _mend(self, peer, buckets, theirs, self.store.peers[peer].outgoing.made.link, final=final)


def _plan_without_poison(*args: Any) -> Plan:
    plan = _plan(*args)
    poisoned = {(poison.change.kind, poison.change.id) for poison in plan.poison if poison.change}
    return replace(plan, heard=tuple(line for line in plan.heard if line.key not in poisoned))


def _checkpoint_first(self: Node, peer: str, plan: Plan, judged: Judged) -> Steps[None]:
    self.advance(peer, plan)
    yield POINT
    yield Pause(0.02)
    self.land(peer, plan, judged)


def _commit_later(self: Node, peer: str, plan: Plan, judged: Judged) -> Steps[None]:
    def later() -> Steps[None]:
        yield Pause(1.0)
        self.land(peer, plan, judged)
        self.advance(peer, plan)

    yield from ()
    self.spawn(later())


def _told_first(self: Node, peer: str, cut: Cut, base: bytes) -> Steps[int]:
    self.store.peers[peer].told.update((line.key, line) for line in cut.told)
    yield POINT
    yield Pause(0.02)
    return self.commit_cut(peer, cut, base) if self.store.peers[peer].outgoing.made.link == base else 0


def _draw_first(self: Node, title: str, change: Callable[[Own | None], Own], work: float) -> Steps[None]:
    seq = self.store.draw()
    yield Pause(work)
    yield POINT
    self.store.own[title] = own = change(self.store.own.get(title))
    self.store.rows[title] = max(seq, self.store.rows.get(title, 0))
    self.watch.wrote(self.symbol, title, own.text)


def _only_what_is_said(now: Merged, before: Merged) -> bool:
    return now[:2] != before[:2]


_MERGE_WHAT_PARENTS_SAY = {**TAKEN, (PARENT, CLUSTERS): {Kind.BIB: Place.INBOX}}

MUTANTS: Mapping[str, tuple[Patch, ...]] = {
    "no digest check": ((manifest, "unpack", _unpack_anything),),
    "no signature check": ((manifest, "verify", _trust_anybody),),
    "no version fence": ((consumer, "fence", _fence_nothing),),
    "no cursor check": ((consumer, "verdict", _always_next),),
    "no epoch": ((producer, "outrun", _never_renew),),
    "checkpoint outside the transaction": ((Node, "apply", _checkpoint_first),),
    "acknowledged before the commit": ((Node, "apply", _commit_later),),
    "told outside the segment's transaction": ((Node, "write", _told_first),),
    "naive feed": ((Node, "edit", _draw_first),),
    "no tombstones": ((producer, "cut", _cut_living),),
    "no reconcile after a restore": ((producer, "admit", _admit_anything),),
    "numbers instead of links": ((producer, "admit", _admit_by_number), (consumer, "verdict", _next_by_number)),
    "what was sent is taken for acknowledged": ((producer, "admit", _admit_all),),
    "repair without force": ((consumer, "fence", _fence_as_ever),),
    "stale repair accepted": ((consumer, "verdict", _repair_always_next),),
    "a reconcile ends another": ((producer, "repair", _repair_another_s), (Node, "mend", _mend_on)),
    "echo sent up again": ((consumer, "TAKEN", _MERGE_WHAT_PARENTS_SAY),),
    "a child that comes or goes is no news": ((store, "is_news", _only_what_is_said),),
    "poison not heard of": ((consumer, "plan", _plan_without_poison),),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Run with this mutant."""
    with ExitStack() as stack:
        for target, attribute, mutant in MUTANTS[name]:
            stack.enter_context(mock.patch.object(target, attribute, mutant))
        yield
