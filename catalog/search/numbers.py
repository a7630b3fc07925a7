"""Numbers of a merged record that its description lacks: its own, and those of national bibliographies (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from catalog import packing
from catalog.model import Format, Published, unique
from catalog.search.fold import squeeze
from protocols import marc

LONGEST = 60
MOST = 40
KINDS = {"control": "c", "national": "n", "music": "m"}

# Tag: kind and subfields ("" = a control field). MARC 21: 010 LCCN, 015 and 016 national bibliographies, 028
# publisher's number, 035 other systems. CNMARC: 020 national bibliography, 021 legal deposit, 071 publisher's number,
# 091 the number that Chinese books had before ISBN.
_TAGS = {
    Format.MARC21: {
        "001": ("control", ""), "035": ("control", "a"), "010": ("national", "a"), "015": ("national", "a"),
        "016": ("national", "a"), "028": ("music", "a"),
    },
    Format.CNMARC: {
        "001": ("control", ""), "035": ("control", "a"), "020": ("national", "b"), "021": ("national", "b"),
        "071": ("music", "a"), "091": ("national", "a"),
    },
}  # fmt: skip


def of(published: Published) -> tuple[str, ...]:
    """Every number of a cluster as the index keeps it."""
    found = [key("control", published.id)]
    if published.body:
        tags = _TAGS[published.format]
        for tag, text in packing.unpack(published.body).fields:
            if tag in tags:
                kind, codes = tags[tag]
                found += [
                    one for value in (marc.values(text, codes) if codes else [text]) for one in _keys(kind, value)
                ]
    return unique(found[:MOST])


def _keys(kind: str, value: str) -> Iterator[str]:
    """A number as written and, where it names whose it is as in `(OCoLC)1234`, without that."""
    yield key(kind, value)
    if value.startswith("(") and ")" in value:
        yield key(kind, value.partition(")")[2])


def key(kind: str, text: str) -> str:
    """What the index is asked for a number of a kind; "" if it has no letters or digits.

    An LCCN may be written with a hyphen in the place of zeros: 85-2 is 85000002 (LCCN Namespace, normalization).
    """
    head, hyphen, tail = text.strip().partition("-")
    if kind == "national" and hyphen and tail.isdecimal() and head[-2:].isdecimal() and len(tail) < 6:
        text = head + tail.zfill(6)
    value = squeeze(text)[:LONGEST]
    return f"{KINDS[kind]}:{value}" if value else ""
