"""Match keys: two records are compared if they share one. Signed 64-bit numbers (blake2b), so that SQL can join them.

A key only proposes. Keys with many signatures (hubs) are not followed: every key here is therefore as narrow as it may be
without losing the pair that it is for.
"""

from __future__ import annotations

from dms.match.features import Features, unified_identifier
from dms.match.normalize import h64

TITLE = 24  # characters of the title in a key
SHORT = 8  # characters where year and pages stand beside them
CANDIDATE = "py"  # kind of key whose pairs agree in sound only: the decision never joins by it alone


def keys(features: Features) -> tuple[int, ...]:
    """Distinct keys of a record, identifiers first."""
    found = [identifier_key(number) for number in features.isbns + features.weak_isbns]
    found += [identifier_key(unified_identifier(number)) for number in features.unified]
    found += [h64("s", number) for number in features.issns]
    found += [h64("c", number) for number in features.cn_numbers]
    found += [h64("d", number) for number in features.dois]
    found += [h64("n", number) for number in features.control]
    if features.host:
        found.append(h64("h", features.host, features.host_place))
    author = features.authors[0].partition(",")[0] if features.authors else ""
    publisher = features.publishers[0][:4] if features.publishers else ""
    for title in _titles(features):
        short = title[:TITLE]
        if author:
            found.append(h64("ta", short, author[:3], features.volume))
        else:
            found.append(h64("tp", short, publisher, features.volume))
        found.append(h64("ty", short, features.year))
        if publisher:
            found.append(h64("tpg", short, publisher))
    if author and features.year and publisher:
        found.append(h64("ay", author, features.year, publisher))
    if features.year and features.pages:
        found.append(h64("tyg", features.title[:SHORT], features.year, features.pages))
        if author:
            found.append(h64("ayg", author, features.year, features.pages))
    found += candidate_only(features)
    return tuple(dict.fromkeys(found))


def identifier_key(identifier: int) -> int:
    """The key of an identifier as `features.uses` numbers it: who holds it when its ambiguity changes."""
    return h64("i", identifier)


def candidate_only(features: Features) -> tuple[int, ...]:
    """Those of a record's keys that say that two titles sound alike."""
    if not features.roman:
        return ()
    return (h64(CANDIDATE, features.roman[:TITLE], features.year),)


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
