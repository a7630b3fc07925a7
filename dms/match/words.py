"""The word lists of words.toml, folded once when the module is loaded."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from catalog.search import fold

TABLE = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def folded(text: str) -> list[str]:
    """Words of a blank-separated list, folded."""
    return [fold.fold(word) for word in text.split()]


def either(words: list[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "|".join(sorted(map(re.escape, set(words)), key=lambda word: (-len(word), word)))


def pattern(section: str, name: str) -> re.Pattern[str]:
    """A regular expression of the table. Its Han characters are folded; its signs are not."""
    text = "".join(fold.fold(c) if "\u3400" <= c <= "\u9fff" else c for c in TABLE[section][name])
    return re.compile(text)


HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
HAN_ONLY = re.compile(r"[\u4e00-\u9fa5]+")  # the common ones


def is_han(text: str) -> bool:
    """Whether a text holds a Han character."""
    return not text.isascii() and HAN.search(text) is not None


def squeezed(folded: str) -> str:
    """`fold.squeeze` of a text that is folded already: letters and digits alone are squeezed as they stand."""
    return folded if folded.isalnum() else fold.squeeze(folded) if folded else ""
