"""Which carrier a file is written in, judged by its content and never by its name.

Carriers are plain strings here, since `protocols` knows nothing of the catalogue: "iso2709", "marcxml" (every form of
MARC in XML), "marcjson", "dc", "mods", and by lines "mrk", "alephseq" and "marclines".
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from config.errors import BadRecord
from protocols import alephseq, dublin, marclines, mods, mrk
from protocols.descriptive import Kind
from protocols.marc import Record
from protocols.pieces import Finding, Piece

ISO2709, MARCXML, MARCJSON = "iso2709", "marcxml", "marcjson"
MRK, ALEPHSEQ, MARCLINES = "mrk", "alephseq", "marclines"
DC, MODS = "dc", "mods"
CARRIERS = (ISO2709, MARCXML, MARCJSON, MRK, ALEPHSEQ, MARCLINES, DC, MODS)
HEAD = 1 << 16  # bytes that are looked at
GZIP = b"\x1f\x8b\x08"

_BOMS = (  # UTF-32 before UTF-16: the little-endian mark of one begins with that of the other
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE_XML = (
    (b"<\x00?\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_LEADER = re.compile(rb"[0-9 ]{5}[\x20-\x7e].{4}[0-9 ]{2}[0-9 ]{5}[\x20-\x7e]{7}", re.DOTALL)
_DIRECTORY = re.compile(rb"\x1e[^\x1d\x1e]{1,9998}\x1e")


class Linewise(Protocol):
    """A carrier with a field in a line: what its module offers."""

    @property
    def BETWEEN(self) -> bytes: ...

    def looks(self, head: bytes) -> bool: ...
    def count(self, data: bytes) -> int: ...
    def boundary(self, buffer: bytes | bytearray) -> int: ...
    def read_all(self, data: bytes, encoding: str) -> Iterator[Piece]: ...
    def read(self, data: bytes, encoding: str = ...) -> tuple[Record, tuple[Finding, ...]]: ...


LINES: Mapping[str, Linewise] = {MRK: mrk, ALEPHSEQ: alephseq, MARCLINES: marclines}


KINDS: Mapping[str, Kind] = {DC: dublin.KIND, MODS: mods.KIND}

OTHERS = {
    "ead": "EAD",
    "ONIXMessage": "ONIX",
    "ONIXmessage": "ONIX",
    "TEI": "TEI",
    "rss": "RSS",
    "lido": "LIDO",
    "lidoWrap": "LIDO",
    "eac-cpf": "EAC-CPF",
    "eac": "EAC",
    "feed": "Atom",
}
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s>]")
_TAG = rb"<(?:[A-Za-z_][\w.-]*:)?"
_MARC_IN_XML = re.compile(_TAG + rb"(?:controlfield|datafield|leader|fixfield|varfield|oai_marc|[cd][0-9]{3})[\s/>]")
_MODS = re.compile(_TAG + rb"mods[\s>]|metadataPrefix\s*=\s*[\"'](?:oai_)?mods")
_DC = re.compile(
    rb"<(?:(?:oai_|srw_)dc:dc|(?:[\w.-]+:)?qualifieddc|dc:[a-z]+|dcterms:[a-zA-Z]+)[\s>]|"
    rb"http://purl\.org/dc/(?:elements/1\.1|terms)/|metadataPrefix\s*=\s*[\"'](?:oai_dc|qdc|oai_qdc|dc)[\"']"
)


class UnknownCarrier(BadRecord):
    """The bytes are no carrier we read."""

    code = "unknown-carrier"


def wide_encoding(head: bytes) -> tuple[str, int]:
    """(UTF-16 or UTF-32 codec, length of its mark) of a wide text, or ("", length of a UTF-8 mark or 0)."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return ("", len(mark)) if name == "utf-8" else (name, len(mark))
    return next(((name, 0) for start, name in _BARE_XML if head.startswith(start)), ("", 0))


def carrier_of(head: bytes) -> str:
    """The carrier of a stream that starts with `head` (64 kB are enough).

    Raises `UnknownCarrier` that says what was seen instead.
    """
    head = head[:HEAD]
    wide, mark = wide_encoding(head)
    text = head[mark:].decode(wide, "replace").encode("utf-8", "replace") if wide else head[mark:]
    start = text.lstrip(b"\r\n\t \x00\x1a")
    if start.startswith(b"<"):
        return _xml(start)
    if start[:1] in (b"{", b"["):
        return MARCJSON
    if found := next((name for name, lines in LINES.items() if lines.looks(start)), ""):
        return found
    if (_LEADER.search(text[: 4096 + 24]) and b"\x1e" in text) or b"\x1d" in text or _DIRECTORY.search(text):
        return ISO2709
    raise UnknownCarrier(
        "not a MARC file we read (ISO 2709, MARC in XML, MARC-in-JSON, .mrk, Aleph sequential), Dublin Core or MODS: "
        + (_seen(start) if start or not head else f"it begins with {len(head):,} bytes of nothing but zeros or blanks")
    )


def _xml(start: bytes) -> str:
    """What is in the document; MARC where nothing tells, unless it is plainly a web page."""
    if re.match(rb"(?i)<!doctype\s+html|<html[\s>]", start):
        raise UnknownCarrier("this is a web page, not MARCXML: look whether the address answered with an error page")
    if (root := _ROOT.search(start)) and (other := OTHERS.get(root.group(1).decode())):
        raise UnknownCarrier(f"this is {other}, which we don't read: MARC in XML, Dublin Core and MODS are read")
    if _MARC_IN_XML.search(start):
        return MARCXML
    return MODS if _MODS.search(start) else DC if _DC.search(start) else MARCXML


def _seen(start: bytes) -> str:
    if not start:
        return "the input is empty"
    if start.startswith(GZIP):
        return "it is gzip inside gzip, unpack it once (gunzip)"
    return f"it starts with {start[:24]!r}"
