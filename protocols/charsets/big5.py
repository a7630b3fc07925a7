"""Big5 as systems in Taiwan and Hong Kong write it: code page 950, what it lacks by HKSCS, the rest private use.

Code page 950 wins where both have a code, because Taiwan's systems write it. Codes of neither are user-defined
characters; they become private-use code points by the arithmetic of code page 950, so that they come back as the bytes
they were and a source's table can name them.
"""

from __future__ import annotations

from functools import cache

# First code, last code, private-use code point of the first (Microsoft's assignment for code page 950).
_USER_DEFINED = ((0xFA40, 0xFEFE, 0xE000), (0x8E40, 0xA0FE, 0xE311), (0x8140, 0x8DFE, 0xEEB8), (0xC6A1, 0xC8FE, 0xF6B1))
_TRAILS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))


def decode(data: bytes) -> tuple[str, int]:
    """(text, bytes without meaning, each now U+FFFD)."""
    try:
        return data.decode("cp950"), 0
    except UnicodeDecodeError:
        pass
    parts: list[str] = []
    codes, lost, at = _codes(), 0, 0
    while at < len(data):
        if data[at] < 0x80:
            parts.append(chr(data[at]))
            at += 1
        elif character := codes.get(data[at : at + 2]):
            parts.append(character)
            at += 2
        else:
            parts.append("\ufffd")
            lost += 1
            at += 1
    return "".join(parts), lost


def encode(character: str) -> bytes:
    """One character's bytes, or none."""
    return character.encode("ascii") if character < "\x80" else _back().get(character, b"")


@cache
def _codes() -> dict[bytes, str]:
    """Every two-byte code that means something; a few mean a letter with a mark."""
    found: dict[bytes, str] = {}
    for lead in range(0x81, 0xFF):
        for trail in _TRAILS:
            code = bytes((lead, trail))
            found[code] = _plain(code, "cp950") or _plain(code, "big5hkscs")
    for first, last, private in _USER_DEFINED:
        places = [
            bytes((lead, trail))
            for lead in range(first >> 8, (last >> 8) + 1)
            for trail in _TRAILS
            if first <= lead << 8 | trail <= last
        ]
        for number, code in enumerate(places):
            found[code] = found[code] or chr(private + number)
    return {code: character for code, character in found.items() if character}


def _plain(code: bytes, name: str) -> str:
    try:
        return code.decode(name)
    except UnicodeDecodeError:
        return ""


@cache
def _back() -> dict[str, bytes]:
    """Character -> code: code page 950's own choice among its repeated codes, the lowest of the others."""
    found: dict[str, bytes] = {}
    for code, character in _codes().items():
        found.setdefault(character, code)
    for character in found:
        try:
            found[character] = character.encode("cp950")
        except UnicodeEncodeError:
            continue
    return found
