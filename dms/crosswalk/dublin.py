"""A record as qualified or simple Dublin Core, by the tables `dc_marc21.toml` and `dc_cnmarc.toml` (pure).

Qualified: DCMI Metadata Terms (2020) in the container `qdc:qualifieddc` of the schemas for qualified Dublin Core
(dublincore.org/schemas/xmls/qdc/2008/02/11/qualifieddc.xsd). Simple: the fifteen elements of DCMES 1.1; a refinement
becomes the element it refines ("dumbing down").
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from catalog.model import Format
from dms.crosswalk import elements, rows
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.elements import Element
from protocols.marc import Record

CONTAINER = "qdc:qualifieddc"
SIMPLE_NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SIMPLE_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
QUALIFIED_NAMESPACE = "http://dublincore.org/xml/schemas/qdc/2008/02/11/"
QUALIFIED_SCHEMA = "http://dublincore.org/schemas/xmls/qdc/2008/02/11/qualifieddc.xsd"
NAMESPACES: Mapping[str, str] = {
    "xmlns:qdc": QUALIFIED_NAMESPACE,
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
    "xmlns:dcterms": "http://purl.org/dc/terms/",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_SIMPLE = (
    f'<oai_dc:dc xmlns:oai_dc="{SIMPLE_NAMESPACE}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{SIMPLE_NAMESPACE} {SIMPLE_SCHEMA}">'
)
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
_TABLES: Mapping[Format, str] = {Format.MARC21: "dc_marc21", Format.CNMARC: "dc_cnmarc"}


@cache
def crosswalk(fmt: Format) -> Crosswalk:
    """The crosswalk from a format, one in a process."""
    return Crosswalk(rows.table(_TABLES[fmt]))


def crossed(record: Record, fmt: Format) -> Crossed:
    """The record's elements, and what became of its fields."""
    return crosswalk(fmt).record(record)


def written_qualified(found: Crossed, ident: str) -> str:
    """The `qdc:qualifieddc` element; `ident` is one of the identifiers."""
    children = found.elements()
    if not any(child.name == "dc:identifier" and child.text == ident for child in children):
        children.append(Element("dc:identifier", text=ident))
    return elements.written(Element(CONTAINER, dict(NAMESPACES), children=children))


def written_simple(found: Crossed, ident: str) -> str:
    """The `oai_dc:dc` element (OAI-PMH 2.0 guidelines, oai_dc.xsd); `ident` is one of the identifiers."""
    pairs = dict.fromkeys((*simple(found), ("identifier", ident)))
    inside = "".join([f"<dc:{name}>{elements.escaped(value)}</dc:{name}>" for name, value in pairs])
    return f"{_SIMPLE}{inside}</oai_dc:dc>"


def simple(found: Crossed) -> list[tuple[str, str]]:
    """(element of DCMES 1.1, value) pairs."""
    pairs: dict[tuple[str, str], None] = {}
    for element in found.elements():
        prefix, _, name = element.name.partition(":")
        if own := REFINED[name] if prefix == "dcterms" else name:
            pairs[own, element.text] = None
    return list(pairs)
