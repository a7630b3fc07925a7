"""Dublin Core and MODS as carriers: an element a record, alone or in the envelopes of OAI-PMH and SRU (pure).

Each becomes a MARC 21 record by a table (`tomarc`). It is called what its envelope calls it (identifier of the OAI
header, recordIdentifier of SRU), else what it calls itself. What is kept is the element with its envelope, as received.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from protocols import oaiheader, xmlparse, xmlscan
from protocols.marc import Record
from protocols.pieces import UNREADABLE, Piece
from protocols.xmlparse import Finding, Unreadable, content, local
from protocols.xmlscan import Shape

_RECORD = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?record[\s>]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A metadata format: what its elements are called, and what becomes of one (element, its id, findings)."""

    title: str
    names: frozenset[str]
    shape: Shape
    record: Callable[[etree._Element, str, list[Finding]], Record]

    def shape_of(self, data: bytes | bytearray) -> Shape:
        """What to look for in a stretch: envelopes where there are some, else the elements themselves."""
        return xmlscan.WRAPPED if _RECORD.search(data) else self.shape

    def count(self, data: bytes) -> int:
        """Records in a stretch, by their end tags."""
        return len(self.shape_of(data).end.findall(data))


def read_all(kind: Kind, data: bytes, encoding: str) -> Iterator[Piece]:
    """The records of a stretch."""
    for element in xmlscan.elements(data, kind.shape_of(data)):
        raw = data[element.start : element.end]
        if element.doctype:
            yield Piece(element.start, element.end, rule="doctype", reason=xmlparse.REFUSED_DOCTYPE)
            continue
        try:
            if not element.whole:
                raise Unreadable("a tag of the record's element is missing or damaged")
            record, findings = read(kind, raw, encoding)
        except Unreadable as error:
            yield Piece(element.start, element.end, rule=UNREADABLE, reason=str(error))
        else:
            yield Piece(element.start, element.end, record, encoding, findings)


def read(kind: Kind, data: bytes, encoding: str = "utf-8") -> tuple[Record, tuple[Finding, ...]]:
    """Read the bytes of one element, with its envelope if it has one. Raises `Unreadable` with the reason."""
    findings: list[Finding] = []
    parsed = xmlparse.element(data, encoding, findings)
    ident = oaiheader.identifier(parsed)
    if oaiheader.deleted(parsed):
        return oaiheader.deletion(ident), tuple(findings)
    if (element := _found(kind, parsed)) is None:
        packed = next((text for child in parsed if (text := content(child).lstrip()).startswith("<")), "")
        inner = xmlparse.element(packed.encode(), "utf-8", findings) if packed else None
        if inner is None or (element := _found(kind, inner)) is None:
            raise Unreadable(f"there is no {kind.title} in it")
    return kind.record(element, ident, findings), tuple(findings)


def _found(kind: Kind, element: etree._Element) -> etree._Element | None:
    """The metadata's own element: the outermost of its names."""
    envelope = local(element.tag) == "record" and any(local(c.tag) in _ENVELOPE for c in element)
    if local(element.tag) in kind.names and not envelope:
        return element
    return next((each for each in element.iterdescendants() if local(each.tag) in kind.names), None)


_ENVELOPE = frozenset(("header", "metadata", "recordData"))
