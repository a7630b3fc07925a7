"""Aleph sequential: one line a field, every line with the record's system number (Ex Libris, Aleph 500, p-manage-18).

`000000004 24510 L $$aTitle :$$brest`: system number (9 digits; 18 in exports made by Alma), a blank, tag and indicators
(5 characters), a blank, the alphabet's letter and a blank (Alma leaves them out), the content. LDR is the leader; FMT,
the kind of record, is made from it; `^` stands for a blank in leader and control fields (`-` in some exports).

A field too long for a line goes on in lines of the same tag and indicators: `$$9^^$$a` goes on with the subfield that
was cut, `$$9^` begins the next one; a blank lost at the cut is written as `^` before it. DEL with $aY marks a deleted
record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.errors import BadRecord
from protocols import coded, marc, pieces
from protocols.marc import DELIMITER, Record
from protocols.pieces import Finding, Piece

BETWEEN = b"\n000000000\n"  # records: two of the same number are not one
NUMBER = 9  # digits of a system number
LONGEST = 2000  # characters of a line's content
DEFAULT_LEADER = "00000nam a2200000   4500"

_START = re.compile(rb"(?:^|\n)([0-9]{5,20})(?=[ \r\n])(?: (LDR) )?")
_NUMBERED = re.compile(rb"[0-9]{5,20}(?=[ \r\n])")
_LINE = re.compile(r"([0-9]{5,20}) ([0-9A-Za-z]{3})(..) (.*)", re.DOTALL)
_ALPHABET = re.compile(r"[A-Z](?: |$)|$")
_SUBFIELD = re.compile(r"\$\$(?=[^$])")
_LOOKS = re.compile(rb"(?:^|\n)([0-9]{9,18}) (?:LDR|FMT|[0-9]{3}|[A-Z]{3})[ 0-9A-Za-z]{2} (?:[A-Z] )?\S")
_COPY_FORMS = ("006", "007", "008")  # of fixed length: a hyphen there is a blank where the leader has hyphens

# What Aleph calls kinds of records, by leader/06-07 (Aleph 500 cataloguing, formats BK CF CR MP MU VM MX AU HO).
_KINDS = {
    "a": "BK", "t": "BK", "c": "MU", "d": "MU", "i": "MU", "j": "MU", "e": "MP", "f": "MP", "g": "VM", "k": "VM",
    "r": "VM", "o": "VM", "m": "CF", "p": "MX", "z": "AU", "u": "HO", "v": "HO", "x": "HO", "y": "HO",
}  # fmt: skip


class Unreadable(BadRecord):
    """The lines hold no field."""

    code = "unreadable"


def looks(head: bytes) -> bool:
    """Whether a text begins like this format: two lines with a system number and a tag."""
    return len(_LOOKS.findall(head[:4096])) > 1 or bool(_LOOKS.match(head) and head.count(b"\n", 0, 4096) < 2)


def count(data: bytes) -> int:
    """Records: runs of lines with the same number."""
    return sum(1 for _, number in _starts(data) if number.strip(b"0"))


def boundary(buffer: bytes | bytearray) -> int:
    """Where the last record begins (the one before it is complete), or 0."""
    at = buffer.rfind(b"\n", 0, max(buffer.rfind(b"\n"), 0)) + 1  # of the last whole line
    number, cut = _number(buffer, at), at
    while at > 0:
        at = buffer.rfind(b"\n", 0, at - 1) + 1
        here = _number(buffer, at)
        if number and here and here != number:
            return cut
        if here:  # a line without one goes on with a value
            number, cut = here, at
    return 0


def _number(buffer: bytes | bytearray, at: int) -> bytes:
    """The system number of the line at `at`, empty if it has none."""
    found = _NUMBERED.match(buffer, at)
    return found.group() if found else b""


def read_all(data: bytes, encoding: str) -> Iterator[Piece]:
    """The records of a stretch: runs of lines with the same system number."""
    judge = pieces.Judge(data, encoding)
    start = 0
    for begin, _ in _starts(data):
        yield from _piece(data, start, begin, judge)
        start = begin
    yield from _piece(data, start, len(data), judge)


def _starts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(place, system number) where records begin: at another number, or at another leader of the same number."""
    number, led = b"", False
    for found in _START.finditer(data):
        if found.group(1) != number or (led and found.group(2)):
            yield found.start(1), found.group(1)
            number, led = found.group(1), False
        led = led or found.group(2) is not None


def _piece(data: bytes, start: int, end: int, judge: pieces.Judge) -> Iterator[Piece]:
    raw = data[start:end].rstrip(b"\r\n\x1a")
    if not raw.strip() or raw.strip().isdigit():  # a number alone separates records
        return
    rule = pieces.UNREADABLE if raw[:5].isdigit() else pieces.NO_RECORD
    yield pieces.piece(raw, start, judge, read, rule)


