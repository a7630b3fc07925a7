"""The one door from bytes to records: a stretch of a file goes in, its records, failures and findings come out.

Sound ISO 2709 in UTF-8 takes the columnar way: wanted fields are sliced and decoded, nothing else is touched. Every
other record takes the tolerant way of its carrier. Every byte of a stretch is in a record, in a failure or padding.

Rules of findings: `iso2709-*` (structure, see `iso2709`, `directory`, `framing`), `xml-*`, `json-*`, `leader-*`,
`encoding-uncertain` (no encoding fits well), `encoding-invalid-bytes` (codes without meaning became U+FFFD),
`encoding-leader` (leader/09 says otherwise). Rules of failures: `unreadable`, and `not-a-record` for rubbish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from protocols import columnar, dialect, framing, iso2709, marcjson, marcxml, quick
from protocols.charsets import codec, sniff
from protocols.columnar import Scan
from protocols.detect import MARCJSON, MARCXML
from protocols.marc import Record, value

Finding = tuple[str, str]  # rule id, detail
Raw = list[tuple[str, bytes]]

OPENING = 32  # records judged before any is decoded, so that the first ones have neighbours too


@dataclass(frozen=True, slots=True)
class Read:
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


@dataclass(slots=True, kw_only=True)
class _Pending:
    """An ISO 2709 record whose structure is known and whose encoding may not be."""

    position: int
    ordinal: int
    raw: bytes
    leader: bytes
    fields: Raw
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
            batch = _read_marcxml(data, name, wanted)
        case "marcjson":
            batch = _read_marcjson(data, wanted)
        case _:
            raise ValueError(f"unknown carrier {carrier!r}")
    taken = sum(len(each.raw) for each in batch.reads) + sum(len(each.raw) for each in batch.failed)
    batch.padding = len(data) - taken
    return batch


def decode(raw: bytes, carrier: str, encoding: str) -> Record:
    """Read one stored record in full, in the encoding that `Read.encoding` named.

    Raises `iso2709.Unreadable`, `marcxml.Unreadable` or `marcjson.Unreadable` (all `BadRecord`).
    """
    if carrier == MARCXML:
        return marcxml.read(raw, encoding)[0]
    if carrier == MARCJSON:
        return marcjson.read(raw)[0]
    if (quickly := quick.fields(raw, encoding)) is not None:
        return Record(raw[:24].decode("ascii", "replace"), quickly)
    found = iso2709.read(raw)
    fields = tuple((tag, codec.decode(content, encoding)[0]) for tag, content in found.fields)
    return Record(leader=found.leader.decode("ascii", "replace"), fields=fields)


# ---- ISO 2709


def _read_iso2709(data: bytes, encoding: str, wanted: frozenset[str] | None) -> Batch:
    found = columnar.scan(data)
    special = 0x1B in data or b"&#x" in data or iso2709.WRAPPED in data
    if encoding in ("", codec.UTF8) and found.sound.all() and not special and _is_utf8(data):
        rest = data[found.tail :]
        if not rest.strip(columnar.PADDING + b" "):
            return Batch(reads=_clean(found, wanted))
    batch = Batch()
    pending = list(_structures(found, batch))
    context = sniff.Context()
    if not encoding:
        _listen(pending, context)
    for each in pending:
        batch.reads.append(_decoded(each, encoding, context, wanted))
    return batch


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _clean(found: Scan, wanted: frozenset[str] | None) -> list[Read]:
    """Sound records of a stretch that is UTF-8 throughout."""
    data = found.data
    leaders, rows = columnar.texts(found, wanted)
    places = zip(found.starts.tolist(), found.ends.tolist(), leaders, rows, strict=True)
    return [
        Read(start, row, data[start:end], Record(leader, fields), codec.UTF8)
        for row, (start, end, leader, fields) in enumerate(places)
    ]


def _structures(found: Scan, batch: Batch) -> Iterator[_Pending]:
    """Every record's fields as bytes; what has no structure goes to `batch.failed`."""
    rows = columnar.slices(found, None)
    for ordinal, frame in enumerate(framing.frames(found)):
        raw = found.data[frame.start : frame.end]
        if frame.row >= 0 and iso2709.WRAPPED not in raw:
            leader, fields, findings = raw[:24], rows[frame.row], frame.findings
        else:
            try:
                read_ = iso2709.read(raw)
            except iso2709.Unreadable as error:
                rule = "unreadable" if b"\x1e" in raw else "not-a-record"
                batch.failed.append(Failed(frame.start, ordinal, raw, rule, str(error)))
                continue
            leader, fields = read_.leader, list(read_.fields)
            findings = (*frame.findings, *(each for each in read_.findings if each[0] not in dict(frame.findings)))
        yield _Pending(
            position=frame.start, ordinal=ordinal, raw=raw, leader=leader, fields=fields, findings=tuple(findings)
        )


