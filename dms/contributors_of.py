"""Who gave each field of a cluster's record, from its members as they stand now (store)."""

from __future__ import annotations

from itertools import islice

from catalog import clusters, dictionaries, packing
from catalog.connection import Connection
from catalog.model import Published
from dms import contributors, merge_many, merging
from dms.contributors import Contributions


async def cluster(conn: Connection, published: Published) -> Contributions | None:
    """Who gave the fields of a published record; None if it has no records that may be shown."""
    rows = list(islice(await clusters.members(conn, [published.cluster]), merging.MOST_MEMBERS))
    known = await dictionaries.of(conn, {row["dictionary"] for row in rows})
    members = [merge_many.member(merging.kept_of(row, {}), known) for row in rows]
    if published.deleted or not members:
        return None
    return contributors.of(packing.unpack(published.body).fields, published.format, members)
