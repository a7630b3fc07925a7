"""ISO 2709 one record at a time: a tolerant reader and a strict writer (ISO 2709:2008, 4.2-4.4).

The reader trusts what agrees: where leader, directory and field terminators contradict each other, the terminators win,
because programs that break records change contents after the lengths were computed (another encoding, CR LF, a field
edited in place), and hardly ever touch the terminators. Whatever had to be repaired is a finding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from config.errors import BadRecord
from protocols import directory
from protocols.charsets import codec, encode
from protocols.charsets.encode import Encoded
from protocols.marc import Record

RECORD_END, FIELD_END = b"\x1d", b"\x1e"
MAX_RECORD, MAX_FIELD = 99_999, 9_999  # what five and four digits can say
WRAPPED = b"++\x1e"  # a field that goes on in the next one of its tag
LONGEST = 3 << 19  # bytes that are believed to be one record: some programs write more than their leaders can say
JUNK = 4096  # bytes before a leader that are searched for it

_LEADER = re.compile(rb"(?=[0-9 ]{5}[\x20-\x7e]{7}[0-9]{5}[\x20-\x7e]{7})")
_OPENING = re.compile(rb"[0-9]{5}[a-z0-9 ]")
_PADDING = b"\r\n\t\x00\x1a\x0c"
_BOM = b"\xef\xbb\xbf"

Finding = tuple[str, str]  # rule id, detail


class Unreadable(BadRecord):
    """Nothing that identifies a record is left in the bytes."""

    code = "unreadable"


class CutOff(Unreadable):
    """The record ends before its last field does: the rest of it was lost on the way."""

    code = "cut-off"


class TooLong(BadRecord):
    """The record can't be written as ISO 2709."""

    code = "too-long"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRecord:
    """A record's parts as bytes: no character set is judged yet."""

    leader: bytes  # 24 bytes
    fields: tuple[tuple[str, bytes], ...]  # tag, content without terminator
    findings: tuple[Finding, ...] = ()


def read(data: bytes, *, rest: bool = False) -> RawRecord:
    """Read one record, with or without its terminator; `data` may have rubbish before the leader.

    Raises `Unreadable` with the reason when there is no field left to read, and `CutOff` when the end is missing: what
    is left of such a record would pass for a short one and put an older, whole one out of the catalogue. With `rest`
    it is read all the same.
    """
    if len(data) > LONGEST:
        raise Unreadable(f"{len(data):,} bytes; no record has more than {LONGEST:,}")
    findings: list[Finding] = []
    body = data.lstrip(_PADDING).removeprefix(_BOM).lstrip(_PADDING)
    whole = len(body.rstrip(_PADDING))
    if body.rstrip(_PADDING).endswith(RECORD_END):
        body = body[: whole - 1]
        ended = True
    else:
        ended = False
        body = body[:whole]
        findings.append(("iso2709-terminator", "the record does not end with 1D"))
    body = _from_leader(body, findings)
    first = body.find(FIELD_END, 12)
    if first < 0:
        if not ended and _OPENING.match(body) and int(body[:5]) > len(body):
            raise CutOff(f"the record is cut off after {len(body):,} of {int(body[:5]):,} bytes, within its directory")
        raise Unreadable(f"no field terminator in {len(body)} bytes")
    leader, entry_bytes, base = _split(body, first, findings)
    if leader[:5].isdigit() and int(leader[:5]) != len(body) + 1:
        findings.append(("iso2709-length", f"leader says {int(leader[:5])} bytes, the record has {len(body) + 1}"))
    elif not leader[:5].isdigit():
        findings.append(("iso2709-length", f"leader 0-4 is no number: {leader[:5]!r}"))
    entries = directory.entries_of(entry_bytes, leader, findings)
    if not (ended or rest) and (missing := directory.missing(entries, body, base)):
        raise CutOff(f"the record is cut off: {missing} of its {len(entries)} fields are missing or have no end")
    fields = directory.place(entries, body, base, findings)
    if not fields:
        raise Unreadable("the record has no fields")
    readable = sum(1 for entry in entries if entry.tag.isalnum() and min(entry.start, entry.length) >= 0)
    if 2 * readable < len(entries) and not (leader[:5].isdigit() and leader[20:22] == b"45"):
        raise Unreadable("neither leader nor directory can be read")
    if WRAPPED in body:
        fields = _unwrapped(fields, findings)
    return RawRecord(leader=leader, fields=tuple(fields), findings=_gathered(findings))


