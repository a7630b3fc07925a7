"""Reads settings that are lists of networks, as `web.proxies` (pure)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_network

from config.allow import Network


@lru_cache(maxsize=8)
def read(text: str) -> tuple[Network, ...]:
    """Networks and addresses with blanks or commas between them. ValueError names the one that is wrong."""
    found = []
    for item in re.split(r"[\s,]+", text.strip()):
        try:
            found += [ip_network(item)] if item else []
        except ValueError as error:
            raise ValueError(f"{item} is no address and no network such as 10.20.0.0/16 ({error})") from error
    return tuple(found)
