"""A record as MODS 3.7 (Library of Congress), by the tables `mods_marc21.toml` and `mods_cnmarc.toml` (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.model import Format
from dms.crosswalk import elements, rows
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.elements import Element
from protocols.marc import Record

NAMESPACE = "http://www.loc.gov/mods/v3"
VERSION = "3.7"
SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-7.xsd"
_CROSSWALKS: Mapping[Format, Crosswalk] = {
    Format.MARC21: Crosswalk(rows.table("mods_marc21")),
    Format.CNMARC: Crosswalk(rows.table("mods_cnmarc")),
}


def crossed(record: Record, fmt: Format) -> Crossed:
    """The record's elements, and what became of its fields."""
    return _CROSSWALKS[fmt].record(record)


def written(found: Crossed, *, namespace: bool = True) -> str:
    """The `mods` element. Without `namespace` it stands in a collection that declares it."""
    declared = {"xmlns": NAMESPACE} if namespace else {}
    return elements.written(Element("mods", {**declared, "version": VERSION}, children=found.elements()))


def write(record: Record, fmt: Format, *, namespace: bool = True) -> str:
    """The record as a `mods` element."""
    return written(crossed(record, fmt), namespace=namespace)
