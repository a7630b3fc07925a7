"""Texts of the pages by language, from one table (`texts.toml`), and which language a visitor reads."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files

LANGUAGES = ("zh", "en")
TEXTS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    files("node.web").joinpath("texts.toml").read_text(encoding="utf-8")
)


def in_language(lang: str) -> Callable[..., str]:
    """The function that gives a text in `lang`; a key that isn't in the table is a KeyError, found by any test."""

    def text(key: str, **values: object) -> str:
        return TEXTS[key][lang].format(**values) if values else TEXTS[key][lang]

    return text


def preferred(header: str, default: str) -> str:
    """The first of our languages by the weights of an Accept-Language header (RFC 9110, 12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        lang = tag.strip().lower().partition("-")[0]
        if lang in LANGUAGES:
            weighed.append((_weight(parameter), lang))
    best = max(weighed, key=lambda each: each[0], default=(0.0, default))  # of equal weights the first
    return best[1] if best[0] > 0 else default


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
