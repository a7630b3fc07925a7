"""Match keys: two records are compared if they share one. Signed 64-bit numbers (blake2b), so that SQL can join them.

A key only proposes. Keys with many signatures (hubs) are not followed: every key here is therefore as narrow as it may
be without losing the pair that it is for.
"""

from __future__ import annotations

from functools import lru_cache

from dms.match.features import Features, unified_identifier
from dms.match.normalize import h64

TITLE = 24  # characters of the title in a key
SHORT = 8  # characters where year and pages stand beside them
NAMES = 4  # names of a Western book in keys
CANDIDATE = "py"  # kind of key whose pairs agree in sound only: the decision never joins by it alone


@lru_cache(maxsize=8192)
def keys(features: Features) -> tuple[int, ...]:
    """Distinct keys of a record, identifiers first."""
    found: list[str] = []
    for kind, numbers in (
        ("s", features.issns),
        ("c", features.cn_numbers),
        ("d", features.dois),
        ("n", features.control),
    ):
        found += [f"{kind}|{number}" for number in numbers]
    if features.host:
        found.append(f"h|{features.host}|{features.host_place}")
    author = features.authors[0].partition(",")[0] if features.authors else ""
    publisher = features.publishers[0][:4] if features.publishers else ""
    year = features.year
    for title in _titles(features):
        if author:
            found.append(f"ta|{title}|{author[:3]}|{features.volume}")
        else:
            found.append(f"tp|{title}|{publisher}|{features.volume}")
        found.append(f"ty|{title}|{year}")
        if publisher:
            found.append(f"tpg|{title}|{publisher}")
    if author and year and publisher:
        found.append(f"ay|{author}|{year}|{publisher}")
    extent = features.pages or (f"v{features.pieces}" if features.pieces and not features.han else "")
    if year and extent:
        if features.pages:
            found.append(f"tyg|{features.title[:SHORT]}|{year}|{features.pages}")
        # Which of a Western book's names is the first heading is each cataloguer's choice.
        for name in features.authors[:1] if features.han else features.authors[:NAMES]:
            found.append(f"ayg|{name.partition(',')[0]}|{year}|{extent}")
    identifiers = [*features.isbns, *features.weak_isbns, *map(unified_identifier, features.unified)]
    numbered = [*map(identifier_key, identifiers), *map(h64, found), *candidate_only(features)]
    return tuple(dict.fromkeys(numbered))


def identifier_key(identifier: int) -> int:
    """The key of an identifier as `features.uses` numbers it: who holds it when its ambiguity changes."""
    return h64(f"i|{identifier}")


def candidate_only(features: Features) -> tuple[int, ...]:
    """Those of a record's keys that say that two titles sound alike."""
    sound = features.sound
    return (h64(f"{CANDIDATE}|{sound[:TITLE]}|{features.year}"),) if sound else ()


def _titles(features: Features) -> list[str]:
    """The title proper, and with what other cataloguers would have run on: 古墓奇谈 and 古墓奇谈云顶天宫."""
    title = features.title
    if not title:
        return []
    found = [title]
    if len(title) < TITLE:
        whole = title + features.part + features.rest
        if whole != title:
            found.append(whole)
    if features.soft:
        found.append(title[: -len(features.soft)])
    return list(dict.fromkeys(text[:TITLE] for text in found if text))
