"""Private-use code points that have a meaning: GB 18030's by standard, a source's own by its table.

`private.tsv` lists the code points to which GBK and GB 18030-2000 sent characters that Unicode did not have yet, with
what they are since. In the two-byte codes of GB 18030 some can mean nothing else, so `codec` reads them there; in all
other records they are left alone, unless the source's own table says so.

A record in which a table changes something has an encoding with the table's number, `utf-8/1234567`: kept bytes stay as
they came and are always read by the table they were first read by. `2022` is the number of GB 18030's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from config.errors import Misconfigured
from protocols.marc import Record

MAGIC = b"#characters\n"  # how a table's bytes begin
SLASH = "/"
GB18030_2022 = 2022
MAX_ROWS = 10_000

PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
_FIRST = "GB 18030-2000"  # what it assigned by itself its codec reads right
_POINT = re.compile(r"(?:U\+|0x)?([0-9A-Fa-f]{4,6})")

Table = Mapping[int, str]  # code point -> characters in its place

_learnt: dict[int, Table] = {}  # by number, which is a hash of the bytes: what holds here holds everywhere


@cache
def table() -> Table:
    """All of `private.tsv`: for texts that went through GBK."""
    return {code: character for code, character, _ in _rows()}


@cache
def two_bytes() -> dict[int, str]:
    """The rows for two-byte codes that GB 18030-2000 could not assign."""
    return {code: character for code, character, since in _rows() if since != _FIRST}


@cache
def assigned() -> dict[int, str]:
    """Character -> the private code point whose two-byte code GB 18030 gives to it: `two_bytes` turned round."""
    return {ord(character): chr(code) for code, character in two_bytes().items()}


def _rows() -> list[tuple[int, str, str]]:
    text = files("protocols.charsets").joinpath("private.tsv").read_text(encoding="ascii")
    rows = (row.split("\t") for row in text.splitlines() if not row.startswith("#"))
    return [(int(code, 16), chr(int(ucs, 16)), since) for code, ucs, _, since in rows]


# ---- a source's table


def body(text: str) -> bytes:
    """A table as it is stored, from lines `code point, tab, character or code point`; the rest of a line is a remark.

    Raises `Misconfigured` with the line for anything else.
    """
    rows: dict[int, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        code, _, rest = line.partition("\t")
        wanted = rest.partition("\t")[0].strip()
        point = _POINT.fullmatch(code.strip())
        key = int(point.group(1), 16) if point else ord(code) if len(code) == 1 else -1
        if not wanted or not 0x80 <= key <= 0x10FFFF:
            raise Misconfigured(f"line {number}: wanted a code point, a tab and a character, as in U+E000<tab>U+4E2D")
        target = _POINT.fullmatch(wanted) if len(wanted) > 1 else None
        rows[key] = _character(int(target.group(1), 16), number) if target else wanted
        if len(rows[key]) > 8 or (rows[key].isascii() and not rows[key].isprintable()):
            raise Misconfigured(f"line {number}: {wanted!r} is no character")
    if not rows or len(rows) > MAX_ROWS:
        raise Misconfigured(f"a table has from 1 to {MAX_ROWS:,} rows; this one has {len(rows):,}")
    lines = "".join(f"{key:04X}\t{rows[key]}\n" for key in sorted(rows))
    return MAGIC + lines.encode("utf-8")


def _character(code: int, line: int) -> str:
    if code < 0x20 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        raise Misconfigured(f"line {line}: {code:04X} is no character")
    return chr(code)


def ready() -> bytes:
    """The table of all of `private.tsv`, as it is stored."""
    return body("".join(f"{code:04X}\t{character}\n" for code, character in table().items()))


@lru_cache(maxsize=64)
def parsed(stored: bytes) -> Table:
    """A stored table."""
    rows = (row.partition("\t") for row in stored.removeprefix(MAGIC).decode("utf-8").splitlines())
    return {int(code, 16): character for code, _, character in rows}


def touches(record: Record, table: Table) -> bool:
    """Whether a record has characters that a table replaces."""
    codes = table.keys()
    return any(not text.isascii() and not codes.isdisjoint(map(ord, text)) for _, text in record.fields)


def translated(record: Record, table: Table) -> Record:
    """The record with the characters of a table replaced."""
    fields = tuple([(tag, text if text.isascii() else text.translate(table)) for tag, text in record.fields])
    return Record(record.leader, fields)


def number(stored: bytes) -> int:
    """31 bits, never 0, as the numbers of dictionaries are."""
    return int.from_bytes(hashlib.blake2b(stored, digest_size=4).digest(), "big") >> 1 | 1


def learn(stored: Mapping[int, bytes]) -> None:
    """Remember the tables among bodies by number."""
    for key, each in stored.items():
        if key not in _learnt and each.startswith(MAGIC):
            _learnt[key] = parsed(each)


# ---- tables in names of encodings


def name(encoding: str, key: int) -> str:
    """The encoding with a table's number."""
    return f"{encoding.partition(SLASH)[0]}{SLASH}{key}"


def apart(encoding: str) -> tuple[str, Table | None]:
    """(the encoding itself, its table). A table that nobody told of here changes nothing."""
    plain, _, key = encoding.partition(SLASH)
    return plain, _learnt.get(int(key)) if key else None


def numbers(encodings: Iterable[str]) -> set[int]:
    """Numbers of the tables named in encodings."""
    return {int(each.partition(SLASH)[2]) for each in set(encodings) if SLASH in each}
