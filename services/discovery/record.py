"""One record with its holdings: by any cluster id that was ever given out, or a source record by its own name."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import bodies, clusters, dictionaries, holdings, records, sources, visibility
from catalog.connection import Connection
from catalog.model import CARRIER_NAMES, Carrier, Format, Holding, Published
from config import errors
from protocols import reading
from protocols.marc import Record


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
class Found:
    """What an id leads to: `published.id` differs from the id asked for where a redirect was followed."""

    published: Published
    copies: tuple[Copy, ...]


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
    )


async def of_source(conn: Connection, source: str, local_id: str) -> tuple[Record, Format]:
    """A source record as it was received. Raises `NoSuchRecord`, `Hidden`, or NotFound for an unknown source."""
    row = await records.get(conn, (await sources.get(conn, source)).no, local_id)
    if row is None:
        raise NoSuchRecord(f"The source {source} has no record {local_id}.")
    if not visibility.is_visible(row.visibility):
        why = visibility.reason(row.visibility)
        raise Hidden(f"{source}/{local_id} is {why} and not shown; `tianlu explain {source}/{local_id}` says more.")
    raw = bodies.open_body(row.body, row.dictionary, await dictionaries.every(conn))
    return reading.decode(raw, CARRIER_NAMES[Carrier(row.carrier)], row.encoding), Format(row.format)
