"""Unicode to MARC-8 and ISO 5426, the way back of `marc8` (same standards).

Marks come before their letter. ANSEL (or ISO 5426) stays in G1; every other set of MARC-8 is designated into G0 where
it is needed and ASCII is back before a subfield delimiter and at the end of the field, as MARC 21 asks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

from protocols.charsets import marc8, references

# Sets in the order in which a character is looked for, with the escape sequences that put them into G0 and end them.
SETS: dict[str, tuple[bytes, bytes]] = {
    "N": (b"\x1b(N", b"\x1b(B"),
    "Q": (b"\x1b(Q", b"\x1b(B"),
    "S": (b"\x1b(S", b"\x1b(B"),
    "2": (b"\x1b(2", b"\x1b(B"),
    "3": (b"\x1b(3", b"\x1b(B"),
    "4": (b"\x1b(4", b"\x1b(B"),
    "b": (b"\x1bb", b"\x1bs"),
    "p": (b"\x1bp", b"\x1bs"),
    "g": (b"\x1bg", b"\x1bs"),
    "1": (b"\x1b$1", b"\x1b(B"),
}
VENDORS = ("2120", "7F", "212320")  # EACC codes that are read because vendors write them, and not written
GETA = 0x212A46  # stands for itself; other codes are read as it because Unicode lacks their character
_SPANS = {"\u0361": ("\ufe20", "\ufe21"), "\u0360": ("\ufe22", "\ufe23")}  # over two letters: a half before each

Code = tuple[str, bytes]  # the set in G0 ("" = whichever, it is in G1 or a control), the bytes


def encode(text: str, *, escapes: bool) -> tuple[bytes, tuple[str, ...]]:
    """(bytes, characters written as references); MARC-8 with `escapes`, ISO 5426 without."""
    if "\x1b" in text:  # would switch sets
        data, lost = encode(text.replace("\x1b", references.write("\x1b")), escapes=escapes)
        return data, (*"\x1b" * text.count("\x1b"), *lost)
    writer = _Writer(marc8.ANSEL if escapes else marc8.ISO5426, escapes)
    for number, part in enumerate(text.split("\x1f")):
        if number:  # no mark may come before the subfield's code
            writer.out.append(b"\x1f" + part[:1].encode("ascii", "replace"))
        writer.subfield(part[1:] if number else part)
    return b"".join(writer.out), tuple(writer.lost)


@cache
def _high(upper: str) -> dict[str, Code]:
    """Characters of G1 and of C1 (non-sorting marks and joiners), each the lowest code that means it."""
    found: dict[str, Code] = {}
    for code, (character, _) in sorted(marc8.table(upper).items()):
        found.setdefault(character, ("", bytes((code | 0x80,))))
    for code, (character, _) in sorted(marc8.table(marc8.ANSEL).items()):
        if code < 0x20:
            found.setdefault(character, ("", bytes((code | 0x80,))))
    return found


@cache
def _low(name: str) -> dict[str, Code]:
    """Characters of a set that is put into G0."""
    found: dict[str, Code] = {}
    for code, (character, _) in sorted(marc8.table(name).items()):
        data = code.to_bytes(3 if name == marc8.EACC else 1, "big")
        if data.hex().upper().startswith(VENDORS) and name == marc8.EACC:
            continue
        if character != "\u3013" or code == GETA:
            found.setdefault(character, (name, data))
    return found


@cache
def _kinds() -> dict[str, bool]:
    """Whether a character of the sets stands before its letter; U+0670, a mark in Unicode, is a letter in MARC-8."""
    names = (marc8.ANSEL, marc8.ISO5426, *SETS)
    return {character: mark for name in names for character, mark in marc8.table(name).values()}


def _letters(text: str) -> Iterator[tuple[str, str]]:
    """(letter, marks over it) pairs; marks at the beginning have the letter ""."""
    start = 0
    for at, character in enumerate(text):
        if at > start and not _over(character):
            yield (text[start], text[start + 1 : at]) if not _over(text[start]) else ("", text[start:at])
            start = at
    if text:
        yield (text[start], text[start + 1 :]) if not _over(text[start]) else ("", text[start:])


def _over(character: str) -> bool:
    known = _kinds().get(character)
    return unicodedata.category(character) in ("Mn", "Me") if known is None else known


class _Writer:
    """Bytes so far and the set that is in G0."""

    def __init__(self, upper: str, escapes: bool) -> None:
        self.out: list[bytes] = []
        self.lost: list[str] = []
        self._high = _high(upper)
        self._sets = tuple(SETS) if escapes else ()
        self._working = marc8.ASCII

    def subfield(self, text: str) -> None:
        """Write text without delimiters, ending in ASCII."""
        if text.isascii():
            self.out.append(text.encode("ascii"))
            return
        second = ""  # half of a mark over two letters that the next letter carries
        for letter, marks in _letters(unicodedata.normalize("NFC", text)):
            second = self._letter(letter, second + marks)
        self._designate(marc8.ASCII)

    def _letter(self, letter: str, marks: str) -> str:
        """Write a letter with its marks; returns the half mark that the next letter must carry."""
        second = ""
        for span, (first, half) in _SPANS.items():
            if span in marks:
                marks, second = marks.replace(span, first), half
        if letter and not self._code(letter):
            letter, marks = self._apart(letter, marks)
        code = self._code(letter) if letter else None
        if code is None:
            self._refer(letter + marks)
            return second
        written = next((at for at, mark in enumerate(marks) if not self._code(mark)), len(marks))
        codes = [*filter(None, map(self._code, marks[:written])), code]
        if code[0] and not any(name for name, _ in codes[:-1]):
            self._designate(code[0])
        for name, data in codes:
            self._designate(name)
            self.out.append(data)
        self._refer(marks[written:])
        return second

    def _apart(self, letter: str, marks: str) -> tuple[str, str]:
        """A letter that no set has as (letter that one has, its marks and `marks`); else what was given."""
        parts = unicodedata.normalize("NFD", letter)
        for end in range(len(parts) - 1, 0, -1):
            base = unicodedata.normalize("NFC", parts[:end])
            if len(base) == 1 and self._code(base) and all(map(self._code, parts[end:])):
                return base, parts[end:] + marks
        return letter, marks

    def _code(self, character: str) -> Code | None:
        """How a character is written, in the set at hand if it is there."""
        if character < "\x80":  # other sets have some of these too, but blanks and full stops are ASCII's in real data
            return marc8.ASCII, character.encode("ascii")
        if self._working != marc8.ASCII and character in _low(self._working):
            return _low(self._working)[character]
        if character in self._high:
            return self._high[character]
        return next((_low(name)[character] for name in self._sets if character in _low(name)), None)

    def _designate(self, name: str) -> None:
        """Have a set in G0."""
        if name in ("", self._working):
            return
        if name == marc8.ASCII or SETS.get(self._working, (b"", b""))[1] == b"\x1bs":
            self.out.append(SETS[self._working][1])
        if name != marc8.ASCII:
            self.out.append(SETS[name][0])
        self._working = name

    def _refer(self, characters: str) -> None:
        for character in characters:
            self._designate(marc8.ASCII)
            self.out.append(references.write(character).encode("ascii"))
            self.lost.append(character)
