"""Records whose fields are in two encodings: UTF-8 and another, e.g. a local 905 in GBK pasted into a UTF-8 record.

Such a record's encoding is named `utf-8+gb18030`; which of the two a field is in is judged on the field alone, so that
the kept bytes are always read in the same way.
"""

from __future__ import annotations

import re
from functools import cache

from protocols.charsets import evidence

UTF8, MARC8 = "utf-8", "marc-8"
ESC = 0x1B
PLUS = "+"
FITS = 75.0  # score of a field that is not UTF-8

# Bytes that no other encoding has by chance: three and four of them a character, or two within a Western word.
_PLAIN = re.compile(
    rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb"|[^\x1f][A-Za-z][\xc3-\xc5][\x80-\xbf]|[\xc3-\xc5][\x80-\xbf][a-z]"
)


def name(other: str) -> str:
    """The name of UTF-8 mixed with another encoding."""
    return f"{UTF8}{PLUS}{other}"


def of_field(data: bytes, mixture: str) -> str:
    """Which of the two encodings of a mixture a field is in."""
    other = mixture.partition(PLUS)[2]
    if data.isascii():
        return other if ESC in data and other == MARC8 else UTF8
    points = scorer(other).score(data)
    if is_utf8(data):
        return UTF8 if points < 90 or _PLAIN.search(data) else other
    return other if points >= FITS and points > scorer(UTF8).score(data) else UTF8


def found(body: bytes, judged: str) -> str:
    """The mixture that a record's bytes after the directory are, or "". `judged`: the encoding of most of it."""
    high = [each for each in body.split(b"\x1e") if not each.isascii() or (ESC in each and judged == MARC8)]
    valid = [each for each in high if not each.isascii() and is_utf8(each)]
    if not valid or len(valid) == len(high) or not any(map(_PLAIN.search, valid)):
        return ""
    rest = b"\x1e".join([each for each in high if each not in valid])
    points = {each.name: each.score(rest) for each in evidence.scorers().values()}
    other = max(points, key=lambda each: points[each] + (10 if each == judged else 0))
    if ESC in rest and judged == MARC8:
        return name(MARC8)
    return name(other) if other != UTF8 and points[other] >= FITS else ""


def is_utf8(data: bytes) -> bool:
    """Whether all of it is."""
    try:
        data.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


@cache
def scorer(encoding: str) -> evidence.Scorer:
    """The scorer of an encoding, or of the one that it extends."""
    return evidence.scorers()[{"cp1252": "latin-1", "danmarc": "latin-1", "gbk": "gb18030"}.get(encoding, encoding)]
