"""The targets that are no MARC: a record in each, and what became of its fields (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from catalog.model import Format
from dms.crosswalk import bibframe, dublin, mods, schemaorg
from dms.crosswalk.lines import Brief, Fates, every
from protocols.marc import Record


class Told(NamedTuple):
    """A record in a target."""

    text: str
    brief: Callable[[], list[Brief]]  # what became of every source field; reckoned when asked for

    def fates(self) -> Fates:
        """(which of its tag from 1, its lines) of every source field."""
        return every(self.brief())


def dc(record: Record, fmt: Format, ident: str) -> Told:
    """Simple Dublin Core: an `oai_dc:dc` element."""
    found = dublin.crossed(record, fmt)
    return Told(dublin.written_simple(found, ident), found.brief)


def qdc(record: Record, fmt: Format, ident: str) -> Told:
    """Qualified Dublin Core: a `qdc:qualifieddc` element."""
    found = dublin.crossed(record, fmt)
    return Told(dublin.written_qualified(found, ident), found.brief)


def mods_(record: Record, fmt: Format, ident: str) -> Told:
    """MODS: a `mods` element."""
    found = mods.crossed(record, fmt)
    return Told(mods.written(found), found.brief)


def bibframe_(record: Record, fmt: Format, ident: str) -> Told:
    """BIBFRAME: a `bf:Work` and a `bf:Instance`, for an `rdf:RDF` around them."""
    found = bibframe.crossed(record, fmt)
    return Told(bibframe.written(found, ident), found.brief)


def schemaorg_(record: Record, fmt: Format, ident: str) -> Told:
    """schema.org: a JSON-LD object on one line."""
    found = schemaorg.crossed(record, fmt)
    return Told(schemaorg.written(found, ident), found.brief)


# `ident` is what the record is named after: cluster id, or SOURCE/LOCAL-ID.
TARGETS: Mapping[str, Callable[[Record, Format, str], Told]] = {
    "dc": dc,
    "qdc": qdc,
    "mods": mods_,
    "bibframe": bibframe_,
    "schemaorg": schemaorg_,
}
