"""The one door from bytes to records: a stretch of a file goes in, its records, failures and findings come out.

Sound ISO 2709 takes the columnar way: the stretch is decoded once, wanted fields are picked out of it and nothing else
is touched. Every other record takes the tolerant way of its carrier. Every byte of a stretch is in a record, in a
failure or padding.

Rules of findings: `iso2709-*` (structure, see `iso2709`, `directory`, `framing`), `xml-*`, `json-*`, `leader-*`,
`encoding-uncertain` (no encoding fits well), `encoding-invalid-bytes` (codes without meaning became U+FFFD),
`encoding-leader` (leader/09 says otherwise). Rules of failures: `unreadable`, `cut-off` for an ISO 2709 record without
its end, `not-a-record` for rubbish, and `doctype` for a document type declaration, which is never processed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from protocols import columnar, dialect, framing, iso2709, marcjson, marcxml, quick, xmlscan
from protocols.charsets import codec, evidence, sniff
from protocols.charsets.sniff import Charset
from protocols.columnar import Scan
from protocols.detect import LINES, MARCJSON, MARCXML
from protocols.marc import Record, value
from protocols.pieces import NO_RECORD, Piece

Finding = tuple[str, str]  # rule id, detail
Fields = tuple[tuple[str, str], ...]
Raw = list[tuple[str, bytes]]

OPENING = 16  # records heard of a stretch whose encoding is not plain
LOST = "\ufffd"
WIDE = ("utf-16", "utf_16", "utf16", "utf-32", "utf_32", "utf32", "ucs-2", "ucs-4", "iso-10646")


class Read(NamedTuple):
    """A record that was read. `position` is its first byte in the stretch, `ordinal` counts records and failures."""

    position: int
    ordinal: int
    raw: bytes  # as received
    record: Record  # wanted fields only, if some were wanted
    encoding: str  # as `charsets.codec.known` spells it
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Bytes that are no readable record."""

    position: int
    ordinal: int
    raw: bytes
    rule: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Batch:
    """What a stretch held, in order. `padding` counts the bytes between records (line ends, XML around the records)."""

    reads: list[Read] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    padding: int = 0


class _Pending(NamedTuple):
    """An ISO 2709 record whose structure is known and whose encoding may not be."""

    position: int
    ordinal: int
    raw: bytes
    leader: str
    row: int  # of a sound record in the scan, -1 for others
    fields: Sequence[tuple[str, bytes]]  # of the others
    findings: tuple[Finding, ...]


def read(data: bytes, carrier: str, *, encoding: str = "auto", wanted: frozenset[str] | None = None) -> Batch:
    """Read a stretch (see `protocols.stream.stretches`).

    `encoding` other than "auto" overrides every judgement; `wanted` limits the fields of `Read.record`. Raises
    `Misconfigured` for an unknown encoding, nothing else: what can't be read is in `Batch.failed`.
    """
    name = "" if encoding == "auto" else codec.known(encoding)
    match carrier:
        case "iso2709":
            batch = _read_iso2709(data, name, wanted)
        case "marcxml":
            batch = _gathered(data, marcxml.read_all(data, _charset_of(data, name)), wanted)
        case "marcjson":
            batch = _read_marcjson(data, wanted)
        case _ if carrier in LINES:
            batch = _gathered(data, LINES[carrier].read_all(data, name), wanted)
        case _:
            raise ValueError(f"unknown carrier {carrier!r}")
    taken = sum(len(each.raw) for each in batch.reads) + sum(len(each.raw) for each in batch.failed)
    batch.padding = len(data) - taken
    return batch


def decode(raw: bytes, carrier: str, encoding: str) -> Record:
    """Read one stored record in full, in the encoding that `Read.encoding` named.

    Raises the `Unreadable` of its carrier, a `BadRecord`.
    """
    if carrier == MARCXML:
        return marcxml.read(raw, encoding)[0]
    if carrier == MARCJSON:
        return marcjson.read(raw)[0]
    if carrier in LINES:
        return LINES[carrier].read(raw, encoding)[0]
    if (quickly := quick.fields(raw, encoding)) is not None:
        return Record(raw[:24].decode("ascii", "replace"), quickly)
    found = iso2709.read(raw, rest=True)
    fields = tuple((tag, codec.decode(content, encoding)[0]) for tag, content in found.fields)
    return Record(leader=found.leader.decode("ascii", "replace"), fields=fields)


# ---- ISO 2709


