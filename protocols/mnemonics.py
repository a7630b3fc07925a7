"""Mnemonics of MARCMaker and MarcEdit: `{eacute}`, `{dollar}`, `{acute}e` → characters (pure).

The table is `mnemonics.tsv` (Library of Congress, MARC 21 mnemonics as MARCMaker knows them, with the code points of
the MARC-8 tables); names of letters that it leaves out are those of ISO 8879 as HTML has them. In MARC-8 a diacritic
stands before its letter, and so does its mnemonic.
"""

from __future__ import annotations

import html.entities
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_MNEMONIC = re.compile(r"\{([A-Za-z][A-Za-z0-9]{1,11}|[0-9A-F]{2})\}")
_MARKED = re.compile("((?:\ufdd0[^\ufdd1]\ufdd1){1,8}+)([^\ufdd0])", re.DOTALL)
_MARK, _END = "\ufdd0", "\ufdd1"  # noncharacters around a diacritic that waits for its letter


@cache
def table() -> Mapping[str, str]:
    """Characters by mnemonic."""
    rows = files("protocols").joinpath("mnemonics.tsv").read_text(encoding="utf-8").splitlines()
    named = {name.rstrip(";"): text for name, text in html.entities.html5.items() if name.endswith(";")}
    letters = {name: text for name, text in named.items() if len(text) == 1 and unicodedata.category(text)[0] == "L"}
    own = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return letters | {name: chr(int(point, 16)) for name, point in own}


def expand(text: str, unknown: dict[str, None]) -> str:
    """The text with characters for mnemonics. Names that nobody knows stay as they are and are added to `unknown`."""
    if "{" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        name = match.group(1)
        found = table().get(name)
        if found is None:
            unknown[match.group()] = None
            return match.group()
        return f"{_MARK}{found}{_END}" if unicodedata.combining(found) else found

    expanded = _MNEMONIC.sub(character, text)
    if _MARK not in expanded:
        return expanded
    moved = _MARKED.sub(_after_its_letter, expanded)
    return moved.replace(_MARK, "").replace(_END, "")


def _after_its_letter(match: re.Match[str]) -> str:
    marks = match.group(1).replace(_MARK, "").replace(_END, "")
    return unicodedata.normalize("NFC", match.group(2) + marks)
