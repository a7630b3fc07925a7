"""Search requests that differ in their term alone: what stands before it is read once.

A program sends the same octets with every search, but for the term, which is mostly the last of all. So requests are
known by what comes before it, its length included; that nothing but the term depends on the octets behind was tried
when one was read for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, RpnQuery, Type1
from protocols.z3950.apdu.search import SearchRequest
from protocols.z3950.ber import INDEFINITE, Malformed

GENERAL = b"\x9f\x2d"  # identifier octets of a term of the kind that nearly all are
LONGEST = 256  # octets before a term
REMEMBERED = 1_000  # about 2 MB

Apdu = TypeVar("Apdu")


class _Kind(NamedTuple):
    """Requests that differ in their term alone."""

    request: SearchRequest  # one of them
    asked: RpnQuery
    attributes: tuple[AttributeElement, ...]
    size: int  # of the term

    def of(self, term: bytes) -> SearchRequest:
        """The one with this term."""
        operand = AttributesPlusTerm(attributes=self.attributes, term=term)
        return structs.replace(self.request, query=Type1(structs.replace(self.asked, rpn=operand)))


class Alike(Generic[Apdu]):
    """Reads search requests; `whole` reads any octets from the start."""

    def __init__(self, whole: Callable[[bytes], Apdu]) -> None:
        self._whole = whole
        self._known: dict[bytes, _Kind] = {}  # by what comes before the term

    def read(self, octets: bytes) -> Apdu | SearchRequest:
        """What the octets are. Raises what `whole` does."""
        behind = octets.rfind(GENERAL, 0, LONGEST) + len(GENERAL) + 1
        head = octets[:behind]
        known = self._known.get(head)
        if known is not None and len(octets) == behind + known.size:
            return known.of(octets[behind:])
        found = self._whole(octets)
        if isinstance(found, SearchRequest) and (kind := self._kind(found, octets, behind)):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[head] = kind
        return found

    def _kind(self, found: SearchRequest, octets: bytes, behind: int) -> _Kind | None:
        """The kind of a request; None unless the octets from `behind` on are its term, and nothing else is."""
        term = octets[behind:]
        if not isinstance(found.query, Type1) or not 0 < len(term) < INDEFINITE or octets[behind - 1] != len(term):
            return None
        asked = found.query.query
        if not isinstance(asked.rpn, AttributesPlusTerm) or asked.rpn.term != term:
            return None
        kind = _Kind(found, asked, asked.rpn.attributes, len(term))
        other = bytes([each ^ 0xFF for each in term])
        try:
            return kind if self._whole(octets[:behind] + other) == kind.of(other) else None
        except Malformed:  # what stands there is something else, with the same octets
            return None
