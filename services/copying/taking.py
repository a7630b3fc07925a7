"""A candidate becomes a record of the library: in its dialect, without what is another library's, named after where it
comes from (pure).

Its 001 is the target's name and number, so the same record copied twice is one record; 035 $a keeps the number with its
agency.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.model import Format
from dms import merge_policy
from dms.crosswalk.marc import between
from dms.crosswalk.model import Fate, Loss
from dms.merge_policy import Rule
from protocols import marc
from protocols.marc import Record
from services.copying.candidates import Candidate

NUMBERS = ("001", "003", "005", "035")  # of the record: not in a merged one, but in a copied one
_SIGNS = re.compile(r"[^!-~]+")  # what a control number doesn't have


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A record as it will be the library's."""

    candidate: Candidate
    record: Record
    format: Format
    number: str  # its 001
    dropped: tuple[tuple[str, str], ...]  # fields that were another library's
    losses: tuple[tuple[int, Loss], ...]  # what the dialect had no place for: (which of its tag, the line)


def take(candidate: Candidate, dialect: str) -> Copied:
    """The candidate in a dialect of `between.FORMATS`. Raises BadRecord if it can't be converted."""
    rules = merge_policy.builtin().formats[candidate.format].rules
    drops = tuple(map(re.compile, candidate.target.profile.drops))
    kept: list[tuple[str, str]] = []
    dropped: list[tuple[str, str]] = []
    for tag, text in candidate.record.fields:
        theirs = tag not in NUMBERS and (rules[tag] is Rule.DROP or any(each.fullmatch(tag) for each in drops))
        (dropped if theirs else kept).append((tag, text))
    # Its numbers are given anew: the other family would take the agency of 801 for whose they are.
    record = Record(candidate.record.leader, tuple(each for each in kept if each[0] not in ("001", "003")))
    converted = between.to(record, candidate.format, dialect)
    number = f"{candidate.target.name}-{_SIGNS.sub('_', candidate.number)}"
    return Copied(
        candidate=candidate,
        record=_named(converted.record, number, _system_number(candidate)),
        format=between.FORMATS[dialect],
        number=number,
        dropped=tuple(dropped),
        losses=tuple((nth, loss) for nth, loss in converted.losses() if loss.fate is not Fate.MAPPED),
    )


def _system_number(candidate: Candidate) -> str:
    """Its number with the agency whose it is: that of 003, else the target."""
    agency = (candidate.record.first("003") or "").strip() or candidate.target.name
    return f"({agency}){candidate.number}"


def _named(record: Record, number: str, system: str) -> Record:
    """With our 001, without 003 (the agency of the old one), and with the old number in 035."""
    fields = [("001", number), *(each for each in record.fields if each[0] not in ("001", "003"))]
    ends = system[system.index(")") :]
    if not any(tag == "035" and marc.value(text, "a").endswith(ends) for tag, text in fields):
        after = next((n for n, (tag, _) in enumerate(fields) if tag > "035"), len(fields))
        fields.insert(after, ("035", marc.field("  ", [("a", system)])))
    return Record(record.leader, tuple(fields))


def counts(copied: Sequence[Copied]) -> dict[str, int]:
    """How many subfields of all of them went to local fields or were lost."""
    fates = [loss.fate for each in copied for _, loss in each.losses]
    return {str(fate): fates.count(fate) for fate in (Fate.LOCAL, Fate.LOST)}
