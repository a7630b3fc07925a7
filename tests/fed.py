"""What a child node tells, and how it lands at the parent: loads of mode `feed` without another node or a wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog import bodies, inbox, loads, packing, payload
from catalog.loads import Load
from catalog.model import Format, LoadState, cluster_id
from catalog.payload import Bib, Change, Held, Kind, Level
from protocols.marc import Record
from tests import builders
from tests.pipeline import Catalogue

CHILD = "CN-SZL"
OTHER = "CN-HKS"


def ident(number: int, child: str = CHILD) -> str:
    """Of a child's cluster."""
    return cluster_id(child, number)


def a_record(number: int, **given: Any) -> Record:
    """A merged record: no 001, no holdings."""
    told = {"title": f"园冶注释第{number}种", "isbn": builders.isbn13(500 + number), "local_id": ""} | given
    return builders.a_cnmarc(**told)


def held(number: int, library: str = CHILD, source: str = "opac", **more: str) -> Held:
    """A copy of a library's record of this number."""
    return Held(f"{library}/{source}/{number}#1", library, call_number=f"TU/{number}", **more)


def told(
    number: int,
    *,
    seq: int = 1,
    child: str = CHILD,
    record: Record | None = None,
    holdings: Sequence[Held] | None = None,
    level: Level = Level.ALL,
    **given: Any,
) -> Change:
    """A child's cluster as it is told."""
    body = packing.pack(record or a_record(number, **given))
    copies = (held(number, child),) if holdings is None else tuple(holdings)
    bib = Bib(int(Format.CNMARC), int(level), body, copies)
    return Change(int(Kind.BIB), ident(number, child), 1, seq, payload.encode(bib))


def gone(number: int, *, seq: int = 2, child: str = CHILD, heir: int | None = None) -> Change:
    """Its tombstone."""
    redirect = "" if heir is None else ident(heir, child)
    return Change(int(Kind.BIB), ident(number, child), 1, seq, b"", redirect)


async def feed(
    catalogue: Catalogue, changes: Sequence[Change], *, child: str = CHILD, settle: bool = True, **habits: Any
) -> Load:
    """Land a segment's changes as receiving does, and see the load through unless `settle` is false."""
    source = await catalogue.source(child, library=child, **habits)
    packed = payload.encode(list(changes))
    async with catalogue.database.transaction() as conn:
        load = await loads.begin(
            conn,
            source.no,
            source.library,
            mode="feed",
            origin=f"{child} 1:1",
            fingerprint=b"",
            carrier="packed",
            encoding="utf-8",
            assured=True,
        )
        await inbox.land(
            conn, load.load, position=0, ordinal=0, payload=bodies.pass_on(packed), expected=0, landed=len(packed)
        )
        await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
    if settle:
        await catalogue.settle()
        load = await catalogue.again(load.load)
    return load
