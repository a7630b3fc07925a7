"""Tell mojibake: text that was decoded with the wrong charset (pure).

A load with too many such titles is held before anybody sees it. Evidence only: marks that no cataloguer types.
"""

from __future__ import annotations

import re
from functools import cache

# Replacement and C1 control characters, but for the marks around words that are not sorted on (88, 89, 98, 9C); UTF-8
# read as Latin-1 or CP1252 (Ã©, å­, ä¸­); the well-known remains of UTF-8 replacement characters read as GBK; runs of
# accented capitals and signs as GB 18030 read as Latin-1 gives (ÖÐ¹ú).
MARKS = re.compile(
    "[\ufffd\x80-\x87\x8a-\x97\x99-\x9b\x9d-\x9f]"
    "|[ÃÂ][\x80-\xbf]|[äåæçèé][\xa0-\xbf¡-¿]{2}|锟斤拷|(?:[À-ßà-ÿ][¡-¿À-ÿ]){3}(?![A-Za-z])"
)

# What is in every mark, in two steps: most texts have none of the first characters, most others no two in a row.
# Looking for these first costs a tenth.
_SIGNS = re.compile("[\ufffd\x80-\xff锟]")
_NEIGHBOURS = re.compile("[\ufffd\x80-\x9f]|[\xa0-\xff]{2}|锟")


def may_have_marks(text: str) -> bool:
    """False if there are no MARKS in the text, quickly."""
    return not text.isascii() and _SIGNS.search(text) is not None and _NEIGHBOURS.search(text) is not None


def is_garbled(text: str) -> bool:
    """True if the text shows marks of a wrong decoding."""
    if text.isascii():
        return False
    return (may_have_marks(text) and MARKS.search(text) is not None) or _misread().search(text) is not None


@cache
def _misread() -> re.Pattern[str]:
    """Two Han of UTF-8 (each E4 to E9 and two of 80 to BF) read as GBK, which are three characters (北京 is 鍖椾含).

    The third may be lost: for private use, replaced, or the end. Catalogues have no such neighbours.
    """
    leads, trails = range(0xE4, 0xEA), range(0x80, 0xC0)

    def characters(first: range, second: range) -> str:
        found = (bytes([a, b]).decode("gbk", "ignore") for a in first for b in second)
        return "".join(sorted({one for one in found if len(one) == 1 and not one.isascii()}))

    return re.compile(
        f"[{characters(leads, trails)}][{characters(trails, leads)}]"
        f"(?:[{characters(trails, trails)}\ue000-\uf8ff\ufffd?]|$)"
    )
