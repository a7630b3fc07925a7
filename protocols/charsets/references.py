"""Numeric character references, `&#x6F22;` and `&#28450;`: how encodings write characters that they lack.

The Library of Congress defines the first form as the lossless way into MARC-8 (MARC 21 Specifications for Record
Structure, Character Sets: Conversion); web programs write both into any encoding.
"""

from __future__ import annotations

import re

START = "&#"
BEGINS = START.encode()

_REFERENCE = re.compile("&#(?:[xX]([0-9A-Fa-f]{2,6})|([0-9]{2,7}));")


def read(text: str) -> str:
    """The text with its references read; one that means no character stays as it is."""
    return _REFERENCE.sub(_character, text) if START in text else text


def guard(text: str) -> str:
    """The text so that `read` gives it back: what looks like a reference gets one for its ampersand."""
    return _REFERENCE.sub(lambda match: "&#x0026;" + match.group()[1:], text) if START in text else text


def write(character: str) -> str:
    """`&#xXXXX;` with at least four digits."""
    return f"&#x{ord(character):04X};"


def _character(match: re.Match[str]) -> str:
    hexadecimal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(number) if 0x20 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else match.group()
