"""Whether names agree: authors and their helpers, publishers and their towns."""

from __future__ import annotations

from typing import Literal

from rapidfuzz.distance import OSA

from dms.match import normalize, people
from dms.match.features import Features

AuthorRelation = Literal["", "author-same", "author-near", "author-differs"]
PUBLISHER_ORDER = ["publisher-differs", "publisher-near", "publisher-same"]


def author(a: Features, b: Features) -> AuthorRelation:
    """What the names say. Names in different scripts say nothing; helpers of one may be authors of the other."""
    if a.authors and b.authors and a.authors[0] == b.authors[0]:
        return "author-same"
    if _stated(a, b) or _stated(b, a):
        return "author-same"
    if not a.authors or not b.authors:
        return ""
    names_a = a.authors + tuple(helper[2:] for helper in a.helpers)
    names_b = b.authors + tuple(helper[2:] for helper in b.helpers)
    compared = near = False
    for one in names_a:
        for other in names_b:
            if people.comparable(one, other):
                compared = True
                if people.same(one, other):
                    return "author-same"
                near = near or people.near(one, other)
    if not compared:
        return ""
    return "author-near" if near else "author-differs"


def _stated(a: Features, b: Features) -> bool:
    """Whether a surname heading of `a` is named in the statement of responsibility of `b`."""
    return any(name.partition(",")[0] in b.stated for name in a.authors) if b.stated else False


def publisher(one: Features, other: Features) -> str:
    """What the publishers say."""
    a, b = one.publishers, other.publishers
    if not a or not b:
        return ""
    if a[0] == b[0] or not set(a).isdisjoint(b):
        return "publisher-same"
    if not one.han and not other.han:
        a = tuple([name for name in a if name[0] != normalize.VAGUE])
        b = tuple([name for name in b if name[0] != normalize.VAGUE])
        if not a or not b:
            return ""
    best = max((_publishers(x, y) for x in a for y in b), key=PUBLISHER_ORDER.index)
    if best == "publisher-differs" and not one.han and not other.han and same_place(one, other):
        return "publisher-other"  # printer, agency, distributor: which one is named is the cataloguer's choice
    return best


def same_place(one: Features, other: Features) -> bool:
    """Whether a town of publication stands in both."""
    return not set(one.places).isdisjoint(other.places)


def _publishers(a: str, b: str) -> str:
    """Western imprints are shortened in many ways (words in common); Han names differ by one word (湖南人民, 人民)."""
    if not a.isascii() or not b.isascii():
        if people.comparable(a, b):
            return "publisher-differs"
        return "publisher-near"
    words_a, words_b = a.split(), b.split()
    met = sum(any(_alike(one, other) for other in words_b) for one in words_a)
    if not met:
        return "publisher-differs"
    return (
        "publisher-same"
        if _alike(words_a[0], words_b[0]) or met >= min(len(words_a), len(words_b))
        else "publisher-near"
    )


def _alike(a: str, b: str) -> bool:
    """One word, a longer form of it (putnam, putnams), or a slip of the pen in a long one."""
    if a == b or (len(a) >= 5 and len(b) >= 5 and (a.startswith(b) or b.startswith(a))):
        return True
    return len(a) >= 5 and len(b) >= 5 and OSA.distance(a, b, score_cutoff=1) <= 1