class _Stretch:
    """A scanned stretch and what is made of it as a whole: each once, and only where a record needs it."""

    def __init__(self, data: bytes, wanted: frozenset[str] | None) -> None:
        self.found = columnar.scan(data)
        self.wanted = wanted
        self._texts: dict[str, str] = {}
        self._decoded: dict[str, Sequence[Fields | None] | None] = {}
        self._slices: list[Raw] | None = None

    def is_utf8(self) -> bool:
        """Whether all of it is UTF-8."""
        try:
            self._texts[codec.UTF8] = self.found.data.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    def text(self, name: str) -> str:
        """All of it in one encoding; codes without meaning are U+FFFD."""
        if name not in self._texts:
            self._texts[name] = self.found.data.decode(name, "replace")
        return self._texts[name]

    def decoded(self, row: int, name: str) -> Fields | None:
        """Wanted fields of a sound record; None where they have to be decoded one by one."""
        if name not in self._decoded:
            self._decoded[name] = self._at_once(name)
        rows = self._decoded[name]
        return rows[row] if rows else None

    def _at_once(self, name: str) -> Sequence[Fields | None] | None:
        if name in codec.STATEFUL:
            return None
        rows = columnar.texts(self.found, self.text(name), self.wanted)
        if rows is None or LOST not in self.text(name):
            return rows
        return [None if any(LOST in text for _, text in fields) else fields for fields in rows]

    def sliced(self, row: int) -> Raw:
        """Wanted fields of a sound record as bytes."""
        if self._slices is None:
            self._slices = columnar.slices(self.found, self.wanted)
        return self._slices[row]


