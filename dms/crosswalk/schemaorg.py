"""A record in the words of schema.org as JSON-LD 1.1, by the table `schemaorg_marc21.toml` (pure).

A record of the UNIMARC family goes by way of MARC 21 (`through`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

from catalog.model import Format
from dms.crosswalk import rows, through
from dms.crosswalk.crossing import Crosswalk
from dms.crosswalk.elements import Element
from dms.crosswalk.through import Gone
from protocols.marc import Record

CONTEXT = "https://schema.org"
_KEYWORDS = {"type": "@type", "id": "@id"}
Json: TypeAlias = "str | list[Json] | dict[str, Json]"


@cache
def crosswalk() -> Crosswalk:
    """The crosswalk from MARC 21, one in a process."""
    return Crosswalk(rows.table("schemaorg_marc21"))


def crossed(record: Record, fmt: Format) -> Gone:
    """The record's elements, and what became of its fields."""
    return through.crossed(record, fmt, crosswalk())


def written(found: Gone, ident: str) -> str:
    """A JSON object on one line; `ident` is one of the identifiers."""
    elements = found.crossed.elements()
    if not any(each.name == "identifier" and each.text == ident for each in elements):
        elements.append(Element("identifier", text=ident))
    return json.dumps({"@context": CONTEXT, **_members(elements)}, ensure_ascii=False)


def _members(elements: Iterable[Element]) -> dict[str, Json]:
    """Elements by name; those of one name are a list."""
    members: dict[str, list[Json]] = {}
    for element in elements:
        members.setdefault(_KEYWORDS.get(element.name, element.name), []).append(_value(element))
    return {name: values[0] if len(values) == 1 else values for name, values in members.items()}


def _value(element: Element) -> Json:
    if not element.children and not element.attributes:
        return element.text
    own = {_KEYWORDS.get(name, name): value for name, value in element.attributes.items()}
    return {**own, **_members(element.children)}
