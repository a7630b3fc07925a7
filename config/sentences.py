"""Sentences that are kept in English, in the database or by peers, told in the language of whoever reads them (pure).

What is kept outlives the language of the command that wrote it, so it is kept as an English sentence. `sentences.toml`
has the sentences of which this node has a translation; one that it doesn't know is told as it is.

    [[sentence]]
    en = "gave way to another load ({names})"
    zh = "已让位于另一次装载（{names}）"

A name in braces stands for a text, `n` and `of` for a number; what it stands for is told in its turn where its name
begins with `_`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("sentences.toml")
APART = "; "  # between sentences that are kept as one text
LONGEST = 1000  # characters of a text in which sentences are looked for
NUMBERS = ("n", "of")
_NUMBER, _TEXT = r"[\d,]+", "(?:(?!; ).)+?"  # a text never reaches over to the next sentence
_HOLE = re.compile(r"\{(\w+)\}")


class Sentence(NamedTuple):
    """A sentence in both languages, and how the English one is recognised."""

    en: str
    zh: str
    pattern: re.Pattern[str]


@cache
def sentences() -> tuple[Sentence, ...]:
    """All of them; the first that fits is meant."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))["sentence"]
    return tuple(Sentence(row["en"], row["zh"], _pattern(row["en"])) for row in told)


def _pattern(en: str) -> re.Pattern[str]:
    pieces = _HOLE.split(en)  # text and names in turn
    told = [_group(piece) if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)]
    return re.compile("".join(told), re.DOTALL)


def _group(name: str) -> str:
    return f"(?P<{name}>{_NUMBER if name in NUMBERS else _TEXT})"


@lru_cache(maxsize=2048)
def told(text: str, lang: str) -> str:
    """The text in a language, as far as it is made of sentences that are known."""
    if lang != "zh" or not text or len(text) > LONGEST:
        return text
    if (whole := _one(text)) is not None:
        return whole
    parts = text.split(APART)
    return "；".join(_one(part) or part for part in parts) if len(parts) > 1 else text


def _one(text: str) -> str | None:
    for sentence in sentences():
        if found := sentence.pattern.fullmatch(text):
            return _filled(sentence.zh, found.groupdict())
    return None


def _filled(zh: str, values: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: told(values[hole[1]], "zh") if hole[1][0] == "_" else values[hole[1]], zh)