def _listen(pending: list[_Pending], context: sniff.Context) -> None:
    """Hear a few of the records that need a judgement, spread over the stretch, before judging any."""
    unclear = [each for each in pending if sniff.plain(_body(each)) is None]
    step = max(1, len(unclear) // OPENING)
    for each in unclear[::step]:
        part = sniff.sample(_body(each))
        context.add(part, sniff.scores(part, _hint(each)))


def _hint(each: _Pending) -> sniff.Hint:
    """What the record says of itself, its family judged on its ASCII parts."""
    record = Record(
        leader=each.leader.decode("ascii", "replace"),
        fields=tuple((tag, content.decode("latin-1")) for tag, content in each.fields),
    )
    family = dialect.family(record)
    codes = ""
    if family == dialect.CNMARC and (text := record.first("100")):
        codes = value(text, "a")[26:30]
    return sniff.Hint(leader09=record.leader[9:10], codes100=codes, family=family)


def _decoded(each: _Pending, encoding: str, context: sniff.Context, wanted: frozenset[str] | None) -> Read:
    findings = list(each.findings)
    name = encoding
    if not name:
        judged = _judged(each, context)
        name = judged.name
        if not judged.sure:
            findings.append(("encoding-uncertain", f"no encoding fits well, {name} was taken"))
        if each.leader[9:10] == b"a" and name != codec.UTF8:
            findings.append(("encoding-leader", f"leader/09 says UTF-8, the bytes are {name}"))
    chosen = each.fields if wanted is None else [field_ for field_ in each.fields if field_[0] in wanted]
    fields = _at_once(chosen, name)
    if fields is None:
        fields, lost = _one_by_one(chosen, name)
        if lost:
            shown = " ".join(dict.fromkeys(lost))
            findings.append(("encoding-invalid-bytes", f"codes without meaning in {name} became U+FFFD: {shown}"))
    leader = each.leader.decode("ascii", "replace")
    return Read(each.position, each.ordinal, each.raw, Record(leader, tuple(fields)), name, tuple(findings))


def _body(each: _Pending) -> bytes:
    """The bytes after the directory: a damaged leader says nothing of the encoding."""
    return each.raw[each.raw.find(0x1E) :]


def _judged(each: _Pending, context: sniff.Context) -> sniff.Charset:
    body = _body(each)
    if b"&#x" in body and each.leader[9:10] != b"a" and body.isascii():
        return sniff.Charset(name=codec.MARC8, sure=True)  # MARC-8's way to write what it lacks
    return sniff.plain(body) or sniff.follow(body, context) or sniff.decide(body, _hint(each), context)


def _at_once(fields: Raw, name: str) -> list[tuple[str, str]] | None:
    """All fields in one call, if the encoding keeps no state and every byte has a meaning; else None."""
    if name in codec.STATEFUL:
        return None
    try:
        texts = b"\x1e".join([content for _, content in fields]).decode(name).split("\x1e")
    except UnicodeDecodeError:
        return None
    return [(tag, text) for (tag, _), text in zip(fields, texts, strict=True)] if fields else []


def _one_by_one(fields: Raw, name: str) -> tuple[list[tuple[str, str]], list[str]]:
    """(fields, tags of those in which codes had no meaning)."""
    found: list[tuple[str, str]] = []
    lost: list[str] = []
    for tag, content in fields:
        text, unknown = codec.decode(content, name)
        if unknown:
            lost.append(tag)
        found.append((tag, text))
    return found, lost


# ---- MARCXML and MARC-in-JSON


def _limited(record: Record, wanted: frozenset[str] | None) -> Record:
    if wanted is None:
        return record
    return Record(record.leader, tuple(each for each in record.fields if each[0] in wanted))


def _read_marcxml(data: bytes, encoding: str, wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    name = encoding or codec.UTF8
    if not encoding and (declared := marcxml.declared_encoding(data[:400])):
        name = declared
    for ordinal, element in enumerate(marcxml.elements(data)):
        raw = data[element.start : element.end]
        try:
            if not element.whole:
                raise marcxml.Unreadable("a tag of the record element is missing or damaged")
            record, findings = marcxml.read(raw, name)
        except marcxml.Unreadable as error:
            batch.failed.append(Failed(element.start, ordinal, raw, "unreadable", str(error)))
        else:
            batch.reads.append(Read(element.start, ordinal, raw, _limited(record, wanted), name, findings))
    return batch


def _read_marcjson(data: bytes, wanted: frozenset[str] | None) -> Batch:
    batch = Batch()
    pieces = _json_lines(data) if marcjson.is_lines(data) else _json_document(data)
    for ordinal, (start, end) in enumerate(pieces):
        raw = data[start:end]
        try:
            record, findings = marcjson.read(raw)
        except marcjson.Unreadable as error:
            batch.failed.append(Failed(start, ordinal, raw, "unreadable", str(error)))
        else:
            batch.reads.append(Read(start, ordinal, raw, _limited(record, wanted), codec.UTF8, findings))
    return batch


def _json_lines(data: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        body = line.strip().removeprefix(b"\xef\xbb\xbf").rstrip(b",").rstrip()
        if body not in (b"", b"[", b"]", b"\x1e"):
            at = start + line.find(body)
            yield at, at + len(body)
        start = end + 1


def _json_document(data: bytes) -> Iterator[tuple[int, int]]:
    text = data.decode("utf-8", "surrogateescape")
    at = place = 0  # characters, bytes
    for start, end in marcjson.elements(text):
        first = place + len(text[at:start].encode("utf-8", "surrogateescape"))
        place = first + len(text[start:end].encode("utf-8", "surrogateescape"))
        at = end
        yield first, place
