"""Re-keyings: the steps by which a source's records get other local ids, and what became of each id (store).

Steps are kept with how far they were taken. What became of an id is kept for good, so that old ones resolve.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.connection import Connection

RENAMED, MAKES_WAY, GOES_INTO = 0, 1, 2  # kinds of steps
MOST_TIMES = 32  # re-keyings through which an id is followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekey:
    """A row of table `rekey`."""

    rekey: int
    source: int
    origin: str
    fingerprint: bytes
    state: str  # moving → moved → done
    steps: int
    done: int
    former: str  # identity rule up to then
    after: int
    counts: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One renaming, or one record that goes into another."""

    n: int
    old: str
    new: str
    kind: int


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an id."""

    old: str
    new: str | None  # None: nothing in the new files was surely it
    rekey: int
    evidence: str
    cluster: int | None  # that it was in
    at: datetime


COLUMNS = ", ".join(Rekey.__dataclass_fields__)


def _of_row(row: Any) -> Rekey:
    return Rekey(**dict(row))


async def begin(
    conn: Connection, source: int, *, origin: str, fingerprint: bytes, former: str, counts: Mapping[str, Any]
) -> int:
    """Open a re-keying of a source; its number. One that was moved and never loaded gives way."""
    await conn.execute("update rekey set state = 'done' where source = $1 and state = 'moved'", source)
    number: int = await conn.fetchval(
        """insert into rekey (source, origin, fingerprint, former, counts, steps, after)
           values ($1, $2, $3, $4, $5, 0, (select coalesce(max(load), 0) from load)) returning rekey""",
        source,
        origin,
        fingerprint,
        former,
        dict(counts),
    )
    return number


async def plan(conn: Connection, number: int, steps: Sequence[Step]) -> None:
    """The steps to take."""
    await conn.copy_records_to_table(
        "rekey_step",
        records=[(number, one.n, one.old, one.new, one.kind) for one in steps],
        columns=["rekey", "n", "old", "new", "kind"],
    )
    await conn.execute("update rekey set steps = $2 where rekey = $1", number, len(steps))


async def tell(conn: Connection, number: int, source: int, rows: Sequence[tuple[str, str | None, str]]) -> None:
    """Keep what becomes of ids: (old, new, evidence), with the clusters that they are in."""
    olds, news, evidence = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
    await conn.execute(
        """insert into rekeyed (source, old, rekey, new, evidence, cluster)
           select $1, t.old, $2, t.new, t.evidence, m.cluster
           from unnest($3::text[], $4::text[], $5::text[]) t (old, new, evidence)
           left join record r on r.source = $1 and r.local_id = t.old
           left join membership m on m.sid = r.sid""",
        source,
        number,
        olds,
        news,
        evidence,
    )


async def open_of_source(conn: Connection, source: int) -> Rekey | None:
    """The re-keying of this source that is not done."""
    row = await conn.fetchrow(f"select {COLUMNS} from rekey where source = $1 and state <> 'done'", source)
    return _of_row(row) if row else None


async def get(conn: Connection, number: int) -> Rekey:
    """One re-keying."""
    return _of_row(await conn.fetchrow(f"select {COLUMNS} from rekey where rekey = $1", number))


async def is_moving(conn: Connection, source: int) -> bool:
    """Whether the source's records are getting other ids right now."""
    found: bool = await conn.fetchval(
        "select exists (select from rekey where source = $1 and state = 'moving')", source
    )
    return found


async def since(conn: Connection, source: int, load: int) -> int | None:
    """A re-keying of the source that came after a load."""
    found: int | None = await conn.fetchval(
        "select max(rekey) from rekey where source = $1 and after >= $2", source, load
    )
    return found


async def next_due(conn: Connection) -> Rekey | None:
    """The oldest that has steps to take."""
    row = await conn.fetchrow(f"select {COLUMNS} from rekey where state = 'moving' order by rekey limit 1")
    return _of_row(row) if row else None


