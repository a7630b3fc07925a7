"""Fields to bytes: ISO 2709 in several encodings, MARCXML and MARC-in-JSON lines.

Independent of `protocols` on purpose: what the node reads must not be written by its own code.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

Fields = list[tuple[str, str]]

# ANSEL (MARC-8 G1) bytes of combining marks, which stand before their letter there.
ANSEL = {
    "\u0300": b"\xe1",
    "\u0301": b"\xe2",
    "\u0302": b"\xe3",
    "\u0303": b"\xe4",
    "\u0304": b"\xe5",
    "\u0308": b"\xe8",
    "\u030c": b"\xe9",
    "\u030a": b"\xea",
    "\u0327": b"\xf0",
}
HEAD = {
    "iso2709": b"",
    "marcjson": b"",
    "marcxml": b'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">\n',
}
FOOT = {"iso2709": b"", "marcjson": b"", "marcxml": b"</collection>\n"}
JSON = json.JSONEncoder(ensure_ascii=False)
DIGITS = tuple(f"{n:05d}" for n in range(10000))  # our records stay below 10,000 bytes
XML_SPECIAL = frozenset("&<>")


def marc8(text: str) -> bytes:
    """Latin text in MARC-8; a character that has no place there is an error of the generator."""
    if text.isascii():
        return text.encode("ascii")
    out, held = bytearray(), b""
    for character in reversed(unicodedata.normalize("NFD", text)):
        if character in ANSEL:
            held = ANSEL[character]
        else:
            out[:0] = held + character.encode("ascii")
            held = b""
    return bytes(out)


def iso2709(leader: str, fields: Fields, encode: Callable[[str], bytes]) -> bytes:
    """One record with true lengths (ISO 2709:2008, 4)."""
    data = encode("\x1e".join([text for _, text in fields]))
    start = 0
    entries: list[str] = []
    for (tag, _), body in zip(fields, data.split(b"\x1e"), strict=True):
        length = len(body) + 1
        entries.append(tag + DIGITS[length][1:] + DIGITS[start])
        start += length
    base = 25 + 12 * len(fields)
    head = f"{base + start + 1:05d}{leader[5:12]}{base:05d}{leader[17:]}{''.join(entries)}\x1e"
    return head.encode("ascii") + data + b"\x1e\x1d"


def marcxml(leader: str, fields: Fields) -> bytes:
    """One `record` element."""
    parts = [f"<record><leader>{leader}</leader>"]
    for tag, text in fields:
        if XML_SPECIAL.intersection(text):
            text = escape(text)
        if tag < "010":
            parts.append(f'<controlfield tag="{tag}">{text}</controlfield>')
        else:
            parts.append(f'<datafield tag="{tag}" ind1="{text[0]}" ind2="{text[1]}">')
            parts += [f'<subfield code="{sub[0]}">{sub[1:]}</subfield>' for sub in text.split("\x1f")[1:]]
            parts.append("</datafield>")
    parts.append("</record>\n")
    return "".join(parts).encode()


def marcjson(leader: str, fields: Fields) -> bytes:
    """One line of MARC-in-JSON."""
    made: list[dict[str, Any]] = []
    for tag, text in fields:
        if tag < "010":
            made.append({tag: text})
        else:
            subfields = [{sub[0]: sub[1:]} for sub in text.split("\x1f")[1:]]
            made.append({tag: {"ind1": text[0], "ind2": text[1], "subfields": subfields}})
    return JSON.encode({"leader": leader, "fields": made}).encode() + b"\n"


def writer(carrier: str, encoding: str) -> Callable[[str, Fields], bytes]:
    """How a library's records become bytes."""
    if carrier == "marcxml":
        return marcxml
    if carrier == "marcjson":
        return marcjson
    if encoding == "marc-8":
        return lambda leader, fields: iso2709(leader, fields, marc8)
    return lambda leader, fields: iso2709(leader, fields, lambda text: text.encode(encoding))
