"""Records as programs show them to people, a field a line: told by content and read back (pure).

Read are the lines of GeniePlus (`24510‡aTitle^`), of Alma's record view (tab between tag, indicators and content, `|a `
before a subfield, `_` for a blank), of yaz-marcdump and of our own MARC view (`245 10 $a Title`), of MARC::Record
(`245 10 _aTitle`, a subfield a line) and of the National Library of Finland (`245 10 ‡aTitle`). The leader comes first,
after `LDR` or alone. Such lines are made for looking: trailing blanks and empty subfields may be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from config.errors import BadRecord
from protocols import coded, marc, pieces
from protocols.marc import DELIMITER, Record
from protocols.pieces import Finding, Piece

BETWEEN = b"\n\n"  # records
SIGNS = "‡ǂ$|\x1f_"  # before a subfield code
NAMED = rb"(?:LDR|LEADER|000)(?:[ \t]{1,6}|\xe2\x80\xa1)"

_LEADER = rb"[0-9 ]{5}[a-z][a-z][a-z0-9 ][ -~]{16}"
_START = re.compile(rb"(?:^|\n)(?=" + NAMED + rb"[\x20-\x7e]{18}|" + _LEADER + rb"\^?\r?\n)")
_LOOKS = re.compile(
    rb"(?:^|\n)(?:" + NAMED + rb"[\x20-\x7e]{20,24}\^?|" + _LEADER + rb"\^?)\r?\n(?:[0-9A-Z]{3}(?:[ \t]|\xe2\x80\xa1))"
)
_FIELD = re.compile(r"[0-9A-Za-z]{3}[ \t0-9A-Za-z_#" + SIGNS + "]")
_BARE = re.compile(_LEADER.decode())
_HEAD = re.compile("(?:LDR|LEADER|000)[ \t‡]")


def _patterns(form: str) -> Mapping[str, re.Pattern[str]]:
    """A pattern for each sign."""
    return {sign: re.compile(form.replace("S", re.escape(sign))) for sign in SIGNS}


_CODES = _patterns("S[0-9a-zA-Z](.?)")
_CLOSE = _patterns("S([0-9A-Za-z])")
_APART = {**_patterns("S([!-~]) "), "$": re.compile(r" ?\$([!-~]) ")}  # yaz also writes a blank before


class Unreadable(BadRecord):
    """The lines hold no field."""

    code = "unreadable"


def looks(head: bytes) -> bool:
    """Whether a text begins like this: a leader in a line, then a field in a line."""
    found = _LOOKS.search(head[:4096])
    return bool(found) and b"\x1e" not in head[:4096]


def count(data: bytes) -> int:
    """Records, by the starts that can be seen."""
    return len(_START.findall(data))


def boundary(buffer: bytes | bytearray) -> int:
    """Where the last record begins (the one before it is complete), or 0."""
    return max((found.end() for found in _START.finditer(buffer)), default=0)


def read_all(data: bytes, encoding: str) -> Iterator[Piece]:
    """The records of a stretch: each begins with its leader."""
    judge = pieces.Judge(data, encoding)
    starts = sorted({0, *(found.end() for found in _START.finditer(data))})
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        raw = data[start:end].rstrip(b"\r\n\t \x1a")
        if not raw.strip(b"\r\n\t \xef\xbb\xbf"):
            continue
        yield pieces.piece(raw, start, judge, read, pieces.NO_RECORD)


def read(data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the lines of one record. Raises `Unreadable`."""
    if len(data) > pieces.LONGEST:
        raise Unreadable(pieces.TOO_LONG.format(len(data), pieces.LONGEST))
    text, lost = pieces.text(data, encoding)
    findings: list[Finding] = list(lost)
    lines = [line for line in text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n") if line.strip()]
    ended = sum(line.endswith("^") for line in lines) * 2 > len(lines)  # GeniePlus ends every field with one
    if ended:
        lines = [line.removesuffix("^") for line in lines]
    leader = ""
    rows: list[tuple[str, str]] = []
    for line in lines:
        if named := _HEAD.match(line):
            leader = coded.leader(_padded(line[named.end() :]), findings)
        elif not leader and not rows and _BARE.fullmatch(line[:24]):
            leader = coded.leader(line, findings)
        elif _FIELD.match(line):
            rows.append((line[:3], line[3:]))
        elif rows and line[:1].isspace():
            tag, rest = rows[-1]
            rows[-1] = (tag, rest + line.strip())
        elif rows and ended:  # a line break inside a value
            tag, rest = rows[-1]
            rows[-1] = (tag, f"{rest} {line.strip()}")
        else:
            findings.append(("marclines-line", f"no field: {line[:60]!r}"))
    if not leader:
        raise Unreadable("no line with a leader")
    shape = _Shape(rows)
    fields = tuple((tag, shape.control(rest) if marc.is_control(tag) else shape.field(rest)) for tag, rest in rows)
    if not fields:
        raise Unreadable("no line with a tag and a content")
    return Record(leader, fields), tuple(findings)


def _padded(text: str) -> str:
    """A leader without the blanks before it: its own first five may be blank too."""
    return text[-24:] if len(text) > 24 and not text[:-24].strip() else text


class _Shape:
    """How a record's lines are laid out."""

    def __init__(self, rows: list[tuple[str, str]]) -> None:
        contents = [self._after_indicators(rest) for tag, rest in rows if not marc.is_control(tag)]
        votes = [content[0] for content in contents if content[:1] and content[0] in SIGNS]
        self.sign = max(set(votes), key=votes.count, default="$")
        codes = _CODES[self.sign].findall("".join(contents))
        self.apart = bool(codes) and codes.count(" ") * 10 > len(codes) * 9  # a blank after every code
        self._cut = (_APART if self.apart else _CLOSE)[self.sign]
        self.tabbed = any(rest.startswith("\t") for _, rest in rows)

    def _after_indicators(self, rest: str) -> str:
        return self._parts(rest)[1]

    @staticmethod
    def _parts(rest: str) -> tuple[str, str]:
        """(indicators, content): the content begins with the first sign among the next characters."""
        apart = rest[:1] == "\t" or (rest[:1] == " " and (rest[2:3] == "_" or rest[2:3] not in SIGNS))
        body = rest[1:] if apart else rest
        return body[:2], body[2:].lstrip(" \t") if body[2:3].isspace() else body[2:]

    def control(self, rest: str) -> str:
        """A control field's value."""
        if rest[:1] in ("\t", "‡", "ǂ"):
            return rest[1:]
        return rest[4:] if not rest[:4].strip() else rest.lstrip(" ")

    def field(self, rest: str) -> str:
        """A data field's text."""
        signs, content = self._parts(rest)
        parts = self._cut.split(content + " " if self.apart and content[-2:-1] == self.sign else content)
        pairs = zip(parts[1::2], parts[2::2], strict=True)
        text = "".join(DELIMITER + code + value for code, value in pairs)
        if parts[0].strip():
            text = f"{DELIMITER}a{parts[0].strip()}{text}"
        return signs.replace("_", " ").replace("#", " ").replace("\\", " ").ljust(2) + text
