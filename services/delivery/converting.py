"""`convert`: the records of a stretch in another form, dialect and encoding, and what became of every field (pure).

A stretch is converted whole in one process of the pool; what goes back is ready to be written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from config.errors import BadRecord
from dms import formats, identity
from dms.crosswalk import through
from dms.crosswalk.marc import between
from dms.crosswalk.model import Fate, Loss
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import reading, writing
from protocols.charsets import codec
from protocols.reading import Read
from services.delivery import forms
from services.delivery.forms import Going

Fates = tuple[tuple[int, tuple[Loss, ...]], ...]
REMEMBERED = 50_000  # lines of reports; about 50 MB at worst
UNREADABLE = "unreadable"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How to convert a file."""

    carrier: str
    read_encoding: str = "auto"
    said: str = "auto"  # marc21 or cnmarc where the caller knows it
    form: str  # of `forms.NAMES`
    dialect: str = ""  # of `between.FORMATS`; none = records stay in theirs
    encoding: str = codec.UTF8
    report: bool = False


@dataclass(slots=True, kw_only=True)
class Stretch:
    """The records of a stretch, converted."""

    out: list[bytes] = field(default_factory=list)
    report: list[tuple[int, bytes]] = field(default_factory=list)  # (place in the stretch, JSON object without its {)
    notes: list[tuple[str, str, str]] = field(default_factory=list)  # (id, kind of note, detail)
    fates: Counter[str] = field(default_factory=Counter)
    records: int = 0
    unwritten: int = 0  # unreadable, or what the form can't say


class _Place(NamedTuple):
    """Where a record stands."""

    ordinal: int  # in its stretch, from 0
    number: int  # for forms that number records
    position: int  # in its file, in bytes


def convert(data: bytes, position: int, first: int, asked: Asked) -> Stretch:
    """Convert a stretch that begins at byte `position` of its file and with record number `first`."""
    batch = reading.read(data, asked.carrier, encoding=asked.read_encoding)
    made = Stretch()
    every: list[Read | reading.Failed] = [*batch.reads, *batch.failed]
    for each in sorted(every, key=_ordinal) if batch.failed else every:
        made.records = each.ordinal + 1
        place = _Place(each.ordinal, first + each.ordinal, position + each.position)
        if isinstance(each, reading.Failed):
            _refuse(made, asked, place, "", UNREADABLE, each.reason)
        else:
            _one(made, asked, place, each)
    return made


def failed(reason: str, position: int, asked: Asked) -> Stretch:
    """What is said of bytes that could not even become a stretch."""
    made = Stretch(records=1)
    _refuse(made, asked, _Place(0, 1, position), "", UNREADABLE, reason)
    return made


def _ordinal(each: Read | reading.Failed) -> int:
    return each.ordinal


def _one(made: Stretch, asked: Asked, place: _Place, read: Read) -> None:
    """A record, its line in the report, and what is to be said of it."""
    ident = identity.named_id(read.record, "001") or identity.digest_id(read.raw)
    own = formats.format_of(read.record, asked.said)
    record, format_, fates = read.record, own, Fates()
    try:
        if asked.dialect:
            if kinds.kind_of(read.record, own) is not Kind.BIBLIOGRAPHIC:
                raise BadRecord("only bibliographic records have another dialect")
            converted = between.to(read.record, own, asked.dialect)
            record, format_, fates = converted.record, between.FORMATS[asked.dialect], converted.fates
        going = Going(ident, record, format_)
        written, crossed = forms.told(going, asked.form, asked.encoding, ordinal=place.number)
        if asked.report and crossed:
            fates = through.joined(read.record, fates, crossed()) if asked.dialect else crossed()
    except BadRecord as error:
        cause = error.__cause__ if isinstance(error.__cause__, BadRecord) else error  # forms name the record around it
        _refuse(made, asked, place, ident, cause.code, str(error).removeprefix(f"{ident}: "))
        return
    made.out.append(written.data)
    lacking = writing.lacking(record, asked.encoding) if written.lost else {}
    if written.lost:
        told = ", ".join(f"{tag} {' '.join(characters)}" for tag, characters in lacking.items())
        made.notes.append((ident, "characters", told))
    if asked.report:
        target = asked.form if crossed else asked.dialect or format_.name.lower()
        line = {"position": place.position, "id": ident, "from": own.name.lower(), "to": target}
        made.report.append((place.ordinal, _line(made, line, fates, lacking)))


def _refuse(made: Stretch, asked: Asked, place: _Place, ident: str, code: str, reason: str) -> None:
    made.unwritten += 1
    made.notes.append((ident or f"@{place.position}", code, reason))
    if asked.report:
        told = {"position": place.position, "id": ident, "refused": code, "reason": reason}
        made.report.append((place.ordinal, _ENCODER.encode(told)[1:]))


def _line(made: Stretch, told: Mapping[str, object], fates: Fates, lacking: Mapping[str, str]) -> bytes:
    """The record's line, without its {: counts, and an object a subfield."""
    counts: dict[str, int] = dict.fromkeys(Fate, 0)
    lines = []
    for nth, losses in fates:
        known = _lines.get((id(losses), nth))
        if known is None or known[0] is not losses:
            if len(_lines) >= REMEMBERED:
                _lines.clear()
            known = _lines[id(losses), nth] = (losses, *_told(nth, losses))
        lines.append(known[1])
        for fate, count in known[2]:
            counts[fate] += count
    made.fates.update(counts)
    more = {"characters": lacking} if lacking else {}
    return b'%b,"fields":[%b]}' % (_ENCODER.encode({**told, **counts, **more})[1:-1], b",".join(filter(None, lines)))


def _told(nth: int, losses: tuple[Loss, ...]) -> tuple[bytes, tuple[tuple[str, int], ...]]:
    """The objects of one field, and how many of each fate."""
    lines = []
    for loss in losses:
        one: dict[str, object] = {"tag": loss.tag, "nth": nth, "code": loss.code, "fate": loss.fate}
        one.update((key, value) for key, value in zip(("to", "why", "value"), loss[3:], strict=True) if value)
        lines.append(_ENCODER.encode(one))
    return b",".join(lines), tuple(Counter(loss.fate.value for loss in losses).items())


_ENCODER = msgspec.json.Encoder()
# (id of a field's lines, which of its tag) → the lines themselves, so that the id stays theirs, and their JSON
_lines: dict[tuple[int, int], tuple[tuple[Loss, ...], bytes, tuple[tuple[str, int], ...]]] = {}
