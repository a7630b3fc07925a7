"""`.mrk`: the mnemonic form of MARCMaker and MarcEdit (Library of Congress, MARCMaker and MARCBreaker User's Manual).

`=245  10$aTitle :$brest`: an equals sign, the tag, two blanks, indicators, subfields with `$`. `=LDR` (or `=000`) is
the leader. In leader, control fields and indicators `\\` is a blank. What the form needs for itself is written as a
mnemonic: `{dollar}`, `{bsol}`, `{lcub}`, `{rcub}`; older files also write the characters of MARC-8 so (`mnemonics`).
A line that does not begin with `=` goes on with the field before it. Records are set apart by an empty line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.errors import BadRecord
from protocols import coded, marc, mnemonics, pieces
from protocols.marc import DELIMITER, Record
from protocols.pieces import Finding, Piece

BETWEEN = b"\n\n"  # records
DEFAULT_LEADER = "00000nam a2200000   4500"

_START = re.compile(rb"(?:^|\n)(?==(?:LDR|000|LEADER)[ \t])|\n[ \t\r]{0,80}+\n(?==[0-9A-Za-z]{3}[ \t])")
_LOOKS = re.compile(rb"(?:^|\n)=(?:LDR|000|LEADER|[0-9]{3})[ \t]")
_FIELD = re.compile(r"=(LDR|LEADER|[0-9A-Za-z]{3})[ \t]{0,2}(.*)", re.DOTALL)
_ESCAPES = str.maketrans(
    {"{": "{lcub}", "}": "{rcub}", "$": "{dollar}", "\\": "{bsol}", "\r": " ", "\n": " ", "\x1d": " ", "\x1e": " "}
)


class Unreadable(BadRecord):
    """The lines hold no field."""

    code = "unreadable"


def looks(head: bytes) -> bool:
    """Whether a text begins like this format."""
    return bool(_LOOKS.search(head[:4096]))


def count(data: bytes) -> int:
    """Records, by the starts that can be seen."""
    return len(_START.findall(data))


def boundary(buffer: bytes | bytearray) -> int:
    """Where the last record begins (the one before it is complete), or 0."""
    return max((found.end() for found in _START.finditer(buffer)), default=0)


def read_all(data: bytes, encoding: str) -> Iterator[Piece]:
    """The records of a stretch."""
    judge = pieces.Judge(data, encoding)
    starts = sorted({0, *(found.end() for found in _START.finditer(data))})
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        raw = data[start:end].rstrip(b"\r\n\x1a")
        if not raw.strip(b"\r\n\t \xef\xbb\xbf"):
            continue
        rule = pieces.UNREADABLE if b"=" in raw else pieces.NO_RECORD
        yield pieces.piece(raw, start, judge, read, rule)


def read(data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the lines of one record. Raises `Unreadable`."""
    if len(data) > pieces.LONGEST:
        raise Unreadable(pieces.TOO_LONG.format(len(data), pieces.LONGEST))
    text, lost = pieces.text(data, encoding)
    findings: list[Finding] = list(lost)
    unknown: dict[str, None] = {}
    leader = ""
    fields: list[tuple[str, str]] = []
    for line in _joined(text.removeprefix("\ufeff"), findings):
        found = _FIELD.fullmatch(line)
        if not found:
            findings.append(("mrk-line", f"no field: {line[:60]!r}"))
            continue
        tag, content = found.groups()
        if tag in ("LDR", "LEADER", "000"):
            leader = coded.leader(mnemonics.expand(content.replace("\\", " "), unknown), findings)
        elif marc.is_control(tag):
            fields.append((tag, mnemonics.expand(content.replace("\\", " "), unknown)))
        else:
            fields.append((tag, _data_field(content, unknown)))
    if not fields:
        raise Unreadable("no line with an equals sign, a tag and a content")
    if unknown:
        findings.append(("mrk-mnemonic", f"unknown, kept as they stand: {' '.join(unknown)}"))
    if not leader:
        findings.append(("leader-missing", "the record has no leader"))
    return coded.with_blanks(Record(leader or DEFAULT_LEADER, tuple(fields)), "\\"), tuple(findings)


def _joined(text: str, findings: list[Finding]) -> Iterator[str]:
    """Lines, each with those that go on with it."""
    field = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("=") and _FIELD.match(line):
            if field:
                yield field
            field = line
        elif line.strip() and field:
            apart = field[-1:].isascii() and line[:1].isascii() and not field[-1:].isspace() and not line[:1].isspace()
            field += " " * apart + line
        elif line.strip():
            findings.append(("mrk-line", f"no field: {line[:60]!r}"))
    if field:
        yield field


def _data_field(content: str, unknown: dict[str, None]) -> str:
    """Indicators and subfields; a code is what follows `$`, before mnemonics are read."""
    head, *parts = content.split("$")
    signs = head.replace("\\", " ").ljust(2)[:2]
    return signs + "".join(DELIMITER + mnemonics.expand(part, unknown) for part in parts if part)


def write(record: Record) -> str:
    """The record's lines and the empty line that ends it.

    A line break inside a value becomes a blank: a line is a field.
    """
    rows = [f"=LDR  {_coded(record.leader.ljust(24)[:24])}"]
    for tag, head, pairs in marc.walk(record):
        if marc.is_control(tag):
            rows.append(f"={tag}  {_coded(head)}")
            continue
        signs = head.partition(DELIMITER)[0].ljust(2)
        content = "".join(f"${code}{value.translate(_ESCAPES)}" for code, value in pairs)
        rows.append(f"={tag}  {_coded(signs)}{content}")
    return "\n".join(rows) + "\n\n"


def _coded(text: str) -> str:
    return text.translate(_ESCAPES).replace(" ", "\\")
