"""Words that stand alone, in Chinese: headings of columns and names of states, as data in `words.toml` (pure).

Programs read the English words, which are those of the JSON; a word that is not in the table is shown as it is.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

# Columns whose cells are words of ours; what stands in others is somebody's name or text.
OF_OURS = frozenset(("state", "mode", "verdict", "level", "visibility", "shared", "roles", "kind", "totp"))


@cache
def _table() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads(files("node").joinpath("words.toml").read_text(encoding="utf-8"))
    return found


def heading(name: str, lang: str) -> str:
    """The heading of a column."""
    return _table()["columns"].get(name) or word(name, lang) if lang == "zh" else name


def cell(column: str, value: object, lang: str) -> object:
    """What stands in a column, as a word, or several, if it is one of ours."""
    if column not in OF_OURS or not isinstance(value, str | list | tuple):
        return value
    return ", ".join(word(str(each), lang) for each in (value.split(", ") if isinstance(value, str) else value))


def word(text: str, lang: str) -> str:
    """A state, level or kind."""
    return _table()["words"].get(text, text) if lang == "zh" else text
