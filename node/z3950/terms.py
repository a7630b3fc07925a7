"""Terms of a query as they came: octets in an encoding that has yet to be found out (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.z3950.apdu.query import AttributesPlusTerm, Rpn, RpnOperation


def octets(rpn: Rpn) -> Iterator[bytes]:
    """Of every term that is text."""
    waiting = [rpn]
    while waiting:
        found = waiting.pop()
        if isinstance(found, RpnOperation):
            waiting += (found.rpn2, found.rpn1)
        elif isinstance(found, AttributesPlusTerm):
            if isinstance(found.term, bytes):
                yield found.term
            elif isinstance(found.term, str):
                yield found.term.encode("utf-8", "surrogateescape")
