"""One record with its holdings, by any cluster id that was ever given out."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import clusters, holdings
from catalog.connection import Connection
from catalog.model import Holding, Published
from config import errors


class NoSuchRecord(errors.NotFound):
    """The id was never given out here."""

    code = "no-such-record"


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
