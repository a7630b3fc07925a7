"""How many records a message holds (pure). Z39.50-1995, 3.3: a record larger than the preferred size comes only alone,
one larger than the exceptional size never; a diagnostic stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.z3950 import diagnosing
from node.z3950.state import State
from node.z3950.tasks import Trouble
from protocols.z3950.apdu.parts import External
from protocols.z3950.apdu.records import NamePlusRecord, SurrogateDiagnostic, Written
from protocols.z3950.diagnostics import Bib1

OVERHEAD = 64  # octets around a record, at most
DIAGNOSTIC = 160  # octets of a diagnostic, at most, but for its text


def first(state: State, found: Sequence[NamePlusRecord], *, single: bool) -> list[tuple[NamePlusRecord, ...]]:
    """The records that go into one message, which is the only one. `single`: one record was asked for."""
    return [_fit(state, found, single)]


def segments(state: State, found: Sequence[NamePlusRecord], *, single: bool) -> list[tuple[NamePlusRecord, ...]]:
    """Records in as many messages as it takes; at least one, which may be empty."""
    parts = [_fit(state, found, single)]
    rest = found[len(parts[0]) :]
    while rest:
        parts.append(_fit(state, rest, single))
        rest = rest[len(parts[-1]) :]
    return parts


def _fit(state: State, found: Sequence[NamePlusRecord], single: bool) -> tuple[NamePlusRecord, ...]:
    """The records, from the first on, that go into one message; at least one."""
    if sum([len(each.octets) if type(each) is Written else octets(each) for each in found]) <= state.preferred:
        return tuple(found)
    kept: list[NamePlusRecord] = []
    size = 0
    for each in found:
        record = each
        if (own := octets(each)) > state.exceptional:
            record = _instead(state, each, Bib1.EXCEEDS_MAXIMUM_SIZE, own)
        elif own > state.preferred and not single:
            record = _instead(state, each, Bib1.EXCEEDS_PREFERRED_SIZE, own)
        size += octets(record)
        if kept and size > state.preferred:
            break
        kept.append(record)
    return tuple(kept)


def octets(record: NamePlusRecord) -> int:
    """Of a record in a message, at most a few too many."""
    if isinstance(record, Written):
        return len(record.octets)
    if isinstance(record.record, External):
        encoding = record.record.encoding
        return OVERHEAD + len(encoding if isinstance(encoding, bytes) else encoding.octets)
    return DIAGNOSTIC


def _instead(state: State, record: NamePlusRecord, number: Bib1, size: int) -> NamePlusRecord:
    trouble = Trouble(number, f"{size} octets")
    return NamePlusRecord(name=record.name, record=SurrogateDiagnostic(diagnosing.default(state, trouble)))
