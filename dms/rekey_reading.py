"""What pairing compares of the records of a new file: ids, old ids that stand in them, copies, content (pure)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from catalog import attached
from catalog.model import HELD_PREFIX as PREFIX
from dms import formats, holdings, identity, mfhd, quality
from dms.match import features
from dms.outcome import title_hash
from dms.pipeline import Habits
from dms.rekey import Known
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import marc, reading
from protocols.marc import Record

_AGENCY = re.compile(r"\(([^()]*)\)\s*(.+)")
_ID = "id"  # instead of a field: what the rule of before makes of the record


@dataclass(slots=True)
class Ids:
    """The old ids of a source, as they may be written in a new record: with or without an agency or leading zeros."""

    exact: frozenset[str]
    bare: dict[str, str] = field(default_factory=dict)  # the id, by a form that only one has

    @classmethod
    def of(cls, ids: Iterable[str]) -> Ids:
        """The ids with their other forms."""
        exact = frozenset(ids)
        forms: dict[str, str | None] = {}
        for one in exact:
            prefix, plain = (PREFIX, one[len(PREFIX) :]) if one.startswith(PREFIX) else ("", one)
            agency = _AGENCY.fullmatch(plain)
            number = agency[2] if agency else plain
            for form in {number, number.lstrip("0")} - {plain, ""}:
                forms[prefix + form] = None if prefix + form in forms else one
        return cls(exact, {form: one for form, one in forms.items() if one is not None})

    def find(self, text: str) -> str | None:
        """The id that is written so."""
        if text in self.exact:
            return text
        return self.bare.get(text)


@dataclass(frozen=True, slots=True)
class Seen:
    """A new record. `stamp`: of several with one id the newest counts."""

    known: Known
    stamp: str
    nameless: bool  # named by the digest of its bytes, and numbered among equals
    instead: str = ""  # of a holdings record at the beginning of a stretch: see dms.mfhd.Named


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of a stretch, and what the next one follows: as a load's units do (dms.judging.Lead)."""

    seen: list[Seen]
    last: str = ""


def read(data: bytes, habits: Habits, former: str, ids: Ids) -> Part:
    """The readable records of a stretch that are not marked as deleted. `former`: the identity rule of before."""
    batch = reading.read(data, habits.carrier, encoding=habits.encoding, characters=habits.characters)
    inspector = quality.inspector(habits.profile)
    order = mfhd.Order([each.ordinal for each in batch.failed])
    seen = [_seen(each, habits, former, ids, inspector, order) for each in batch.reads]
    return Part([one for one in seen if one is not None], order.last)


def _seen(
    each: reading.Read, habits: Habits, former: str, ids: Ids, inspector: quality.Inspector, order: mfhd.Order
) -> Seen | None:
    """The record as a load would name it; None if it is a deletion."""
    source, record, instead = habits.source, each.record, ""
    held = mfhd.is_one(record, source.format)
    prefix = PREFIX if held else ""
    named = identity.named_id(record, source.identity)
    local_id = prefix + named if named else identity.digest_id(each.raw)
    if not held:
        order.pass_by(each.ordinal, local_id, record)
    elif named:
        told = mfhd.name(record, each.raw, source, order, each.ordinal)
        local_id, instead = told.local_id, told.instead
    if identity.is_deleted(record):
        return None
    stamp = identity.stamp(record)
    marks = _marks(record, former, prefix, ids)
    fmt = formats.format_of(record, source.format)
    kind = kinds.kind_of(record, fmt)
    record, _ = inspector.mend(record, fmt, habits.mends)
    facts = formats.facts(record, fmt, kind=kind)
    title = " ".join(facts.titles)
    copies = (
        mfhd.copies(record, source.mapping, source.library)
        if kind is Kind.HOLDINGS
        else holdings.holdings(record, source.mapping, source.library, fmt)
    )
    content = features.signature(features.pack(features.features(facts))) if facts.bibliographic else b""
    known = Known(
        local_id=local_id,
        kind=int(kind),
        content=content,
        title=title_hash(title) if title else 0,
        items=frozenset(copy.item for copy in copies if copy.item),
        calls=frozenset(copy.call_number for copy in copies if copy.call_number),
        marks=marks,
    )
    return Seen(known, stamp, not named, instead)


def _marks(record: Record, former: str, prefix: str, ids: Ids) -> tuple[tuple[str, str], ...]:
    """(field, old id) of what stands in the record: by the rule of before, in 019, 035 and the local fields 9XX."""
    found: dict[tuple[str, str], None] = {}
    if (old := ids.find(prefix + identity.named_id(record, former))) is not None:
        found[_ID, old] = None
    for tag, text in record.fields:
        if tag in ("019", "035") or tag[:1] == "9":
            for code, value in [("", text)] if marc.DELIMITER not in text else marc.subfields(text):
                name, number = f"{tag}${code}", value.strip()
                if (agency := _AGENCY.fullmatch(number)) is not None:
                    name += f"({agency[1]})"
                    old = ids.find(prefix + number) or ids.find(prefix + agency[2].strip())
                else:
                    old = ids.find(prefix + number)
                if old is not None:
                    found[name, old] = None
    return tuple(found)


def merged(parts: Iterable[Part]) -> list[Known]:
    """The records as a load will have them: of one id the newest, and equal ones without an id by number."""
    numbers: dict[str, int] = {}
    best: dict[str, tuple[str, Known]] = {}
    for one in _led(parts):
        known = one.known
        if one.nameless:
            n = numbers[known.local_id] = numbers.get(known.local_id, 0) + 1
            known = dataclasses.replace(known, local_id=f"{known.local_id}#{n}")
        there = best.get(known.local_id)
        if there is None or one.stamp >= there[0]:
            best[known.local_id] = (one.stamp, known)
    return [known for _, known in best.values()]


def _led(parts: Iterable[Part]) -> Iterator[Seen]:
    """All of them; holdings records that begin a stretch and bear the number of the record before it named by that."""
    lead = ""
    for part in parts:
        for one in part.seen:
            if one.instead and lead == attached.ID + one.known.local_id.removeprefix(PREFIX):
                yield dataclasses.replace(one, known=dataclasses.replace(one.known, local_id=one.instead))
            else:
                yield one
        lead = lead if part.last == mfhd.FOLLOWS else part.last
