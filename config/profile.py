"""Tiers are topology: a preset expands to capabilities, and only `node` reads them, once, to decide what to wire."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a node of a tier does. Each is a capability; nothing below `node` asks for the tier."""

    tier: str
    contribute: bool  # sends its records up to a parent
    aggregate: bool  # takes records from children
    catalogue: bool  # serves a catalogue to people and programs


def load(tier: str) -> Profile:
    """The capabilities of `central`, `domain` or `local` (`config/presets/*.toml`)."""
    text = files("config").joinpath("presets", f"{tier}.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    return Profile(tier=tier, **{each.name: bool(told[each.name]) for each in fields(Profile) if each.name != "tier"})