async def steps(conn: Connection, one: Rekey, limit: int) -> list[Step]:
    """The next steps."""
    rows = await conn.fetch(
        "select n, old, new, kind from rekey_step where rekey = $1 and n > $2 order by n limit $3",
        one.rekey,
        one.done,
        limit,
    )
    return [Step(row["n"], row["old"], row["new"], row["kind"]) for row in rows]


async def advance(conn: Connection, one: Rekey, done: int) -> None:
    """Steps up to this one are taken."""
    await conn.execute("update rekey set done = $2 where rekey = $1", one.rekey, done)


async def turn(conn: Connection, number: int, state: str) -> None:
    """moved: every step is taken; done: the new files are loaded too. The steps have served."""
    await conn.execute("update rekey set state = $2 where rekey = $1", number, state)
    await conn.execute("delete from rekey_step where rekey = $1", number)


async def standing(conn: Connection, source: int) -> AsyncIterator[Any]:
    """What pairing compares of each record of a source: local_id, kind, title_hash, sid, digest of its signature, items
    and calls of its copies. Needs a transaction."""
    async for row in conn.cursor(
        """select r.local_id, r.kind, r.title_hash, r.sid, s.digest, h.items, h.calls from record r
           left join signature s on s.sid = r.sid and r.kind = 0
           left join (select local_id, array_agg(item) filter (where item <> '') items,
                             array_agg(call_number) filter (where call_number <> '') calls
                      from holding where source = $1 group by local_id) h on h.local_id = r.local_id
           where r.source = $1""",
        source,
        prefetch=5000,
    ):
        yield row


async def returned(conn: Connection, source: int) -> list[str]:
    """Ids of records that came back and of which no earlier version stands."""
    rows = await conn.fetch(
        """select distinct local_id from quarantine q where source = $1 and local_id <> ''
           and not exists (select from record r where r.source = $1 and r.local_id = q.local_id)""",
        source,
    )
    return [row["local_id"] for row in rows]


async def minded(conn: Connection, source: int, local_ids: Sequence[str]) -> list[str]:
    """Those of the records that a person's pin or a decision names."""
    rows = await conn.fetch(
        """with i as (select unnest($2::text[]) local_id)
           select local_id from i where exists (select from pin p where p.source_a = $1 and p.local_id_a = i.local_id
                                                    and not p.auto)
               or exists (select from pin p where p.source_b = $1 and p.local_id_b = i.local_id and not p.auto)
           union
           select e->>1 from decision d cross join lateral jsonb_array_elements(d.records || d.others) e
           where d.state in ('due', 'done') and (e->>0)::int = $1 and e->>1 in (select local_id from i)
           order by 1""",
        source,
        list(local_ids),
    )
    return [row["local_id"] for row in rows]


async def became(conn: Connection, source: int, old: str) -> list[Became]:
    """What became of an id, step by step through later re-keyings; empty if nothing did."""
    found: list[Became] = []
    after, name = 0, old
    while len(found) < MOST_TIMES:
        row = await conn.fetchrow(
            """select k.old, k.new, k.rekey, k.evidence, k.cluster, r.at from rekeyed k join rekey r using (rekey)
               where k.source = $1 and k.old = $2 and k.rekey > $3 order by k.rekey limit 1""",
            source,
            name,
            after,
        )
        if row is None:
            break
        found.append(Became(**dict(row)))
        if row["new"] is None:
            break
        after, name = row["rekey"], row["new"]
    return found


async def formerly(conn: Connection, source: int, local_id: str) -> list[Became]:
    """The ids that a record had, the newest first."""
    rows = await conn.fetch(
        """select k.old, k.new, k.rekey, k.evidence, k.cluster, r.at from rekeyed k join rekey r using (rekey)
           where k.source = $1 and k.new = $2 order by k.rekey desc limit $3""",
        source,
        local_id,
        MOST_TIMES,
    )
    return [Became(**dict(row)) for row in rows]
