"""Who gave each field of a cluster's record, and which record is its base, from its members as they are (store)."""

from __future__ import annotations

from itertools import islice

from catalog import base_choices, clusters, dictionaries, packing
from catalog.connection import Connection
from catalog.model import Published
from dms import contributors, merge_base, merge_many, merging
from dms.contributors import Contributions
from dms.merge_base import Member


async def cluster(conn: Connection, published: Published) -> Contributions | None:
    """Who gave the fields of a published record; None if it has no records that may be shown."""
    members = [] if published.deleted else await _members(conn, published.cluster)
    if not members:
        return None
    return contributors.of(packing.unpack(published.body).fields, published.format, members)


async def base(conn: Connection, cluster: int) -> tuple[str, str] | None:
    """The key of a cluster's base, and by which of `merge_base.STEPS` it is; None as above."""
    members = await _members(conn, cluster)
    return (merge_base.ranked(members)[0].key, merge_base.decided(members)) if members else None


async def _members(conn: Connection, cluster: int) -> list[Member]:
    rows = list(islice(await clusters.members(conn, [cluster]), merging.MOST_MEMBERS))
    known = await dictionaries.of(conn, {row["dictionary"] for row in rows})
    bases = await base_choices.of(conn, [cluster])
    return [merge_many.member(merging.kept_of(row, {}, bases), known) for row in rows]
