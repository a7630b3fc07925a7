"""Which profile judges a library's records: its domain's, and its own over it (store)."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from catalog import profiles
from catalog.connection import Connection
from dms import quality_profile
from dms.quality_profile import Told
from dms.rules import catalogue
from dms.rules.model import Profile


async def of_library(conn: Connection, library: str) -> Profile:
    """What a library's records are judged by: the active profile of the domain, and its own over it."""
    return of_versions(await profiles.layers(conn, library))


def of_versions(layers: Sequence[profiles.Version]) -> Profile:
    """The same of profiles that are stored. Rules that a release has given up are passed over."""
    if not layers:
        return Profile()
    known = tuple(
        (tuple(sorted(layer.levels.items())), layer.mends, layer.scope or "domain", layer.version) for layer in layers
    )
    return _stored(known)


@lru_cache(maxsize=64)
def _stored(layers: tuple[tuple[tuple[tuple[str, str], ...], tuple[str, ...], str, int], ...]) -> Profile:
    """Remembered: it is asked for with every unit of a load."""
    told = [
        Told(
            levels={pattern: level for pattern, level in levels if _is_known(pattern)},
            mends=tuple(pattern for pattern in mends if _is_known(pattern.removeprefix("-"))),
        )
        for levels, mends, _, _ in layers
    ]
    *_, (_, _, name, version) = layers
    return quality_profile.resolve(told, name, version)


def _is_known(pattern: str) -> bool:
    return any(fnmatchcase(id_, pattern) for id_ in catalogue.rules())
