"""Records that a person made the base of their cluster's merged record (store)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from catalog.connection import Connection

Named = tuple[int, str]  # source number, local id


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A person's word on the base."""

    source: int
    local_id: str
    library: str
    who: str
    why: str
    at: datetime


_OF = """from base_choice b join record r using (source, local_id) join membership m using (sid)
         where m.cluster = any($1::bigint[])"""


async def any_choice(conn: Connection) -> bool:
    """Most nodes have none: then nothing else need be asked."""
    found: bool = await conn.fetchval("select exists (select from base_choice)")
    return found


async def of(conn: Connection, clusters: Collection[int]) -> frozenset[str]:
    """The chosen records of these clusters, as source name / local id."""
    rows = await conn.fetch(
        f"""select s.name || '/' || c.local_id name
            from (select b.source, b.local_id {_OF}) c join source s using (source)""",
        list(clusters),
    )
    return frozenset(row["name"] for row in rows)


async def of_cluster(conn: Connection, cluster: int) -> list[Choice]:
    """What was chosen in a cluster, the last word first; more than one only after clusters were joined."""
    rows = await conn.fetch(
        f"select b.source, b.local_id, b.library, b.who, b.why, b.at {_OF} order by b.at desc, b.source, b.local_id",
        [cluster],
    )
    return [Choice(**dict(row)) for row in rows]


async def choose(conn: Connection, record: Named, *, library: str, who: str, why: str) -> None:
    """Make a record the base of whatever cluster it is in."""
    await conn.execute(
        """insert into base_choice (source, local_id, library, who, why) values ($1, $2, $3, $4, $5)
           on conflict (source, local_id) do update
           set library = excluded.library, who = excluded.who, why = excluded.why, at = now()""",
        *record,
        library,
        who,
        why,
    )


async def withdraw(conn: Connection, record: Named) -> None:
    """The policy chooses again."""
    await conn.execute("delete from base_choice where source = $1 and local_id = $2", *record)
