"""The sentences of the command line in Chinese and English, kept as data in `messages.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("zh", "en")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """key → language → sentence."""
    tree: dict[str, dict[str, str]] = tomllib.loads(files("node").joinpath("messages.toml").read_text(encoding="utf-8"))
    return tree


def text(lang: str, key: str, **values: object) -> str:
    """The sentence `key` in `lang` with its `{names}` filled in. A missing key is a mistake of ours: KeyError."""
    return catalogue()[key][lang].format(**values)


def of_terminal(environ: Mapping[str, str]) -> str:
    """The language that the terminal asks for (POSIX: LC_ALL, LC_MESSAGES, LANG): Chinese or else English."""
    wanted = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"
