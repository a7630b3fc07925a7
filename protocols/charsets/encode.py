"""Text to a field's bytes in a named encoding; a character that it lacks is written as a reference and told.

`codec.decode` reads references back (see `references`), so a text that looks like one gets one for its ampersand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from protocols.charsets import big5, codec, marc8_out, mixed, private, references

_WITH_MARKS = re.compile(r".[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u3099\u309a]*", re.DOTALL)


class Encoded(NamedTuple):
    """A field's bytes and the characters written as references because the encoding lacks them, in order of text."""

    data: bytes
    lost: tuple[str, ...] = ()


def encode(text: str, encoding: str) -> Encoded:
    """The text (field content with its delimiters 1F) in an encoding as spelled by `codec.known`; never fails.

    Unicode encodings take the text as it is. All others get NFC, and letters with marks in the order of the encoding
    where it has them apart. A mixture is written in its first encoding, a table of characters is for reading only.
    """
    if encoding == codec.UTF8:
        return _utf8(text)
    if codec.by_field(encoding):
        encoding = encoding.partition(private.SLASH)[0].partition(mixed.PLUS)[0]
    if encoding == codec.UTF8:
        return _utf8(text)
    if text.isascii() and "&#" not in text and "\x1b" not in text and encoding != codec.DANMARC:
        return Encoded(text.encode("ascii"))
    if codec.is_unicode(encoding):
        return _by_python(text, encoding)
    text = references.guard(text)
    if encoding in (codec.MARC8, codec.ISO5426):
        return Encoded(*marc8_out.encode(text, escapes=encoding == codec.MARC8))
    if encoding == codec.BIG5:
        return _each(text, big5.encode)
    if encoding == codec.DANMARC:
        return _each(text, _danmarc)
    if encoding == codec.GB18030:
        return _by_python(text.translate(private.assigned()), encoding)
    return _by_python(text, encoding)


def _utf8(text: str) -> Encoded:
    try:
        return Encoded(text.encode("utf-8"))
    except UnicodeEncodeError:  # halves of surrogate pairs, which no encoding holds
        lost = tuple(character for character in text if "\ud800" <= character <= "\udfff")
        return Encoded(text.encode("utf-8", "replace"), lost)


def _by_python(text: str, name: str) -> Encoded:
    """By Python's codec."""
    try:
        return Encoded(text.encode(name))
    except UnicodeEncodeError:
        return _each(text, lambda character: _one(character, name))


def _one(character: str, name: str) -> bytes:
    try:
        return character.encode(name)
    except UnicodeEncodeError:
        return b""


def _danmarc(character: str) -> bytes:
    """danMARC2: what Latin-1 lacks by its code point, an @ twice."""
    if character == "@":
        return b"@@"
    return _one(character, codec.LATIN1) or (b"@%04X" % ord(character) if character < "\U00010000" else b"")


def _each(text: str, one: Callable[[str], bytes]) -> Encoded:
    """A character at a time, composed with its marks if it is not there as given; `one` gives b"" for what it lacks."""
    parts: list[bytes] = []
    lost: list[str] = []
    for given in _WITH_MARKS.findall(text):
        composed = given if len(given) == 1 and one(given) else unicodedata.normalize("NFC", given)
        for character in composed:
            data = one(character)
            if not data:
                data = references.write(character).encode("ascii")
                lost.append(character)
            parts.append(data)
    return Encoded(b"".join(parts), tuple(lost))
