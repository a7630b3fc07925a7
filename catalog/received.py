"""A parent's versions of what is held here: shown beside our own, never matched, merged or sent up (store)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A version of a parent's cluster. `payload` is zstd of the packed bib, empty when the cluster is gone."""

    id: str  # the parent's cluster id
    redirect: str = ""
    payload: bytes = b""
    libraries: tuple[str, ...] = ()  # that hold it, in the parent's sight
    clusters: tuple[int, ...] = ()  # of this node, in the parent's one


async def put(conn: Connection, peer: int, versions: Sequence[Received]) -> None:
    """Write versions over what is there of them."""
    if not versions:
        return
    idents = [v.id for v in versions]
    # Libraries travel as text because unnest flattens arrays of arrays.
    await conn.execute(
        """insert into received (peer, id, redirect, payload, libraries)
           select $1, v.id, v.redirect, v.payload, coalesce(string_to_array(nullif(v.libraries, ''), chr(9)), '{}')
           from unnest($2::text[], $3::text[], $4::bytea[], $5::text[]) v (id, redirect, payload, libraries)
           on conflict (peer, id) do update set redirect = excluded.redirect, payload = excluded.payload,
               libraries = excluded.libraries, at = now()""",
        peer,
        idents,
        [v.redirect for v in versions],
        [v.payload for v in versions],
        ["\t".join(v.libraries) for v in versions],
    )
    links = [(cluster, peer, v.id) for v in versions for cluster in v.clusters]
    await conn.execute(
        """delete from received_of o using unnest($2::text[]) i (id)
           where o.peer = $1 and o.id = i.id
             and (o.cluster, o.id) not in (select * from unnest($3::bigint[], $4::text[]))""",
        peer,
        idents,
        [cluster for cluster, _, _ in links],
        [ident for _, _, ident in links],
    )
    await conn.execute(
        """insert into received_of (cluster, peer, id) select l.cluster, $1, l.id
           from unnest($2::bigint[], $3::text[]) l (cluster, id) on conflict do nothing""",
        peer,
        [cluster for cluster, _, _ in links],
        [ident for _, _, ident in links],
    )


async def of_cluster(conn: Connection, cluster: int) -> list[tuple[str, Received]]:
    """(parent's symbol, version) of every parent's version of a cluster of this node; gone ones are left out."""
    rows = await conn.fetch(
        """select p.symbol, r.id, r.redirect, r.payload, r.libraries
           from received_of o join received r using (peer, id) join peer p using (peer)
           where o.cluster = $1 and r.payload <> '' order by p.path, p.symbol, r.id""",
        cluster,
    )
    return [
        (
            row["symbol"],
            Received(
                id=row["id"],
                redirect=row["redirect"],
                payload=row["payload"],
                libraries=tuple(row["libraries"]),
                clusters=(cluster,),
            ),
        )
        for row in rows
    ]


async def kept(conn: Connection, peer: int, after: str, limit: int) -> list[tuple[str, str, bytes]]:
    """(id, redirect, payload) in order of id, for recomputing digests."""
    rows = await conn.fetch(
        """select id, redirect, payload from received where peer = $1 and id collate "C" > $2
           order by id collate "C" limit $3""",
        peer,
        after,
        limit,
    )
    return [tuple(row) for row in rows]
