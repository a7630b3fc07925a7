"""Which candidate is best, and by which question it stands before the next (pure).

The questions come in order; each counts only between candidates that those before it leave equal. After what a person
asked for come those by which the base of a cluster is chosen (`dms.merge_base`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.model import Format
from dms import merge_base, merge_policy
from protocols import marc
from services.copying.candidates import Candidate

OWN = ("language", "format")  # questions that only copying has
STEPS = (*OWN, *(step for step in merge_base.STEPS if step != "key"), "target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the library wants of a record."""

    format: Format
    isbn: int = 0  # that was asked for
    language: str = ""  # of cataloguing, ISO 639-2; "" = any


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The candidates, the best first."""

    ranked: tuple[Candidate, ...]
    by: str = ""  # the one of STEPS by which the first stands before the second; "" where there is no other


def choose(candidates: Sequence[Candidate], wish: Wish, order: Sequence[str] = ()) -> Choice:
    """The best first; `order`: names of targets, the preferred one first. Where an ISBN is asked for, records without
    it are none: servers answer with what is near."""
    fit = [each for each in candidates if not wish.isbn or wish.isbn in each.isbns]
    places = {name: place for place, name in enumerate(order)}
    ranks = sorted(
        ((_rank(each, wish, places.get(each.target.name, len(places))), number) for number, each in enumerate(fit))
    )
    by = ""
    if len(ranks) > 1:
        by = next(step for step, a, b in zip(STEPS, ranks[0][0], ranks[1][0], strict=True) if a != b)
    return Choice(ranked=tuple(fit[number] for _, number in ranks), by=by)


def _rank(each: Candidate, wish: Wish, place: int) -> tuple[object, ...]:
    member = merge_base.Member(key="", format=each.format, record=each.record, findings=100 - each.score)
    *base, _ = merge_base.rank(member, merge_policy.builtin())
    return (
        bool(wish.language) and language(each) not in ("", wish.language),
        each.format is not wish.format,
        *base,
        (place, each.target.name, each.found.position, each.number),
    )


def language(each: Candidate) -> str:
    """Language of cataloguing (UNIMARC 100 $a/22-24, MARC 21 040 $b); "" if it isn't said."""
    if each.format is Format.MARC21:
        return marc.value(each.record.first("040") or "", "b").strip().lower()
    return marc.value(each.record.first("100") or "", "a")[22:25].strip().lower()
