"""MARC-8 and ISO 5426 to Unicode.

MARC-8 (MARC 21 Specifications for Record Structure, Character Sets: Part 2) and ISO 5426 share one mechanism: a working
set in G0 (bytes 21-7E) and one in G1 (A1-FE), changed by escape sequences (ISO 2022), and marks that come *before*
their letter. `tables.tsv` (written by `make_tables`) holds the sets. The result is NFC. A byte that means nothing
becomes U+FFFD and is counted; nothing after it is lost, and every subfield starts again from the default sets, so a
missing escape harms one subfield only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

from protocols.charsets import references

Table = dict[int, tuple[str, bool]]  # 7-bit code (three bytes joined for EACC) -> character, is it a combining mark

ASCII, ANSEL, EACC = "B", "E", "1"
ISO5426 = "5426"
REPLACEMENT = "\ufffd"
ESC = 0x1B
UTF8_BEGINS, UTF8_ENDS = b"\x1b%G", b"\x1b%@"  # a passage in UTF-8 (ISO 2022 registration 196; MARC 21, Part 4)

_G0 = re.compile(rb"\x1b(?:[(,]!?([BE234NQS])|\$,?(1)|([gbps]))")  # technique 2 into G0, EACC into G0, technique 1
_G1 = re.compile(rb"\x1b(?:[)\-]!?([BE234NQS])|\$[)\-](1))")


@cache
def table(name: str) -> Table:
    """One set of `tables.tsv`, named by the final byte of its escape sequence (`5426` for ISO 5426)."""
    found: Table = {}
    text = files("protocols.charsets").joinpath("tables.tsv").read_text(encoding="ascii")
    for row in text.splitlines():
        owner, code, ucs, mark = row.split("\t")
        if owner == name and ucs:
            found[int(code, 16)] = (chr(int(ucs, 16)), mark == "c")
    return found


def decode(data: bytes, upper: str = ANSEL) -> tuple[str, int]:
    """Unicode text (NFC) of a field's bytes, and how many codes had no meaning; `upper` is the default set of G1."""
    if ESC not in data:
        if data.isascii() and b"&#" not in data:
            return data.decode("ascii"), 0
        text, unknown = _unescaped(data, upper)
    else:
        decoded = [_subfield(part, upper) if ESC in part else _unescaped(part, upper) for part in data.split(b"\x1f")]
        text, unknown = "\x1f".join([part for part, _ in decoded]), sum([lost for _, lost in decoded])
    if not unknown and references.START not in text:
        return unicodedata.normalize("NFC", text), unknown
    # A mark that begins a subfield must not melt into the subfield's code.
    first, *others = references.read(text).split("\x1f")
    parts = [part[:1] + unicodedata.normalize("NFC", part[1:]) for part in others]
    return "\x1f".join((unicodedata.normalize("NFC", first), *parts)), unknown


def _unescaped(data: bytes, upper: str) -> tuple[str, int]:
    """`_subfield` for bytes without escape sequences, also of several subfields: only the default sets count."""
    marked, astray, letters = _defaults(upper)
    text = data.decode("latin-1")
    unknown = sum(map(len, astray.findall(text)))
    parts = marked.split(text)
    if len(parts) > 1:
        parts[1::3], parts[2::3] = parts[2::3], parts[1::3]
        text = "".join(parts)
    text = text.translate(letters)
    return text, text.count(REPLACEMENT) + unknown


@cache
def _defaults(upper: str) -> tuple[re.Pattern[str], re.Pattern[str], dict[int, str]]:
    """With `upper` in G1: (marks and the letter after them, marks without one, Unicode of every high byte)."""
    codes = table(upper)
    letters = {0x80 + code: table(ANSEL).get(code, (REPLACEMENT, False))[0] for code in range(0x20)}
    letters |= {0x80 + code: codes.get(code, (REPLACEMENT, False))[0] for code in range(0x20, 0x80)}
    marks = "".join(re.escape(chr(0x80 + code)) for code, (_, mark) in codes.items() if mark)
    marked = re.compile(f"([{marks}]+)([^{marks}\x1f])", re.DOTALL)
    return marked, re.compile(f"[{marks}]+(?=\x1f|\\Z)"), letters


def _subfield(data: bytes, upper: str) -> tuple[str, int]:
    """Decode bytes without subfield delimiters, starting from ASCII in G0 and `upper` in G1."""
    out: list[str] = []
    marks: list[str] = []  # waiting for the letter they belong to
    low, high = ASCII, upper
    unknown = at = 0
    end = len(data)
    while at < end:
        byte = data[at]
        if data.startswith(UTF8_BEGINS, at):
            text, lost, at = _unicode(data, at)
            out.append(text)
            unknown += lost
            continue
        if byte == ESC:
            low, high, width = _escape(data, at, low, high)
            if not width:  # a lone escape has no meaning: drop it alone
                unknown += 1
                width = 1
            at += width
            continue
        character, mark, width = _code(data, at, low, high)
        at += width
        if not character:
            unknown += 1
            character = REPLACEMENT
        if mark:
            marks.append(character)
        else:
            out.append(character)
            out.extend(marks)
            marks.clear()
    unknown += len(marks)  # marks at the end belong to nothing
    out.extend(marks)
    return "".join(out), unknown


def _unicode(data: bytes, at: int) -> tuple[str, int, int]:
    """(text, bytes without meaning, where it ends) of a passage in UTF-8 whose marker is at `at`."""
    start = at + len(UTF8_BEGINS)
    end = data.find(UTF8_ENDS, start)
    text = data[start : end if end >= 0 else len(data)].decode("utf-8", "replace")
    return text, text.count(REPLACEMENT), end + len(UTF8_ENDS) if end >= 0 else len(data)


def _escape(data: bytes, at: int, low: str, high: str) -> tuple[str, str, int]:
    """The working sets after the escape sequence at `at`, and its width (0: not one of ours)."""
    if match := _G0.match(data, at):
        final = next(group for group in match.groups() if group).decode("ascii")
        return (ASCII if final == "s" else final), high, len(match.group())
    if match := _G1.match(data, at):
        final = next(group for group in match.groups() if group).decode("ascii")
        return low, final, len(match.group())
    return low, high, 0


def _code(data: bytes, at: int, low: str, high: str) -> tuple[str, bool, int]:
    """(character or nothing, is it a mark, width in bytes) of the code at `at`."""
    byte = data[at]
    if byte <= 0x20:
        return chr(byte), False, 1
    if 0x80 <= byte < 0xA0:  # C1 controls: non-sorting marks and joiners
        return (*table(ANSEL).get(byte & 0x7F, ("", False)), 1)
    working = low if byte < 0x80 else high
    if working != EACC:
        if (working == ASCII and byte < 0x80) or byte == 0x7F:
            return chr(byte), False, 1
        return (*table(working).get(byte & 0x7F, ("", False)), 1)
    code = data[at : at + 3]
    found = table(EACC).get(int.from_bytes(bytes(part & 0x7F for part in code)), ("", False))
    if not found[0] and (len(code) < 3 or any(part & 0x7F <= 0x20 for part in code)):
        return "", False, 1  # a broken code ends at the blank or escape, so that what follows is read
    return (*found, 3)
