"""A record as qualified or simple Dublin Core, by the tables `dc_marc21.toml` and `dc_cnmarc.toml` (pure).

Qualified: DCMI Metadata Terms (2020) in the container `qdc:qualifieddc` of the schemas for qualified Dublin Core
(dublincore.org/schemas/xmls/qdc/2008/02/11/qualifieddc.xsd). Simple: the fifteen elements of DCMES 1.1; a refinement
becomes the element it refines ("dumbing down").
"""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import Format
from dms.crosswalk import elements, rows
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.elements import Element
from protocols.marc import Record

CONTAINER = "qdc:qualifieddc"
NAMESPACES: Mapping[str, str] = {
    "xmlns:qdc": "http://dublincore.org/xml/schemas/qdc/2008/02/11/",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    "xmlns:dcterms": "http://purl.org/dc/terms/",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
# Refinement → the element of DCMES 1.1 that it refines (DCMI Metadata Terms, "Refines").
REFINED: Mapping[str, str] = {
    "abstract": "description",
    "alternative": "title",
    "audience": "",
    "dateCopyrighted": "date",
    "extent": "format",
    "hasFormat": "relation",
    "hasVersion": "relation",
    "isPartOf": "relation",
    "isReplacedBy": "relation",
    "isVersionOf": "relation",
    "issued": "date",
    "medium": "format",
    "replaces": "relation",
    "spatial": "coverage",
    "tableOfContents": "description",
}
_CROSSWALKS: Mapping[Format, Crosswalk] = {
    Format.MARC21: Crosswalk(rows.table("dc_marc21")),
    Format.CNMARC: Crosswalk(rows.table("dc_cnmarc")),
}


def crossed(record: Record, fmt: Format) -> Crossed:
    """The record's elements, and what became of its fields."""
    return _CROSSWALKS[fmt].record(record)


def written_qualified(found: Crossed, ident: str) -> str:
    """The `qdc:qualifieddc` element; `ident` is one of the identifiers."""
    children = found.elements()
    if not any(child.name == "dc:identifier" and child.text == ident for child in children):
        children.append(Element("dc:identifier", text=ident))
    return elements.written(Element(CONTAINER, dict(NAMESPACES), children=children))


def write_qualified(record: Record, fmt: Format, ident: str) -> str:
    """The record as a `qdc:qualifieddc` element; `ident` is one of the identifiers."""
    return written_qualified(crossed(record, fmt), ident)


def simple(found: Crossed) -> list[tuple[str, str]]:
    """(element of DCMES 1.1, value) pairs."""
    pairs: dict[tuple[str, str], None] = {}
    for element in found.elements():
        prefix, _, name = element.name.partition(":")
        if own := REFINED[name] if prefix == "dcterms" else name:
            pairs[own, element.text] = None
    return list(pairs)
