"""A record as MODS 3.7 (Library of Congress), by the tables `mods_marc21.toml` and `mods_cnmarc.toml` (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from catalog.model import Format
from dms.crosswalk import elements, rows
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.elements import Element
from protocols.marc import Record

NAMESPACE = "http://www.loc.gov/mods/v3"
VERSION = "3.7"
SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-7.xsd"
_TABLES: Mapping[Format, str] = {Format.MARC21: "mods_marc21", Format.CNMARC: "mods_cnmarc"}


@cache
def crosswalk(fmt: Format) -> Crosswalk:
    """The crosswalk from a format, one in a process."""
    return Crosswalk(rows.table(_TABLES[fmt]))


def crossed(record: Record, fmt: Format) -> Crossed:
    """The record's elements, and what became of its fields."""
    return crosswalk(fmt).record(record)


def written(found: Crossed, ident: str = "") -> str:
    """The `mods` element; the record names itself in recordInfo, so that `ident` is not needed."""
    declared = {"xmlns": NAMESPACE, "version": VERSION}
    return elements.written(Element("mods", declared, children=found.elements()))