def read(data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the lines of one record. Raises `Unreadable`."""
    if len(data) > pieces.LONGEST:
        raise Unreadable(pieces.TOO_LONG.format(len(data), pieces.LONGEST))
    text, lost = pieces.text(data, encoding)
    findings: list[Finding] = list(lost)
    rows: list[tuple[str, str, str]] = []  # tag, indicators, what follows
    number = ""
    for line in text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"):
        if found := _LINE.fullmatch(line):
            number = found.group(1)
            rows.append((found.group(2), found.group(3), found.group(4)))
        elif not line.strip() or line.strip().isdigit():
            continue
        elif rows and not line[:5].isdigit():  # a line break inside a value
            tag, indicators, content = rows[-1]
            rows[-1] = (tag, indicators, f"{content} {line.strip()}")
        else:
            findings.append(("alephseq-line", f"no field: {line[:60]!r}"))
    if not rows:
        raise Unreadable("no line with a system number, a tag and a content")
    # Alma leaves the alphabet out: then some content begins otherwise than with a letter and a blank.
    if all(_ALPHABET.match(content) for _, _, content in rows):
        rows = [(tag, indicators, content[2:]) for tag, indicators, content in rows]
    return _record(number, rows, findings), tuple(findings)


def _record(number: str, rows: list[tuple[str, str, str]], findings: list[Finding]) -> Record:
    head = next((content for tag, _, content in rows if tag == "LDR"), "")
    hyphens = head.startswith("-----") or head[12:17] == "-----"
    fields: list[tuple[str, str]] = []
    last = ("", "")  # tag and indicators of the line before
    for tag, indicators, content in rows:
        if tag in ("LDR", "FMT"):
            continue
        if marc.is_control(tag):
            value = content.replace("^", " ")
            fields.append((tag, value.replace("-", " ") if hyphens and tag in _COPY_FORMS else value))
        elif joined := _continued(fields[-1][1], content) if fields and (tag, indicators) == last else "":
            fields[-1] = (tag, joined)
        else:
            fields.append((tag, indicators + _subfields(content, findings)))
        last = (tag, indicators)
    if not fields:
        raise Unreadable("the record has no fields")
    if not any(tag == "001" for tag, _ in fields):
        fields.insert(0, ("001", number))
        findings.append(("alephseq-001", "the record has no 001: its system number was taken"))
    head = head.replace("^", " ")
    leader = coded.leader(head.replace("-", " ") if hyphens else head, findings) if head.strip() else DEFAULT_LEADER
    if not head.strip():
        findings.append(("leader-missing", "the record has no leader"))
    if any(tag == "DEL" and marc.value(text, "a") == "Y" for tag, text in fields):
        leader = leader[:5] + "d" + leader[6:]
    return coded.with_blanks(Record(leader, tuple(fields)), "^")


def _subfields(content: str, findings: list[Finding]) -> str:
    parts = _SUBFIELD.split(content)
    if parts[0].strip():
        findings.append(("alephseq-line", f"text before the first subfield became $a: {parts[0][:60]!r}"))
        return DELIMITER + "a" + DELIMITER.join((parts[0].strip(), *parts[1:]))
    return "".join(DELIMITER + part for part in parts[1:])


def _continued(before: str, content: str) -> str:
    """The field's text so far with this line's, or "" if the line is a field of its own."""
    if content.startswith("$$9^^$$"):
        rest = _SUBFIELD.split(content)[2:]
        joined = before[:-1] + " " if before.endswith("^") else before
        return DELIMITER.join((joined + rest[0][1:], *rest[1:]))
    if content.startswith("$$9^$$"):
        rest = _SUBFIELD.split(content)[2:]
        return DELIMITER.join((before[:-1] + " " if before.endswith("^") else before, *rest))
    return ""


def write(record: Record, ordinal: int = 1) -> str:
    """The record's lines, ended by a line break. Its system number is 001 where that is a number, else `ordinal`.

    A line break inside a value becomes a blank: a line is a field.
    """
    known = (record.first("001") or "").strip()
    number = known.rjust(NUMBER, "0") if known.isdigit() and known.isascii() and len(known) <= 18 else f"{ordinal:09d}"
    head = record.leader.ljust(24)[:24]
    rows = [("FMT", "  ", kind(head)), ("LDR", "  ", head.replace(" ", "^"))]
    for tag, head, pairs in marc.walk(record):
        if marc.is_control(tag):
            rows.append((tag, "  ", _flat(head).replace(" ", "^")))
        else:
            signs = head.partition(DELIMITER)[0].ljust(2)
            rows.extend((tag, signs, content) for content in _lines(pairs))
    return "".join(f"{number} {tag:3}{signs} L {content}\n" for tag, signs, content in rows)


def kind(leader: str) -> str:
    """What Aleph calls the kind of a record with this leader."""
    return "SE" if leader[7:8] in ("s", "i") and leader[6:7] in "at" else _KINDS.get(leader[6:7], "BK")


def _flat(text: str) -> str:
    """The text on one line."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def _lines(pairs: list[tuple[str, str]]) -> Iterator[str]:
    """A data field's content, cut into lines that Aleph takes."""
    line = ""
    for code, text in pairs:
        value = _flat(text)
        if line and len(line) + 3 + len(value) > LONGEST:
            yield line
            line = "$$9^"
        line += f"$${code}"
        while len(line) + len(value) > LONGEST:
            room = LONGEST - len(line)
            cut = value.rfind(" ", 1, room) + 1 or room
            part, value = value[:cut], value[cut:]
            yield line + (part[:-1] + "^" if part.endswith(" ") else part)
            line = f"$$9^^$${code}"
        line += value
    if line:
        yield line
