"""Which electronic addresses (856$u) are for everybody, and which for one library's own readers: by a table."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

TABLE_FILE = Path(__file__).with_name("addresses.toml")


@functools.cache
def _private() -> re.Pattern[str]:
    patterns = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))["private"]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def public(address: str) -> bool:
    """The address is on the open web and goes through no library's proxy."""
    address = address.strip()
    return bool(address) and not _private().search(address)
