"""Numbers of a merged record that its description lacks: its own, those of national bibliographies, and what libraries
know it by: the numbers of their records, and call numbers (pure).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog import packing
from catalog.model import Format, Published, Shelved, unique
from catalog.search.fold import squeeze
from protocols import marc

LONGEST = 60
MOST = 40  # of the record
MOST_SHELVED = 4_000  # of libraries: all of a title have each their own
KINDS = {"control": "c", "national": "n", "music": "m", "call": "s"}

# Tag: kind and subfields ("" = a control field). MARC 21: 010 LCCN, 015 and 016 national bibliographies, 028
# publisher's number, 035 other systems, 050, 060 and 070 call numbers of three national libraries. CNMARC: 020 national
# bibliography, 021 legal deposit, 071 publisher's number, 091 the number that Chinese books had before ISBN, 680 call
# number of the Library of Congress.
_TAGS = {
    Format.MARC21: {
        "001": ("control", ""), "035": ("control", "a"), "010": ("national", "a"), "015": ("national", "a"),
        "016": ("national", "a"), "028": ("music", "a"), "050": ("call", "ab"), "060": ("call", "ab"),
        "070": ("call", "ab"),
    },
    Format.CNMARC: {
        "001": ("control", ""), "035": ("control", "a"), "020": ("national", "b"), "021": ("national", "b"),
        "071": ("music", "a"), "091": ("national", "a"), "680": ("call", "ab"),
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
                found += [one for value in _values(kind, codes, text) for one in _keys(kind, value)]
    if published.description:
        found += [key("call", number) for number in published.description.classification]
    return unique(found[:MOST] + [one for each in published.shelved[:MOST_SHELVED] for one in _shelved(each)])


def _values(kind: str, codes: str, text: str) -> list[str]:
    if not codes:
        return [text]
    values = marc.values(text, codes)
    return [" ".join(values)] if kind == "call" else values


def _shelved(one: Shelved) -> Iterator[str]:
    """A library's numbers; that of its record also with whose it is, as `(CN-TJU)1234` names it."""
    if one.number:
        yield key("control", f"{one.library} {one.number}")
        yield from _keys("control", one.number)
    yield key("call", one.call_number)


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
