"""In which characters a client writes, where it hasn't said: most clients of Chinese libraries never do (pure).

What is known comes first: negotiated at Init, or told of the account or address (`z3950.clients`). Else a query is read
as UTF-8, unless that gives no Han while GB 18030 does. UTF-8 misreads some pairs of GBK characters, so a query that
finds nothing is asked once more as the other; which of them found something holds for the rest of the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

UTF8, GB18030, LATIN1 = "utf-8", "gb18030", "latin-1"
GBK = "gbk"  # what a client of GBK can take: GB 18030 has codes of four octets, at which it breaks
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")


def read_as(charset: str) -> str:
    """In which what comes in a charset is read: GB 18030 has all of GBK and keeps what strays beyond it."""
    return GB18030 if charset == GBK else charset


def guesses(terms: Iterable[bytes]) -> tuple[str, ...]:
    """Encodings that the terms of one query may be written in, the likeliest first; Latin-1 reads what no other can."""
    whole = b" ".join(terms)
    if whole.isascii():
        return (UTF8,)
    utf8, gb = _read(whole, UTF8), _read(whole, GB18030)
    if utf8 is None:
        return (LATIN1,) if gb is None else (GB18030,)
    if gb is None or not _HAN.search(gb):
        return (UTF8,)
    return (UTF8, GB18030) if _HAN.search(utf8) else (GB18030, UTF8)


def _read(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
