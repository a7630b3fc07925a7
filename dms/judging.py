"""Judge a whole load before any of it is published (pure): repeats of an id, and rates beyond the limits.

A first pass over the tallies finds the few ids that come twice (by 64-bit hash, so that a million ids take 8 MB); a
second looks at those alone. The result does not depend on the order of the records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from catalog.attached import ID
from catalog.model import HELD_PREFIX
from config.settings import Limits
from dms.pipeline import Orders, Tally
from dms.quality import Sheet

ENOUGH = 20  # fewer cases than this never hold a load, whatever their share
FEW = 3  # the same of damaged text, where most is damaged


@dataclass(slots=True)
class Sums:
    """Counts over all units of a load."""

    records: int = 0
    unchanged: int = 0
    superseded: int = 0
    garbled: int = 0
    retitled: int = 0
    standing: int = 0
    back: dict[str, int] = field(default_factory=dict)
    sheet: Sheet = field(default_factory=Sheet)

    def add(self, tally: Tally) -> None:
        """Count one unit."""
        self.records += len(tally.ids)
        self.unchanged += sum(1 for i in tally.index if i < 0)
        self.garbled += tally.garbled
        self.retitled += tally.retitled
        self.standing += tally.standing
        self.sheet.add(tally.judged, tally.score, tally.mended, tally.rules)
        for verdict, count in tally.back:
            self.back[verdict] = self.back.get(verdict, 0) + count


def hashes(ids: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """64-bit hashes of ids: two of a hundred million ids collide once in about 4,000 such loads."""
    digests = b"".join(hashlib.blake2b(i.encode("utf-8", "surrogatepass"), digest_size=8).digest() for i in ids)
    return np.frombuffer(digests, dtype=np.uint64)


def repeated(columns: list[np.ndarray[tuple[int], np.dtype[np.uint64]]]) -> set[int]:
    """Hashes that come more than once in the load."""
    if not columns:
        return set()
    every = np.sort(np.concatenate(columns))
    return set(every[1:][every[1:] == every[:-1]].tolist())


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence of a repeated id. `index` -1 = unchanged against what stands."""

    unit: int
    place: int
    index: int
    stamp: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Resolved:
    """Orders by unit; ids of which different versions were in the load, with how many lost."""

    orders: dict[int, Orders]
    rivals: list[tuple[str, int]]
    superseded: int
    superseded_unchanged: int
    beaten: list[tuple[str, Entry]]  # one of each lost version that does not say itself that it is older


def resolve(groups: dict[str, list[Entry]]) -> Resolved:
    """The same bytes are one record; of different ones the newest 005, then the greatest digest, wins.

    Records named by the digest of their bytes are all kept: equal ones are numbered in the order of the file.
    """
    orders: dict[int, Orders] = {}
    rivals: list[tuple[str, int]] = []
    beaten: list[tuple[str, Entry]] = []
    lost = lost_unchanged = 0
    for local_id, entries in groups.items():
        if len(entries) < 2:
            continue
        entries.sort(key=lambda e: (e.unit, e.place))
        if local_id.startswith("sha256:"):
            base = local_id.rsplit("#", 1)[0]
            for n, entry in enumerate(entries[1:], 2):
                orders.setdefault(entry.unit, Orders([], [])).rename.append((entry.index, f"{base}#{n}"))
            continue
        winner = max(entries, key=lambda e: (e.stamp, e.digest, -e.unit, -e.place))
        for entry in entries:
            if entry is winner:
                continue
            lost += 1
            if entry.index >= 0:
                orders.setdefault(entry.unit, Orders([], [])).drop.append(entry.index)
            else:
                lost_unchanged += 1
        versions = {entry.digest: entry for entry in reversed(entries) if entry.digest != winner.digest}
        if versions:
            rivals.append((local_id, len(versions)))
        beaten += [
            (local_id, each) for each in versions.values() if each.index >= 0 and not "" < each.stamp < winner.stamp
        ]
    return Resolved(orders, rivals, lost, lost_unchanged, beaten)


@dataclass(frozen=True, slots=True)
class Lead:
    """What the unit before ends with, for the holdings records that a unit begins with."""

    parent: str = ""  # dms.mfhd.Order.last
    numbers: frozenset[str] = frozenset()  # its others


def led(tally: Tally, lead: Lead | None) -> Tally:
    """The unit's tally with the ids that these holdings records have behind that record."""
    if lead is None or not (places := _lent(tally, lead)):
        return tally
    ids = [*tally.ids]
    for place, instead in places.items():
        ids[place] = instead
    return msgspec.structs.replace(tally, ids=ids)


def _lent(tally: Tally, lead: Lead) -> dict[int, str]:
    """Ids by place of those that bear the number of the record before."""
    return {
        place: instead
        for place, instead, _ in tally.led
        if lead.parent == ID + tally.ids[place].removeprefix(HELD_PREFIX)
    }


def follow(orders: Orders, tally: Tally, lead: Lead) -> Orders:
    """The orders of a unit, with the ids and parents of the holdings records that it begins with."""
    lent = _lent(tally, lead)
    renamed = {tally.index[place]: instead for place, instead in lent.items() if tally.index[place] >= 0}
    known = [place for place, _, number in tally.led if place in lent or number in lead.numbers]
    parents = [(tally.index[place], lead.parent) for place in known if tally.index[place] >= 0]
    rename = [*orders.rename, *renamed.items()]
    return msgspec.structs.replace(orders, rename=rename, lead=lead.parent, parents=parents)


def is_numbered_repeat(local_id: str, groups: dict[str, list[Entry]]) -> bool:
    """Whether the load brings this record again: the n-th of equal records without an id, tallied under the first."""
    base, mark, n = local_id.rpartition("#")
    return bool(mark) and n.isdecimal() and int(n) <= len(groups.get(base + "#1", ()))


def objections(sums: Sums, missing: int, total: int, limits: Limits) -> list[str]:
    """Why the load must not be published unseen; empty = nothing speaks against it.

    `missing`: records that a full load would delete, of `total` that stand.
    """
    read = sums.records + sum(sums.back.values())
    back = sum(sums.back.values())
    found = []
    most = sums.garbled > sums.records / 2  # of a small file in a wrong encoding nothing is right
    for name, count, of, limit, enough in (
        (
            "texts that look like mojibake (wrong encoding)",
            sums.garbled,
            sums.records,
            limits.mojibake,
            FEW if most else ENOUGH,
        ),
        ("records that came back", back, read, limits.rejects, ENOUGH),
        ("titles that changed", sums.retitled, sums.standing, limits.title_changes, ENOUGH),
    ):
        if count >= enough and count > of * limit:
            found.append(f"{count} of {of} {name}, limit {limit:.0%}")
    if missing > limits.delete_records or (missing and missing > total * limits.delete_share):
        found.append(
            f"{missing} of {total} records are absent and would be deleted, "
            f"limit {limits.delete_share:.0%} or {limits.delete_records}"
        )
    return found
