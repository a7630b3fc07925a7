"""A record as MODS 3.7 (Library of Congress), by the tables `mods_marc21.toml` and `mods_cnmarc.toml` (pure)."""

from __future__ import annotations

from catalog.model import Format
from dms.crosswalk import elements, rows
from dms.crosswalk.elements import Element
from dms.crosswalk.rows import Crossed
from protocols.marc import Record

NAMESPACE = "http://www.loc.gov/mods/v3"
VERSION = "3.7"
SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-7.xsd"
_TABLES = {Format.MARC21: "mods_marc21", Format.CNMARC: "mods_cnmarc"}


def crossed(record: Record, fmt: Format) -> Crossed:
    """The record's elements under `mods`, and what of the record is in none of them."""
    found = Crossed(record, rows.table(_TABLES[fmt]), Element("mods"))
    _unique(found.root)
    return found


def write(record: Record, fmt: Format, *, namespace: bool = True) -> str:
    """The `mods` element. Without `namespace` it stands in a collection that declares it."""
    root = crossed(record, fmt).root
    declared = {"xmlns": NAMESPACE} if namespace else {}
    root.attributes = {**declared, "version": VERSION}
    return elements.written(root)


def _unique(root: Element) -> None:
    """Without elements that say the same twice, as 008 and 041 do of the language; MODS has no use for them."""
    kept: list[Element] = []
    for element in root.children:
        if element not in kept:
            kept.append(element)
    root.children = kept
