"""What a reader of documents and lines finds in a stretch, one piece after the other (pure).

The readers of XML, JSON and line formats hand back pieces; `protocols.reading` makes its batches of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from config.errors import BadRecord
from protocols.charsets import codec, sniff
from protocols.charsets.sniff import Charset
from protocols.marc import Record

Finding = tuple[str, str]  # rule id, detail
UNREADABLE, NO_RECORD = "unreadable", "not-a-record"
LONGEST = 3 << 19  # bytes of a record's lines; ISO 2709 has room for 99,999
TOO_LONG = "the record has {:,} bytes; no record has more than {:,}"


class Piece(NamedTuple):
    """Bytes of a stretch with the record that was read of them, or with the rule and the reason why none was."""

    start: int
    end: int
    record: Record | None = None
    encoding: str = codec.UTF8
    findings: tuple[Finding, ...] = ()
    rule: str = ""
    reason: str = ""


def text(data: bytes, encoding: str) -> tuple[str, tuple[Finding, ...]]:
    """Lines in a known encoding as text. Encodings that keep state are decoded line by line: each begins anew."""
    if encoding in codec.STATEFUL:
        parts = [codec.decode(line, encoding) for line in data.split(b"\n")]
        decoded, lost = "\n".join(part for part, _ in parts), sum(count for _, count in parts)
    else:
        decoded, lost = codec.decode(data, encoding)
    findings: tuple[Finding, ...] = ()
    if lost:
        findings += (("encoding-invalid-bytes", f"{lost} codes without meaning in {encoding} became U+FFFD"),)
    if "\x1e" in decoded or "\x1d" in decoded:  # what ends fields and records elsewhere
        findings += (("iso2709-terminator-in-field", "a terminator of ISO 2709 became a blank"),)
        decoded = decoded.translate({0x1D: " ", 0x1E: " "})
    return decoded, findings


class Judge:
    """Which encoding the records of a stretch are in: the one that was told, else each record's own evidence beside
    that of its neighbours."""

    def __init__(self, data: bytes, encoding: str) -> None:
        self._told = Charset(name=encoding, sure=True) if encoding else sniff.plain(data)
        self._context = sniff.Context()
        if self._told is None:
            part = sniff.sample(data)
            self._context.add(part, sniff.scores(part, sniff.Hint()))

    def of(self, data: bytes) -> Charset:
        """The encoding of one record's bytes."""
        return self._told or sniff.follow(data, self._context) or sniff.decide(data, sniff.Hint(), self._context)


def doubts(charset: Charset) -> tuple[Finding, ...]:
    """What there is to say of a judgement."""
    if charset.sure:
        return ()
    return (("encoding-uncertain", f"no encoding fits well, {charset.name} was taken"),)


def piece(
    raw: bytes,
    start: int,
    judge: Judge,
    read: Callable[[bytes, str], tuple[Record, tuple[Finding, ...]]],
    otherwise: str,
) -> Piece:
    """The piece that `raw` is; `otherwise` is the rule of one that `read` finds no record in."""
    charset = judge.of(raw)
    try:
        record, findings = read(raw, charset.name)
    except BadRecord as error:
        return Piece(start, start + len(raw), rule=otherwise, reason=str(error))
    return Piece(start, start + len(raw), record, charset.name, findings + doubts(charset))