def _unwrapped(fields: list[tuple[str, bytes]], findings: list[Finding]) -> list[tuple[str, bytes]]:
    """Fields that a program cut into several of one tag, each ending with `++`, the rest without subfield codes."""
    joined: list[tuple[str, list[bytes]]] = []
    for tag, content in fields:
        if joined and joined[-1][0] == tag and joined[-1][1][-1].endswith(b"++") and b"\x1f" not in content:
            pieces = joined[-1][1]
            pieces[-1:] = [pieces[-1][:-2], content[2:]]
            findings.append(("iso2709-wrapped", f"field {tag} was cut into pieces and is joined"))
        else:
            joined.append((tag, [content]))
    return [(tag, b"".join(pieces)) for tag, pieces in joined]


def _gathered(findings: list[Finding]) -> tuple[Finding, ...]:
    """One finding a rule: its first detail and how many more there were."""
    details: dict[str, list[str]] = {}
    for rule, detail in findings:
        details.setdefault(rule, []).append(detail)
    return tuple(
        (rule, found[0] if len(found) == 1 else f"{found[0]}, and {len(found) - 1} more")
        for rule, found in details.items()
    )


def _from_leader(body: bytes, findings: list[Finding]) -> bytes:
    """The bytes from the leader on; rubbish before it is a finding."""
    directory_end = body.find(FIELD_END)
    if body[12:17].isdigit() and int(body[12:17]) == directory_end + 1:
        return body
    for found in _LEADER.finditer(body, 0, JUNK):
        start = found.start()
        if int(body[start + 12 : start + 17]) == directory_end + 1 - start:
            if start:
                findings.append(("iso2709-junk", f"{start} bytes before the leader"))
            return body[start:]
    return body


def _split(body: bytes, first: int, findings: list[Finding]) -> tuple[bytes, bytes, int]:
    """(leader of 24 bytes, directory, base address) given the place of the first field terminator."""
    stated = body[12:17]
    if stated.isdigit() and int(stated) == first + 1:
        return body[:24].ljust(24), body[24:first], first + 1
    findings.append(("iso2709-base", f"leader 12-16 is {stated!r}, the directory ends at {first + 1}"))
    head = body[:first]
    for newline in (b"\r\n", b"\n", b"\r"):  # a line break inside leader or directory shifts everything by its width
        if newline in head:
            mended = head.replace(newline, b"")
            if (len(mended) - 24) % 12 == 0:
                findings.append(("iso2709-newline", "line breaks inside leader or directory"))
                return mended[:24], mended[24:], first + 1
    start = _directory_start(head)
    leader = head[:start]
    if start != 24:
        findings.append(("iso2709-leader", f"the leader has {start} bytes"))
        leader = _mended_leader(leader)
    return leader[:24].ljust(24), head[start:], first + 1


def _directory_start(head: bytes) -> int:
    """Where the directory begins: 24, unless bytes were lost or added in the leader and another place fits better."""
    if (len(head) - 24) % 12 == 0 or len(head) < 36:
        return 24
    for start in (23, 25, 22, 26, 21, 27, 20, 28):
        width = len(head) - start
        if (
            width > 0
            and width % 12 == 0
            and head[start + 3 : start + 12].isdigit()
            and head[start : start + 3].isalnum()
        ):
            starts = [head[at + 7 : at + 12] for at in range(start, len(head), 12)]
            if all(value.isdigit() for value in starts) and int(starts[0]) == 0:
                return start
    return 24


def _mended_leader(leader: bytes) -> bytes:
    """A leader with bytes lost or added, made 24 bytes long with its known ends kept in place."""
    return leader[:9].ljust(9) + leader[9:][-15:].rjust(15) if len(leader) < 24 else leader[:9] + leader[-15:]


