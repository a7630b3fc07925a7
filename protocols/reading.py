"""The one door from bytes to records: a stretch of a file goes in, its records, failures and findings come out.

Sound ISO 2709 takes the columnar way: the stretch is decoded once, wanted fields are picked out of it and nothing else
is touched. Every other record takes the tolerant way of its carrier. Every byte of a stretch is in a record, in a
failure or padding.

Rules of findings: `iso2709-*` (structure, see `iso2709`, `directory`, `framing`), `xml-*`, `json-*`, `leader-*`,
`encoding-*` (see `encodings`), `encoding-invalid-bytes` (codes without meaning became U+FFFD). Rules of failures:
`unreadable`, `cut-off` for an ISO 2709 record without its end, `not-a-record` for rubbish, and `doctype` for a document
type declaration, which is never processed.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols import descriptive, encodings, framing, iso2709, marcjson, marcxml, quick, xmlscan
from protocols.charsets import codec, private
from protocols.columnar import Scan
from protocols.detect import ISO2709, KINDS, LINES, MARCJSON, MARCXML
from protocols.marc import Record
from protocols.pieces import NO_RECORD, Piece
from protocols.scanned import Finding, Pending, Stretch
from protocols.sealed import Sealed

WIDE = ("utf-16", "utf_16", "utf16", "utf-32", "utf_32", "utf32", "ucs-2", "ucs-4", "iso-10646")
RARE = 16  # a stretch is decoded as a whole in the encodings of one record in so many

EMPTY: tuple[Finding, ...] = ()


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
    named: str = ""  # what the record's name was to be, where that is told


@dataclass(slots=True, kw_only=True)
class Batch:
    """What a stretch held, in order. `padding` counts the bytes between records (line ends, XML around the records)."""

    reads: list[Read] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    padding: int = 0


def read(
    data: bytes, carrier: str, *, encoding: str = "auto", wanted: frozenset[str] | None = None, characters: bytes = b""
) -> Batch:
    """Read a stretch (see `protocols.stream.stretches`).

    `encoding` other than "auto" overrides every judgement; `wanted` limits the fields of `Read.record`; `characters` is
    the source's table (`charsets.private.body`). Raises `Misconfigured` for an unknown encoding, nothing else: what
    can't be read is in `Batch.failed`.
    """
    told = "" if encoding == "auto" else codec.known(encoding)
    name, table = private.apart(told)
    match carrier:
        case "iso2709":
            batch = _read_iso2709(data, name, wanted)
        case "marcxml":
            batch = _gathered(data, marcxml.read_all(data, _charset_of(data, name)), wanted)
        case "marcjson":
            batch = _read_marcjson(data, wanted)
        case _ if carrier in KINDS:
            found = descriptive.read_all(KINDS[carrier], data, _charset_of(data, name))
            batch = _gathered(data, found, wanted)
        case _ if carrier in LINES:
            batch = _gathered(data, LINES[carrier].read_all(data, name), wanted)
        case _:
            raise ValueError(f"unknown carrier {carrier!r}")
    taken = sum(len(each.raw) for each in batch.reads) + sum(len(each.raw) for each in batch.failed)
    batch.padding = len(data) - taken
    if table:
        batch.reads = [
            each._replace(
                record=private.translated(each.record, table),
                encoding=private.name(each.encoding, *private.numbers([told])),
            )
            for each in batch.reads
        ]
    elif characters:
        key = private.number(characters)
        private.learn({key: characters})
        batch.reads = [_by_table(each, carrier, characters, key) for each in batch.reads]
    return batch


def _by_table(each: Read, carrier: str, characters: bytes, key: int) -> Read:
    """The record in the source's characters, if any field of it, wanted or not, has one of the table's."""
    table = private.parsed(characters)
    if not private.touches(decode(each.raw, carrier, each.encoding), table):
        return each
    record = private.translated(each.record, table)
    return each._replace(record=record, encoding=private.name(each.encoding, key))


def decode(raw: bytes, carrier: str, encoding: str) -> Record:
    """Read one stored record in full, in the encoding that `Read.encoding` named.

    Raises the `Unreadable` of its carrier, a `BadRecord`.
    """
    if private.SLASH in encoding and carrier != ISO2709:
        plain, table = private.apart(encoding)
        record = decode(raw, carrier, plain)
        return private.translated(record, table) if table else record
    if carrier == MARCXML:
        return marcxml.read(raw, encoding)[0]
    if carrier == MARCJSON:
        return marcjson.read(raw)[0]
    if carrier in KINDS:
        return descriptive.read(KINDS[carrier], raw, encoding)[0]
    if carrier in LINES:
        return LINES[carrier].read(raw, encoding)[0]
    if (quickly := quick.fields(raw, encoding)) is not None:
        return Record(raw[:24].decode("ascii", "replace"), quickly)
    found = iso2709.read(raw, rest=True)
    fields = tuple((tag, codec.decode(content, encoding)[0]) for tag, content in found.fields)
    return Record(leader=found.leader.decode("ascii", "replace"), fields=fields)


# ---- ISO 2709


def _read_iso2709(data: bytes, encoding: str, wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    stretch = Stretch(data, wanted)
    if not encoding and stretch.is_plain():
        batch.reads = _sealed(stretch.found)
        return batch
    pending = list(_structures(stretch.found, batch))
    names = [encoding] * len(pending)
    if not encoding:
        charsets = encodings.judged(stretch, pending)
        names, doubts = [charset.name for charset in charsets], encodings.doubts(pending, charsets)
    else:
        doubts = encodings.contradicted(pending, encoding)
    counts = Counter(names)
    for each, name, doubtful in zip(pending, names, doubts, strict=True):
        common = RARE * counts[name] >= len(names)
        if codec.is_gb(name) and stretch.has_private(each, name):
            name = private.name(name, private.GB18030_2022)
        record, lost = stretch.record(each, name, common=common)
        batch.reads.append(Read(each.position, each.ordinal, each.raw, record, name, each.findings + doubtful + lost))
    return batch


def _sealed(found: Scan) -> list[Read]:
    """The records of a stretch of which there is nothing to say."""
    data, utf8 = found.data, codec.UTF8
    starts = found.starts.tolist()
    raws = [data[start:end] for start, end in zip(starts, found.ends.tolist(), strict=True)]
    leaders = b"".join([raw[:24] for raw in raws]).decode("ascii", "replace")
    return [
        Read(start, ordinal, raw, Sealed(leaders[24 * ordinal : 24 * ordinal + 24], (), raw, base), utf8)
        for ordinal, (start, raw, base) in enumerate(zip(starts, raws, found.bases.tolist(), strict=True))
    ]


def _structures(found: Scan, batch: Batch) -> Iterator[Pending]:
    """Every record with its row in the columns or its fields; what has no structure goes to `batch.failed`."""
    data = found.data
    rubbish = _Rubbish()
    ordinal = 0
    for frame in framing.frames(found):
        if frame.row == framing.CRUMBS:
            reason = f"pieces of fewer than {framing.LEAST} bytes"
            ordinal += rubbish.add(frame.start, frame.end, ordinal, reason)
            continue
        raw = data[frame.start : frame.end]
        pending: Pending | None = None
        failed: Failed | None = None
        if frame.row >= 0 and iso2709.WRAPPED not in raw:
            leader = raw[:24].decode("ascii", "replace")
            pending = Pending(frame.start, ordinal, raw, leader, frame.row, (), frame.findings)
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
                pending = Pending(frame.start, ordinal, raw, leader, -1, whole.fields, findings)
        if rubbish:
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

    def __bool__(self) -> bool:
        return self._pieces > 0

    def add(self, start: int, end: int, ordinal: int, reason: str) -> bool:
        """One more piece; whether it is the first and counts."""
        if not self._pieces:
            self._start, self._ordinal, self._reason = start, ordinal, reason
        self._end = end
        self._pieces += 1
        return self._pieces == 1

    def gathered(self, data: bytes) -> list[Failed]:
        """The failure that they make, if there are any."""
        if not self:
            return []
        raw = data[self._start : self._end]
        reason = self._reason if self._pieces == 1 else f"no record in {len(raw):,} bytes with {self._pieces:,} ends"
        self._pieces = 0
        return [Failed(self._start, self._ordinal, raw, NO_RECORD, reason)]


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
            batch.failed.append(Failed(start, ordinal, raw, "unreadable", str(error), error.named))
        else:
            batch.reads.append(Read(start, ordinal, raw, _limited(record, wanted), codec.UTF8, findings))
        ordinal += 1
    return batch
