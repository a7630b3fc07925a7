"""What the envelope of a record says of it: identifiers and deletions in OAI-PMH 2.0 and SRU (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from protocols.marc import Record
from protocols.xmlparse import local

DELETED_LEADER = "00000dam a2200000   4500"  # leader/05 = d: the record is deleted
_IDENTIFIERS = {"header": "identifier", "record": "recordIdentifier"}  # OAI-PMH 2.0, 2.5; SRU 1.2, records


def identifier(element: etree._Element) -> str:
    """The identifier that the envelope gives the record, or the empty string."""
    for part in (element, *_children(element, "header")):
        wanted = _IDENTIFIERS.get(local(part.tag))
        for child in part:
            if wanted and local(child.tag) == wanted and child.text:
                return child.text.strip()
    return ""


def deleted(element: etree._Element) -> bool:
    """Whether the header says that the record was deleted (OAI-PMH 2.0, 2.5.1)."""
    return any(header.get("status") == "deleted" for header in _children(element, "header"))


def deletion(ident: str) -> Record:
    """A record that says of itself only that it is gone."""
    return Record(DELETED_LEADER, (("001", ident),))


def local_part(ident: str) -> str:
    """What the repository itself calls the record: the end of an OAI identifier (OAI identifier format 2.0)."""
    return ident.rpartition(":")[2].rpartition("/")[2]


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if local(child.tag) == name)
