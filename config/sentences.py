"""Sentences that are kept in English, in the database or by peers, or raised by what knows no language, told in the
language of whoever reads them (pure).

What is kept outlives the language of the command that wrote it, so it is kept as an English sentence; and an error is
raised where nobody knows who will read it. `sentences.toml` has the sentences of which this node has a translation,
`refusals.toml` those of errors; one that isn't there is told as it is.

    [[sentence]]
    en = "gave way to another load ({names})"
    zh = "已让位于另一次装载（{names}）"

    "no library has the symbol {symbol}" = "没有代码为 {symbol} 的成员馆"

A name in braces stands for a text, `n` and `of` for a number; what it stands for is told in its turn where its name
begins with `_`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

APART = "; "  # between sentences that are kept as one text
LONGEST = 1000  # characters of a text in which sentences are looked for
NUMBERS = ("n", "of")
_NUMBER = re.compile(r"[\d,]+")
_HOLE = re.compile(r"\{(\w+)\}")


class Sentence(NamedTuple):
    """A sentence in both languages; `pieces`: the English one, what is fixed and names of holes in turn."""

    en: str
    zh: str
    pieces: tuple[str, ...]

    def values(self, text: str) -> dict[str, str] | None:
        """What fills the holes, if the text is this sentence. A hole ends where the next fixed piece begins first: no
        text makes this take long, whoever wrote it.
        """
        if not text.startswith(self.pieces[0]) or not text.endswith(self.pieces[-1]):
            return None
        found: dict[str, str] = {}
        at, last = len(self.pieces[0]), len(self.pieces) - 1
        for n in range(1, last, 2):
            name, after = self.pieces[n], self.pieces[n + 1]
            end = len(text) - len(after) if n + 1 == last else text.find(after, at + 1)
            value = text[at : max(end, 0)]
            if not value or APART in value or (name in NUMBERS and not _NUMBER.fullmatch(value)):
                return None
            found[name] = value
            at = end + len(after)
        return found if at == len(text) else None


@cache
def sentences() -> tuple[Sentence, ...]:
    """All of them; the first that fits is meant."""
    kept = [(row["en"], row["zh"]) for row in _table("sentences.toml")["sentence"]]
    return tuple(Sentence(en, zh, tuple(_HOLE.split(en))) for en, zh in (*kept, *_table("refusals.toml").items()))


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files("config").joinpath(name).read_text(encoding="utf-8"))


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
        if (values := sentence.values(text)) is not None:
            return _filled(sentence.zh, values)
    return None


def _filled(zh: str, values: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: told(values[hole[1]], "zh") if hole[1][0] == "_" else values[hole[1]], zh)
