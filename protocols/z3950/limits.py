"""How much of another's octets is looked at before they are refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one APDU. Reading one takes time linear in its octets and memory linear in its elements."""

    octets: int = 256 << 10  # of a whole APDU with its header
    depth: int = 400  # of operators within operators, and of values of indefinite length within one another
    elements: int = 10_000  # of constructed values, whether they are known or skipped: twice what the longest query has


REQUESTS = Limits()  # what a client may ask: long enough for an update with a large record
ANSWERS = Limits(octets=64 << 20, elements=200_000)  # what a server that we asked may send