def write(record: Record, encoding: str = "utf-8") -> bytes:
    """The record as ISO 2709 bytes, lengths and base address computed; the leader says what it said.

    Raises `TooLong` when a field has more than 9,999 bytes or the record more than 99,999, and `BadRecord` when a
    character can't be written in `encoding` or a tag has not three ASCII characters.
    """
    written, lost = encoded(record, encoding)
    if lost:
        raise BadRecord(f"{' '.join(sorted(set(lost)))} can't be written in {encoding}; write UTF-8 instead")
    return written


def encoded(record: Record, encoding: str) -> Encoded:
    """As `write`, but characters that the encoding lacks are written as references and told."""
    if encoding == codec.UTF8 and (quick := _quickly(record)):
        return Encoded(quick)
    entries: list[bytes] = []
    contents: list[bytes] = []
    lost: list[str] = []
    at = 0
    for tag, text in record.fields:
        if "\x1e" in text or "\x1d" in text:
            text = text.replace("\x1e", " ").replace("\x1d", " ")
        told = encode.encode(text, encoding)
        lost += told.lost
        content = told.data + FIELD_END
        if len(content) > MAX_FIELD:
            raise TooLong(f"field {tag} has {len(content)} bytes, ISO 2709 can say 9,999: write MARCXML instead")
        entries.append(b"%b%04d%05d" % (_tag(tag), len(content), at))
        contents.append(content)
        at += len(content)
    base = 24 + 12 * len(entries) + 1
    length = base + at + 1
    if length > MAX_RECORD:
        raise TooLong(f"the record has {length} bytes, ISO 2709 can say 99,999: write MARCXML instead")
    head = _head(record.leader, length, base)
    return Encoded(b"".join((head, *entries, FIELD_END, *contents, RECORD_END)), tuple(lost))


def _head(said: str, length: int, base: int) -> bytes:
    """The leader with its lengths."""
    leader = said.ljust(24)[:24].encode("ascii", "replace")
    counts = leader[10:12] if leader[10:12].isdigit() else b"22"
    map_ = leader[20:24] if leader[20:22] == b"45" else b"4500"
    return b"%05d%b%b%05d%b%b" % (length, leader[5:10], counts, base, leader[17:20], map_)


def _quickly(record: Record) -> bytes:
    """The record in UTF-8, all its fields encoded at once; nothing if there is anything to be said about one."""
    try:
        data = "\x1e".join([text for _, text in record.fields]).encode("utf-8")
    except UnicodeEncodeError:
        return b""
    lengths = [len(content) + 1 for content in data.split(FIELD_END)]
    tags = [tag for tag, _ in record.fields]
    base = 24 + 12 * len(tags) + 1
    length = base + len(data) + 2
    if (
        len(lengths) != len(tags)
        or b"\x1d" in data
        or length > MAX_RECORD
        or max(lengths) > MAX_FIELD
        or set(map(len, tags)) != {3}
    ):
        return b""
    starts = accumulate(lengths, initial=0)
    if length <= MAX_FIELD:  # nearly all
        four = _four()
        entries = "".join(
            [f"{tag}{four[long]}0{four[at]}" for tag, long, at in zip(tags, lengths, starts, strict=False)]
        )
    else:
        entries = "".join([f"{tag}{long:04}{at:05}" for tag, long, at in zip(tags, lengths, starts, strict=False)])
    if not entries.isascii():
        return b""
    return b"".join((_head(record.leader, length, base), entries.encode(), FIELD_END, data, FIELD_END, RECORD_END))


@cache
def _four() -> tuple[str, ...]:
    """Numbers of four digits: to format them anew costs three times as much."""
    return tuple(f"{number:04}" for number in range(MAX_FIELD + 1))


def _tag(tag: str) -> bytes:
    if len(tag) != 3 or not tag.isascii():
        raise BadRecord(f"tag {tag!r} has not three ASCII characters and can't be written as ISO 2709")
    return tag.encode("ascii")