def _read_iso2709(data: bytes, encoding: str, wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    stretch = _Stretch(data, wanted)
    pending = list(_structures(stretch.found, batch))
    charsets = [Charset(name=encoding, sure=True)] * len(pending) if encoding else _judged(stretch, pending)
    for each, charset in zip(pending, charsets, strict=True):
        findings = each.findings if encoding else each.findings + _doubts(each, charset)
        fields = stretch.decoded(each.row, charset.name) if each.row >= 0 else None
        if fields is None:
            fields, lost = _one_by_one(stretch, each, charset.name)
            findings += lost
        record = Record(each.leader, fields)
        batch.reads.append(Read(each.position, each.ordinal, each.raw, record, charset.name, findings))
    return batch


def _structures(found: Scan, batch: Batch) -> Iterator[_Pending]:
    """Every record with its row in the columns or its fields; what has no structure goes to `batch.failed`."""
    data = found.data
    rubbish = _Rubbish()
    ordinal = 0
    for frame in framing.frames(found):
        raw = data[frame.start : frame.end]
        pending: _Pending | None = None
        failed: Failed | None = None
        if frame.row >= 0 and iso2709.WRAPPED not in raw:
            leader = raw[:24].decode("ascii", "replace")
            pending = _Pending(frame.start, ordinal, raw, leader, frame.row, (), frame.findings)
        else:
            try:
                whole = iso2709.read(raw)
            except iso2709.Unreadable as error:
                if b"\x1e" not in raw and not isinstance(error, iso2709.CutOff):
                    ordinal += rubbish.add(frame.start, frame.end, ordinal, str(error))
                    continue
                failed = Failed(frame.start, ordinal, raw, error.code, str(error))
            else:
                leader = whole.leader.decode("ascii", "replace")
                findings = (*frame.findings, *(each for each in whole.findings if each[0] not in dict(frame.findings)))
                pending = _Pending(frame.start, ordinal, raw, leader, -1, whole.fields, findings)
        batch.failed += rubbish.gathered(data)
        ordinal += 1
        if pending:
            yield pending
        elif failed:
            batch.failed.append(failed)
    batch.failed += rubbish.gathered(data)


class _Rubbish:
    """What is no record at all, up to the next one: it comes back in one piece, for it may be a million small ones."""

    def __init__(self) -> None:
        self._start = self._end = self._ordinal = self._pieces = 0
        self._reason = ""

    def add(self, start: int, end: int, ordinal: int, reason: str) -> bool:
        """One more piece; whether it is the first and counts."""
        if not self._pieces:
            self._start, self._ordinal, self._reason = start, ordinal, reason
        self._end = end
        self._pieces += 1
        return self._pieces == 1

    def gathered(self, data: bytes) -> list[Failed]:
        """The failure that they make, if there are any."""
        if not self._pieces:
            return []
        raw = data[self._start : self._end]
        reason = self._reason if self._pieces == 1 else f"no record in {len(raw):,} bytes with {self._pieces:,} ends"
        self._pieces = 0
        return [Failed(self._start, self._ordinal, raw, NO_RECORD, reason)]


def _judged(stretch: _Stretch, pending: list[_Pending]) -> list[Charset]:
    """Every record's encoding: by itself where that is plain, else beside its neighbours."""
    utf8 = stretch.is_utf8()
    judged = [_plain(each, utf8) for each in pending]
    unclear = [each for each, charset in zip(pending, judged, strict=True) if charset is None]
    context = sniff.Context()
    for each in unclear[
        :: -(-len(unclear) // OPENING) or 1
    ]:  # heard before any is judged: the first have neighbours too
        part = sniff.sample(_body(each), sniff.GLANCE)
        context.add(part, sniff.scores(part, _hint(each)))
    fitting = _fitting(stretch, context.leaning()) if unclear else {}
    return [
        charset or fitting.get(each.row) or _beside(each, context)
        for each, charset in zip(pending, judged, strict=True)
    ]


def _plain(each: _Pending, utf8: bool) -> Charset | None:
    """The judgement that needs no scores; `utf8`: the whole stretch is known to be."""
    body = _body(each)
    if not body.isascii():
        return sniff.UNICODE if utf8 else sniff.plain(body)
    if b"&#x" in body and each.leader[9:10] != "a":
        return sniff.ESCAPED  # MARC-8's way to write what it lacks
    return sniff.plain(body)


def _fitting(stretch: _Stretch, leaning: str) -> dict[int, Charset]:
    """By row, the neighbours' encoding for sound records that fit it very well, all of them looked at in one go."""
    if leaning != codec.GB18030:
        return {}
    fits = evidence.by_record(stretch.text(leaning)) >= sniff.FITTING
    if len(fits) != len(stretch.found.starts):
        return {}
    return dict.fromkeys(np.flatnonzero(fits).tolist(), Charset(name=leaning, sure=True))


def _beside(each: _Pending, context: sniff.Context) -> Charset:
    body = _body(each)
    return sniff.follow(body, context) or sniff.decide(body, _hint(each), context)


def _hint(each: _Pending) -> sniff.Hint:
    """What the record says of itself, its family judged on its ASCII parts."""
    fields = each.fields or iso2709.read(each.raw).fields
    record = Record(each.leader, tuple((tag, content.decode("latin-1")) for tag, content in fields))
    family = dialect.family(record)
    codes = ""
    if family == dialect.CNMARC and (text := record.first("100")):
        codes = value(text, "a")[26:30]
    return sniff.Hint(leader09=each.leader[9:10], codes100=codes, family=family)


def _body(each: _Pending) -> bytes:
    """The bytes after the directory: a damaged leader says nothing of the encoding."""
    return each.raw[each.raw.find(0x1E) :]


def _doubts(each: _Pending, charset: Charset) -> tuple[Finding, ...]:
    found: tuple[Finding, ...] = ()
    if not charset.sure:
        found += (("encoding-uncertain", f"no encoding fits well, {charset.name} was taken"),)
    if charset.name != codec.UTF8 and each.leader[9:10] == "a":
        found += (("encoding-leader", f"leader/09 says UTF-8, the bytes are {charset.name}"),)
    return found


def _one_by_one(stretch: _Stretch, each: _Pending, name: str) -> tuple[Fields, tuple[Finding, ...]]:
    """Wanted fields of a record with damage, without meaning in places or in an encoding that keeps state."""
    chosen = stretch.sliced(each.row) if each.row >= 0 else each.fields
    fields: list[tuple[str, str]] = []
    lost: dict[str, None] = {}
    for tag, content in chosen:
        if stretch.wanted is None or tag in stretch.wanted:
            text, unknown = codec.decode(content, name)
            if unknown:
                lost[tag] = None
            fields.append((tag, text))
    if not lost:
        return tuple(fields), ()
    return tuple(fields), (
        ("encoding-invalid-bytes", f"codes without meaning in {name} became U+FFFD: {' '.join(lost)}"),
    )


# ---- documents and lines


def _gathered(data: bytes, pieces: Iterable[Piece], wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    for ordinal, piece in enumerate(pieces):
        raw = data[piece.start : piece.end]
        if piece.record is None:
            batch.failed.append(Failed(piece.start, ordinal, raw, piece.rule, piece.reason))
        else:
            record = _limited(piece.record, wanted)
            batch.reads.append(Read(piece.start, ordinal, raw, record, piece.encoding, piece.findings))
    return batch


def _limited(record: Record, wanted: frozenset[str] | None) -> Record:
    if wanted is None:
        return record
    return Record(record.leader, tuple(each for each in record.fields if each[0] in wanted))


def _charset_of(data: bytes, encoding: str) -> str:
    """What an XML stretch is read in: what was told, else what it declares, else UTF-8."""
    if not encoding and (declared := xmlscan.declared_encoding(data[:400])) and not declared.startswith(WIDE):
        return declared  # what is wide has been made UTF-8, whatever it says
    return encoding or codec.UTF8


def _read_marcjson(data: bytes, wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    waiting = deque((start, end, True) for start, end in marcjson.pieces(data))
    ordinal = 0
    while waiting:
        start, end, may_split = waiting.popleft()
        raw = data[start:end]
        try:
            record, findings = marcjson.read(raw)
        except marcjson.Unreadable as error:
            if may_split and len(parts := list(marcjson.parts(raw))) > 1:  # the line end between objects was lost
                waiting.extendleft((start + first, start + last, False) for first, last in reversed(parts))
                continue
            batch.failed.append(Failed(start, ordinal, raw, "unreadable", str(error)))
        else:
            batch.reads.append(Read(start, ordinal, raw, _limited(record, wanted), codec.UTF8, findings))
        ordinal += 1
    return batch
