"""Private-use code points that have a meaning: GB 18030's by standard, a source's own by its table.

`private.tsv` lists the code points to which GBK and GB 18030-2000 sent characters that Unicode did not have yet, with
what they are since. In the two-byte codes of GB 18030 some can mean nothing else, so `codec` reads them there; in all
other records they are left alone, unless the source's own table says so.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
_FIRST = "GB 18030-2000"  # what it assigned by itself its codec reads right


@cache
def table() -> dict[int, str]:
    """Private code point -> character, all of `private.tsv`: for texts that went through GBK."""
    return {code: character for code, character, _ in _rows()}


@cache
def two_bytes() -> dict[int, str]:
    """Private code point -> character, of the two-byte codes that GB 18030-2000 could not assign."""
    return {code: character for code, character, since in _rows() if since != _FIRST}


@cache
def assigned() -> dict[int, str]:
    """Character -> the private code point whose two-byte code GB 18030 gives to it: `two_bytes` turned round."""
    return {ord(character): chr(code) for code, character in two_bytes().items()}


def _rows() -> list[tuple[int, str, str]]:
    text = files("protocols.charsets").joinpath("private.tsv").read_text(encoding="ascii")
    rows = (row.split("\t") for row in text.splitlines() if not row.startswith("#"))
    return [(int(code, 16), chr(int(ucs, 16)), since) for code, ucs, _, since in rows]
