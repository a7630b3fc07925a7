"""Linking entry fields of the UNIMARC family in one form, whatever technique wrote them (pure).

UNIMARC Manual: Bibliographic Format (2008), block 4XX: the embedded fields technique (`$1` with a whole field in it)
and the standard subfields technique ($a author, $t title, $x ISSN …) say the same; crosswalks read the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from protocols import embedded, marc
from protocols.marc import DELIMITER

# Embedded field and subfield → standard subfield.
STANDARD: Mapping[tuple[str, str], str] = {
    ("001", ""): "0",
    ("010", "a"): "y",
    ("011", "a"): "x",
    ("013", "a"): "y",
    ("200", "a"): "t",
    ("200", "e"): "o",
    ("200", "f"): "a",
    ("200", "h"): "h",
    ("200", "i"): "i",
    ("200", "v"): "v",
    ("205", "a"): "e",
    ("210", "a"): "c",
    ("210", "c"): "n",
    ("210", "d"): "d",
    ("215", "a"): "p",
    ("500", "a"): "t",
    ("700", "a"): "a",
    ("701", "a"): "a",
    ("710", "a"): "a",
    ("856", "u"): "u",
}


class Said(NamedTuple):
    """A value of a linking field."""

    source: str  # the subfield, or field and subfield within `$1`: `1200$a`
    code: str  # of the standard subfields technique; "" = it has none
    value: str


def said(text: str) -> list[Said]:
    """Everything that a field says, in standard subfields."""
    if f"{DELIMITER}1" not in text:
        return [Said(code, code, value) for code, value in marc.subfields(text)]
    found: list[Said] = []
    for inner in embedded.fields(text):
        if inner.tag == embedded.OUTSIDE:
            found += [Said(code, code, value) for code, value in marc.subfields(inner.text)]
        elif marc.is_control(inner.tag):
            found.append(Said(f"1{inner.tag}", STANDARD.get((inner.tag, ""), ""), inner.text))
        else:
            found += [
                Said(f"1{inner.tag}${own}", STANDARD.get((inner.tag, own), ""), value)
                for own, value in marc.subfields(inner.text)
            ]
    return found
