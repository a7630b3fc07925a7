"""What people name when they decide: a cluster by its id, or a record as source/local id (store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog import clusters, decisions, rekeys, sources
from catalog.connection import Connection
from catalog.decisions import Named
from catalog.model import cluster_id
from config.errors import NotFound

MOST = 2000  # records of a cluster that a decision may name


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a decision. `libraries`: whose records are in the cluster."""

    cluster: int
    id: str
    record: Named  # that stands for it: the one named, else the cluster's first
    name: str  # source/local id
    sid: int
    libraries: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A record of a cluster."""

    record: Named
    name: str
    library: str
    sid: int


async def find(conn: Connection, symbol: str, ident: str) -> Side:
    """The side that an id names. NotFound if there is none, or the record takes part in no cluster."""
    named, number = None, None
    if "/" in ident:
        name, _, local_id = ident.partition("/")
        source = await sources.get(conn, name)
        there = await _cluster(conn, (int(source.no), local_id))
        if there is None and (became := await rekeys.became(conn, source.no, local_id)):
            local_id = became[-1].new or local_id
            there = await _cluster(conn, (int(source.no), local_id))
        if there is not None:
            named, number = (int(source.no), local_id), there[0]
    else:
        published = await clusters.resolve(conn, ident)
        number = None if published is None or published.deleted else int(published.cluster)
    if number is None:
        raise NotFound(f"there is no cluster {ident} here; give a cluster id, or a record as source/local id")
    inside = await members(conn, number)
    first = next((each for each in inside if named in (None, each.record)), None)
    if first is None:
        raise NotFound(f"{ident} has no record that may be shown here")
    return Side(
        cluster=number,
        id=cluster_id(symbol, number),
        record=first.record,
        name=first.name,
        sid=first.sid,
        libraries=frozenset(each.library for each in inside),
    )


async def members(conn: Connection, cluster: int) -> Sequence[Member]:
    """The records of a cluster that may be named, at most MOST and one more."""
    return [
        Member(
            record=(row["source"], row["local_id"]),
            name=f"{row['name']}/{row['local_id']}",
            library=row["library"],
            sid=row["sid"],
        )
        for row in await decisions.members(conn, cluster, MOST + 1)
        if row["visible"]
    ]


async def _cluster(conn: Connection, record: Named) -> tuple[int, int] | None:
    return (await decisions.clusters_of(conn, [record])).get(record)
