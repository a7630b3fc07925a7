"""`convert`: the records of a stretch in another form, dialect and encoding, and what became of every field (pure).

A stretch is converted whole in one process of the pool; what goes back is ready to be written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import msgspec

from config.errors import BadRecord
from dms import formats, identity
from dms.crosswalk import through
from dms.crosswalk.lines import AWAITED, Brief, Fates, Known, Lines
from dms.crosswalk.marc import between
from dms.crosswalk.model import Fate
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import reading, writing
from protocols.charsets import codec
from protocols.reading import Read
from services.delivery import forms
from services.delivery.forms import Going

REMEMBERED = 20_000  # heads of lines; about 10 MB at worst
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
    lines: int = 0  # of the report, of each fate, side by side in one number
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
    if made.lines:
        made.fates.update(_counts(made.lines))
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
    ident = identity.local_id(read.record, "001", read.raw)
    own = formats.format_of(read.record, asked.said)
    record, format_, fates = read.record, own, Fates()
    brief: list[Brief] = []
    try:
        if asked.dialect:
            if kinds.kind_of(read.record, own) is not Kind.BIBLIOGRAPHIC:
                raise BadRecord("only bibliographic records have another dialect")
            converted = between.to(read.record, own, asked.dialect)
            record, format_, fates = converted.record, between.FORMATS[asked.dialect], converted.fates
        going = Going(ident, record, format_)
        written, crossed = forms.told(going, asked.form, asked.encoding, ordinal=place.number)
        if asked.report and crossed:
            brief = through.joined(read.record, fates, crossed()) if asked.dialect else crossed()
        elif asked.report and not asked.dialect:
            fates = between.same(record).fates
    except BadRecord as error:
        cause = error.__cause__ if isinstance(error.__cause__, BadRecord) else error  # forms name the record around it
        _refuse(made, asked, place, ident, cause.code, str(error).removeprefix(f"{ident}: "))
        return
    made.out.append(written.data)
    lacking = writing.lacking(record, asked.encoding) if written.lost else {}
    if written.lost:
        said = ", ".join(f"{tag} {' '.join(characters)}" for tag, characters in lacking.items())
        made.notes.append((ident, "characters", said))
    if asked.report:
        target = asked.form if crossed else asked.dialect or format_.name.lower()
        line = {"position": place.position, "id": ident, "from": own.name.lower(), "to": target}
        told = _briefly(brief) if brief else _told.each(fates)
        made.report.append((place.ordinal, _line(made, line, told, lacking)))


def _refuse(made: Stretch, asked: Asked, place: _Place, ident: str, code: str, reason: str) -> None:
    made.unwritten += 1
    made.notes.append((ident or f"@{place.position}", code, reason))
    if asked.report:
        told = {"position": place.position, "id": ident, "refused": code, "reason": reason}
        made.report.append((place.ordinal, _ENCODER.encode(told)[1:]))


def _briefly(brief: list[Brief]) -> list[tuple[bytes, int]]:
    """What is told of fields, with the values that stand beside."""
    told = _told.each([(nth, losses) for nth, losses, _ in brief])
    return [
        (line % tuple(map(_ENCODER.encode, values)), count) if values else (line, count)
        for (line, count), (_, _, values) in zip(told, brief, strict=True)
    ]


def _line(
    made: Stretch, told: Mapping[str, object], fields: Sequence[tuple[bytes, int]], lacking: Mapping[str, str]
) -> bytes:
    """The record's line, without its {: counts, and an object a subfield."""
    total = sum([count for _, count in fields])
    made.lines += total
    more = {"characters": lacking} if lacking else {}
    return b'%b,"fields":[%b]}' % (
        _ENCODER.encode({**told, **_counts(total), **more})[1:-1],
        b",".join([line for line, _ in fields if line]),
    )


def _counts(lines: int) -> dict[str, int]:
    """How many lines of each fate."""
    return {name: lines >> shift & _MOST for name, shift in _NAMED}


@Known
def _told(losses: Lines, nth: int) -> tuple[bytes, int]:
    """The objects of one field, and how many of each fate: a number each, side by side in one. Where lines await values
    it is a form for them."""
    awaits = any(loss.value is AWAITED for loss in losses)
    lines = []
    count = 0
    for loss in losses:
        head, one = _head(nth, *loss[:5])
        if awaits:
            head = head.replace(b"%", b"%%")
        value = b"%b" if loss.value is AWAITED else _ENCODER.encode(loss.value)
        lines.append(b'%b,"value":%b}' % (head, value) if loss.value else head + b"}")
        count += one
    return b",".join(lines), count


@lru_cache(REMEMBERED)
def _head(nth: int, tag: str, code: str, fate: Fate, to: str, why: str) -> tuple[bytes, int]:
    """What is said of a subfield but its value, without the }, and 1 in the place of its fate."""
    told: dict[str, object] = {"tag": tag, "nth": nth, "code": code, "fate": fate}
    told.update((key, value) for key, value in (("to", to), ("why", why)) if value)
    return _ENCODER.encode(told)[:-1], 1 << dict(_SHIFTS)[fate]


_BITS = 32  # of a count
_MOST = (1 << _BITS) - 1
_SHIFTS = tuple((fate, _BITS * at) for at, fate in enumerate(Fate))
_NAMED = tuple((fate.value, shift) for fate, shift in _SHIFTS)
_ENCODER = msgspec.json.Encoder()
