"""The medium of the thing described, read from the words cataloguers use for it (media.toml)."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from catalog.search import fold

_TABLE = tomllib.loads(Path(__file__).with_name("media.toml").read_text("utf-8"))


def _alternatives(section: str) -> re.Pattern[str]:
    """One pattern for a section; the name of the group that matched is the medium."""
    return re.compile("|".join(f"(?P<{medium}>{pattern})" for medium, pattern in _TABLE[section].items()))


_DESIGNATION = _alternatives("designation")
_EXTENT = _alternatives("extent")
_QUALIFIER = _alternatives("qualifier")


def _medium(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(fold.fold(text))
    return (found.lastgroup or "") if found else ""


@lru_cache(maxsize=4096)
def by_designation(text: str) -> str:
    """Medium named by a general material designation, content or carrier type; empty for print and for none."""
    return _medium(_DESIGNATION, text)


@lru_cache(maxsize=16384)
def by_extent(text: str) -> str:
    """Medium named by the unit of an extent, e.g. `1 online resource (xii, 240 p.)`; empty for leaves and volumes."""
    return _medium(_EXTENT, text)


@lru_cache(maxsize=4096)
def by_qualifier(text: str) -> str:
    """Medium named behind an ISBN: `(ebook)`."""
    return _medium(_QUALIFIER, text)
