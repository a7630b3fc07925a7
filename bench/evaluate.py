"""How well clusters agree with the truth. Pure.

Pairwise precision and recall count pairs of records; B³ (Bagga and Baldwin 1998) averages over records and so is not
ruled by the largest clusters; a mixed cluster holds more than one manifestation, a split manifestation lies in several.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Id = TypeVar("Id", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Figures between 0 and 1 unless they count something."""

    records: int  # that both sides know
    clusters: int
    manifestations: int
    precision: float
    recall: float
    b3_precision: float
    b3_recall: float
    mixed: int
    split: int
    largest: int  # records of the largest cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Labelled pairs: how many were joined rightly, wrongly, not joined though they should be, kept apart rightly."""

    right: int
    wrong: int
    missed: int
    apart: int
    unknown: int  # a record of the pair is in no cluster

    @property
    def precision(self) -> float:
        """Of the joined pairs, those that should be."""
        return _ratio(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Of the pairs that should be joined, those that are."""
        return _ratio(self.right, self.right + self.missed)


class Grouping:
    """Which records are together, 16 bytes each: a name of a record or of a group is known by its 64-bit hash."""

    def __init__(self, named: Iterable[tuple[Hashable, str]]) -> None:
        """`named`: (record, group), each record once."""
        ids, groups = array("Q"), array("Q")
        for one, group in named:
            ids.append(key(one))
            groups.append(key(group))
        self.ids = np.frombuffer(ids, dtype=np.uint64)
        self.groups = np.frombuffer(groups, dtype=np.uint64)


def key(name: Hashable) -> int:
    """64-bit hash of a name, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(name).encode(), digest_size=8).digest(), "big")


def groups(grouping: Grouping) -> int:
    """How many groups there are."""
    return len(np.unique(grouping.groups))


def agreement(truth: Grouping, found: Grouping) -> Agreement:
    """Compare manifestations with clusters, over the records in both."""
    table = _Table(truth, found)
    agreed = _pairs(table.counts)
    return Agreement(
        records=table.records,
        clusters=len(table.made),
        manifestations=len(table.meant),
        precision=_ratio(agreed, _pairs(table.made)),
        recall=_ratio(agreed, _pairs(table.meant)),
        b3_precision=_ratio(float((table.counts**2 / table.made[table.clusters]).sum()), table.records),
        b3_recall=_ratio(float((table.counts**2 / table.meant[table.manifestations]).sum()), table.records),
        mixed=len(table.mixed()),
        split=len(table.split()),
        largest=int(table.made.max(initial=0)),
    )


def disagreements(truth: Grouping, found: Grouping) -> tuple[set[int], set[int]]:
    """Keys of mixed clusters, and of split manifestations."""
    table = _Table(truth, found)
    mixed, split = table.cluster_keys[table.mixed()], table.manifestation_keys[table.split()]
    return set(mixed.tolist()), set(split.tolist())


class _Table:
    """How many records each manifestation has in each cluster, where it has any: three columns in step."""

    def __init__(self, truth: Grouping, found: Grouping) -> None:
        shared, of_truth, of_found = np.intersect1d(truth.ids, found.ids, assume_unique=True, return_indices=True)
        self.records = len(shared)
        self.manifestation_keys, meant = np.unique(truth.groups[of_truth], return_inverse=True)
        self.cluster_keys, made = np.unique(found.groups[of_found], return_inverse=True)
        self.meant = np.bincount(meant, minlength=len(self.manifestation_keys))  # records of each manifestation
        self.made = np.bincount(made, minlength=len(self.cluster_keys))
        width = max(len(self.made), 1)
        cells, self.counts = np.unique(meant.astype(np.int64) * width + made, return_counts=True)
        self.manifestations, self.clusters = cells // width, cells % width

    def mixed(self) -> Numbers:
        """Clusters with more than one manifestation."""
        return np.flatnonzero(np.bincount(self.clusters) > 1)

    def split(self) -> Numbers:
        """Manifestations in more than one cluster."""
        return np.flatnonzero(np.bincount(self.manifestations) > 1)


def labelled(pairs: Iterable[tuple[Id, Id, bool]], found: Mapping[Id, str]) -> Pairs:
    """Judge labelled pairs (a, b, should be one) by whether both records share a cluster."""
    counts: Counter[str] = Counter()
    for one, other, same in pairs:
        counts[judge(one, other, same, found)] += 1
    return Pairs(**{name: counts[name] for name in ("right", "wrong", "missed", "apart", "unknown")})


def judge(one: Id, other: Id, same: bool, found: Mapping[Id, str]) -> str:
    """right, wrong, missed, apart or unknown: a field of `Pairs`."""
    if one not in found or other not in found:
        return "unknown"
    if found[one] == found[other]:
        return "right" if same else "wrong"
    return "missed" if same else "apart"


def _pairs(sizes: Numbers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: float, whole: float) -> float:
    """1 of nothing: no pair was joined wrongly, or none was to be found."""
    return part / whole if whole else 1.0
