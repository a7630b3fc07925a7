"""One record with its holdings: by any cluster id that was ever given out, or a source record by its own name."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import (
    attached,
    bodies,
    clusters,
    dictionaries,
    holdings,
    model,
    parents,
    received,
    records,
    rekeys,
    sources,
    visibility,
)
from catalog.connection import Connection
from catalog.model import Holding, Published, unique
from catalog.parents import Parent
from catalog.records import Row
from config import errors


class NoSuchRecord(errors.NotFound):
    """The id was never given out here."""

    code = "no-such-record"


class Hidden(errors.Refused):
    """The record is suppressed, private or held: no output shows it."""

    code = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A holding and the source record that told it."""

    source: str
    local_id: str
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The same title in a parent's catalogue, from the versions that it sent us."""

    parent: Parent
    idents: tuple[str, ...]  # the parent's cluster ids, mostly one
    libraries: tuple[str, ...]  # symbols of those that hold it besides the ones listed here


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an id leads to: `published.id` differs from the id asked for where a redirect was followed."""

    published: Published
    copies: tuple[Copy, ...]
    elsewhere: tuple[Elsewhere, ...] = ()  # the uplink first


async def by_id(conn: Connection, ident: str) -> Found:
    """The record now standing under `ident`, deleted ones included. Raises `NoSuchRecord`."""
    published = await clusters.resolve(conn, ident)
    if published is None:
        raise NoSuchRecord(f"There is no record {ident} here.")
    if published.deleted:
        return Found(published=published, copies=())
    rows = await holdings.of_cluster(conn, published.cluster)
    return Found(
        published=published,
        copies=tuple(Copy(source=source, local_id=local_id, holding=holding) for source, local_id, holding in rows),
        elsewhere=await _elsewhere(conn, published),
    )


async def _elsewhere(conn: Connection, published: Published) -> tuple[Elsewhere, ...]:
    versions = await received.of_cluster(conn, published.cluster)
    if not versions:
        return ()
    found = []
    for parent in await parents.active(conn):
        its = [version for symbol, version in versions if symbol == parent.symbol]
        held = unique([symbol for version in its for symbol in version.libraries])
        others = tuple(symbol for symbol in held if symbol not in published.libraries)
        if others:
            found.append(Elsewhere(parent=parent, idents=tuple(each.id for each in its), libraries=others))
    return tuple(found)


async def copies_of_source(conn: Connection, source: str, local_id: str) -> tuple[Holding, ...]:
    """The copies that a holdings record tells of; of other records none, theirs are shown with their cluster."""
    row = await records.named(conn, (await sources.get(conn, source)).no, local_id)
    if row is None or row.kind != attached.HOLDINGS:
        return ()
    return tuple(await holdings.of_record(conn, row.source, row.local_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Where the name of a source record leads that was re-keyed. `ident`: source/local id, or the cluster that a record
    was in which the new system does not have."""

    ident: str
    became: tuple[rekeys.Became, ...]  # step by step


async def now_named(conn: Connection, source: str, local_id: str) -> Lead | None:
    """Where an id of before leads; None of one that a record has now, or that none ever had."""
    number = (await sources.get(conn, source)).no
    if await records.named(conn, number, local_id) is not None:
        return None
    became = await rekeys.became(conn, number, local_id) or await rekeys.became(
        conn, number, model.HELD_PREFIX + local_id
    )
    if not became:
        return None
    last = became[-1]
    if last.new is not None:
        return Lead(ident=f"{source}/{last.new}", became=tuple(became))
    ident = model.cluster_id(await clusters.symbol(conn), last.cluster) if last.cluster is not None else ""
    return Lead(ident=ident, became=tuple(became))


async def kept(conn: Connection, source: str, local_id: str) -> tuple[Row, bytes]:
    """A source record's row and kept bytes. Raises `NoSuchRecord`, `Hidden`, or NotFound for an unknown source."""
    row = await records.named(conn, (await sources.get(conn, source)).no, local_id)
    if row is None:
        raise NoSuchRecord(f"The source {source} has no record {local_id}.")
    if not visibility.is_visible(row.visibility):
        why = visibility.reason(row.visibility)
        raise Hidden(f"{source}/{local_id} is {why} and not shown; `tianlu explain {source}/{local_id}` says more.")
    return row, bodies.open_body(row.body, row.dictionary, await dictionaries.of(conn, {row.dictionary}))
