"""Which libraries are in one city or one province, by their areas (pure).

The first part of an area is the province, the first two are the city. A municipality (北京) or special region (香港) is
both at once, so its first part alone is the city, whatever follows. `广东省/深圳市` is the same place as `廣東/深圳`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from catalog import area
from catalog.search.fold import fold

Place = tuple[str, ...]  # folded parts

# Provinces that are cities: the municipalities and the special administrative regions (GB/T 2260).
CITIES = frozenset({"北京", "天津", "上海", "重庆", "香港", "澳门"})
# What the name of a province or city may end with; the 市 of 沙市 stays, because one character is no name.
_RANK = re.compile(r"(?<=..)(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|省|市)$")


def province(where: str) -> Place:
    """The province of an area; () if it says none."""
    return tuple(_plain(part) for part in area.path(where)[:1])


def city(where: str) -> Place:
    """The city of an area, with its province; () if it doesn't go down to a city."""
    parts = area.path(where)
    if parts and _plain(parts[0]) in CITIES:
        return province(where)
    return tuple(_plain(part) for part in parts[:2]) if len(parts) > 1 else ()


def name(place: Place, where: str) -> str:
    """The smallest part of a place, as the area that it was made of writes it."""
    return area.path(where)[len(place) - 1]


@lru_cache(4096)  # a network names the same places over and over
def _plain(part: str) -> str:
    return _RANK.sub("", fold(part))
