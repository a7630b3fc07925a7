"""How well clusters agree with the truth. Pure.

Pairwise precision and recall count pairs of records; B³ (Bagga and Baldwin 1998) averages over records and so is not
ruled by the largest clusters; a mixed cluster holds more than one manifestation, a split manifestation lies in several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

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


def agreement(truth: Mapping[Id, str], found: Mapping[Id, str]) -> Agreement:
    """Compare record → manifestation with record → cluster, over the records in both."""
    both = truth.keys() & found.keys()
    meant = Counter(truth[one] for one in both)
    made = Counter(found[one] for one in both)
    cells = Counter((truth[one], found[one]) for one in both)
    agreed = sum(map(_pairs, cells.values()))
    return Agreement(
        records=len(both),
        clusters=len(made),
        manifestations=len(meant),
        precision=_ratio(agreed, sum(map(_pairs, made.values()))),
        recall=_ratio(agreed, sum(map(_pairs, meant.values()))),
        b3_precision=_ratio(sum(n * n / made[cluster] for (_, cluster), n in cells.items()), len(both)),
        b3_recall=_ratio(sum(n * n / meant[manifestation] for (manifestation, _), n in cells.items()), len(both)),
        mixed=sum(n > 1 for n in Counter(cluster for _, cluster in cells).values()),
        split=sum(n > 1 for n in Counter(manifestation for manifestation, _ in cells).values()),
        largest=max(made.values(), default=0),
    )


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


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def _ratio(part: float, whole: float) -> float:
    """1 of nothing: no pair was joined wrongly, or none was to be found."""
    return part / whole if whole else 1.0
