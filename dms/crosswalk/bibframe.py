"""A record as BIBFRAME 2 in RDF/XML, by the tables of `bibframe_marc21` (pure).

A Work, an Instance of it, Items where the record has copies, and the Instance's AdminMetadata. Resources of the record
are named after it: `<base>#Work`. A record of the UNIMARC family goes by way of MARC 21 (`through`).
"""

from __future__ import annotations

from functools import cache
from urllib.parse import quote

from catalog.model import Format
from dms.crosswalk import elements, rows, through
from dms.crosswalk.crossing import Crosswalk
from dms.crosswalk.elements import Element
from dms.crosswalk.through import Gone
from protocols.marc import Record

NAMESPACES = {
    "xmlns:rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmlns:rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xmlns:bf": "http://id.loc.gov/ontologies/bibframe/",
    "xmlns:bflc": "http://id.loc.gov/ontologies/bflc/",
}
OPENING = "<rdf:RDF" + "".join(f' {name}="{value}"' for name, value in NAMESPACES.items()) + ">"
CLOSING = "</rdf:RDF>"
WORK, INSTANCE, ITEM, ADMIN = "Work", "Instance", "Item", "Admin"


@cache
def crosswalk() -> Crosswalk:
    """The crosswalk from MARC 21, one in a process."""
    return Crosswalk(rows.table("bibframe_marc21"))


def crossed(record: Record, fmt: Format) -> Gone:
    """The record's elements, and what became of its fields."""
    return through.crossed(record, fmt, crosswalk())


def written(found: Gone, ident: str) -> str:
    """The resources of a record, without the `rdf:RDF` around them; `ident` is what they are named after."""
    return "".join(map(elements.written, resources(found, ident)))


def resources(found: Gone, ident: str) -> list[Element]:
    """The Work and the Instance with what belongs to them."""
    base = quote(ident, safe=":/")
    work = Element("bf:Work", {"rdf:about": f"{base}#Work"}, children=found.crossed.elements(WORK))
    work.children.append(_reference("bf:hasInstance", f"{base}#Instance"))
    instance = Element("bf:Instance", {"rdf:about": f"{base}#Instance"}, children=found.crossed.elements(INSTANCE))
    instance.children.append(_reference("bf:instanceOf", f"{base}#Work"))
    if items := found.crossed.elements(ITEM):
        item = Element("bf:Item", {"rdf:about": f"{base}#Item"}, children=items)
        item.children.append(_reference("bf:itemOf", f"{base}#Instance"))
        instance.children.append(Element("bf:hasItem", children=[item]))
    admin = Element("bf:AdminMetadata", children=found.crossed.elements(ADMIN))
    instance.children.append(Element("bf:adminMetadata", children=[admin]))
    return [work, instance]


def _reference(name: str, to: str) -> Element:
    return Element(name, {"rdf:resource": to})
