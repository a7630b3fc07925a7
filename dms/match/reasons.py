"""Why a pair was judged as it was: how edges keep the rules, and what each says to a person (reasons.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

TEXTS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text("utf-8"))

pack = msgspec.msgpack.Encoder().encode  # of rules with their points, as an edge keeps them
unpack = msgspec.msgpack.Decoder(list[tuple[str, int]]).decode


def text(rule: str, language: str = "zh") -> str:
    """The sentence for a rule; `language` is zh or en."""
    return TEXTS[language][rule]
