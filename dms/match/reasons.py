"""What each rule says to a person, in Chinese and English (reasons.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path

TEXTS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text("utf-8"))


def text(rule: str, language: str = "zh") -> str:
    """The sentence for a rule; `language` is zh or en."""
    return TEXTS[language][rule]
