"""The country of a cataloguing agency by its code, by the table `agencies.toml` (pure)."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

REMEMBERED = 4096  # codes
_ISIL = re.compile(r"([A-Z]{2})-.")  # ISO 15511: country, hyphen, the unit's own code
_BEGINNING = re.compile(r"([A-Z][a-z]?)[A-Z]")
_TABLE = tomllib.loads(files("dms.crosswalk.marc").joinpath("agencies.toml").read_text(encoding="utf-8"))
_STATES = {state: country for country, states in _TABLE["states"].items() for state in states.split()}


@lru_cache(REMEMBERED)
def country(code: str) -> str:
    """The country (ISO 3166-1, two letters) of an agency; "" = its code does not tell."""
    told: str = _TABLE["codes"].get(code) or _TABLE["codes"].get(code.partition("-")[0], "")
    if told:
        return told
    if found := _ISIL.match(code):
        return found[1]
    found = _BEGINNING.match(code)
    if not found or code.upper() == code:
        return ""
    return str(_TABLE["countries"].get(found[1], "") or _STATES.get(found[1], ""))
