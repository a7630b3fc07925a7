"""Batch changes: what was asked for, and what became of each record (store)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.connection import Connection
from config.errors import Conflict, NotFound

STATES = ("due", "changed", "same", "refused", "offered", "gone", "undone", "kept")
Told = tuple[str, int, str, str]  # an edit: tag, n-th, text before, text after (dms.batch_edits.Edit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A row of table `batch`."""

    batch: int
    state: str  # due → done → undue → undone
    change: Any  # plain values of JSON (dms.batch_change)
    selection: str
    rule: str
    who: str
    why: str
    at: datetime
    finished_at: datetime | None
    undone_by: str | None
    undone_why: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a batch did to a record."""

    batch: int
    local_id: str
    state: str
    edits: tuple[Told, ...]
    ended: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a record that is looked at."""

    local_id: str
    state: str
    edits: Sequence[Told] = ()
    ended: Sequence[int] = ()
    reason: str = ""
    load: int | None = None


CONCERNS = """($2::text[] is null or exists (
    select from batch_record r join source s using (source) where r.batch = b.batch and s.library = any($2)))"""
COLUMNS = ", ".join(Batch.__dataclass_fields__)


async def add(
    conn: Connection, change: str, selection: str, *, rule: str, who: str, why: str, within: Collection[str] | None
) -> Batch:
    """Put a batch; choose its records then. `within`: libraries whose records it changes; others are offered it. None =
    all.
    """
    row = await conn.fetchrow(
        f"""insert into batch (change, selection, rule, who, why, libraries)
            values ($1::text::jsonb, $2, $3, $4, $5, $6) returning {COLUMNS}""",
        change,
        selection,
        rule,
        who,
        why,
        None if within is None else sorted(within),
    )
    return Batch(**dict(row))


async def get(conn: Connection, number: int, *, lock: bool = False, within: Collection[str] | None = None) -> Batch:
    """One batch; NotFound if there is none, or none with records of these libraries. `lock`: nobody else goes on with
    it until the transaction ends.
    """
    row = await conn.fetchrow(
        f"select {COLUMNS} from batch b where batch = $1 and {CONCERNS}{' for update' if lock else ''}",
        number,
        None if within is None else sorted(within),
    )
    if row is None:
        raise NotFound(f"there is no batch {number} (tianlu batch list)")
    return Batch(**dict(row))


async def within(conn: Connection, number: int) -> frozenset[str] | None:
    """Libraries whose records the batch changes; None = all."""
    found = await conn.fetchval("select libraries from batch where batch = $1", number)
    return None if found is None else frozenset(found)


async def recent(conn: Connection, limit: int, within: Collection[str] | None = None) -> list[Batch]:
    """The newest first; only those with records of some libraries, if told."""
    rows = await conn.fetch(
        f"select {COLUMNS} from batch b where $1 > 0 and {CONCERNS} order by batch desc limit $1",
        limit,
        None if within is None else sorted(within),
    )
    return [Batch(**dict(row)) for row in rows]


async def unfinished(conn: Connection) -> list[int]:
    """Batches that somebody must go on with."""
    rows = await conn.fetch("select batch from batch where state in ('due', 'undue') order by batch")
    return [row["batch"] for row in rows]


async def counts(conn: Connection, numbers: Collection[int]) -> dict[int, dict[str, int]]:
    """Records by state, of each batch; `superseded`: those of which an edit holds no longer, because the library sent
    the field otherwise.
    """
    rows = await conn.fetch(
        """select batch, state, count(*) n, count(*) filter (where 0 < any(ended)) superseded
           from batch_record where batch = any($1::bigint[]) group by batch, state""",
        list(numbers),
    )
    found: dict[int, dict[str, int]] = {number: {} for number in numbers}
    for row in rows:
        found[row["batch"]][row["state"]] = row["n"]
        if row["superseded"]:
            mine = found[row["batch"]]
            mine["superseded"] = mine.get("superseded", 0) + row["superseded"]
    return found


async def reasons(conn: Connection, number: int) -> list[tuple[str, str, int]]:
    """(state, reason, records) of those that were refused or kept, the most first."""
    rows = await conn.fetch(
        """select state, reason, count(*) n from batch_record where batch = $1 and reason <> ''
           group by state, reason order by n desc, reason""",
        number,
    )
    return [(row["state"], row["reason"], row["n"]) for row in rows]


async def listing(
    conn: Connection, number: int, states: Collection[str], limit: int, within: Collection[str] | None = None
) -> list[Any]:
    """Records of a batch in some states: source, local_id, library, state, edits, ended, reason. Those of some
    libraries, if told.
    """
    rows: list[Any] = await conn.fetch(
        """select s.name source, s.library, r.local_id, r.state, r.edits, r.ended, r.reason
           from batch_record r join source s using (source)
           where r.batch = $1 and (r.state = any($2::text[]) or ('superseded' = any($2::text[]) and 0 < any(ended)))
             and ($4::text[] is null or s.library = any($4))
           order by s.name, r.local_id limit $3""",
        number,
        list(states),
        limit,
        None if within is None else sorted(within),
    )
    return rows


async def next_source(conn: Connection, batch: Batch) -> int | None:
    """A source of which records are still to be looked at; first one of which no load is under way."""
    found: int | None = await conn.fetchval(
        """select r.source from (select distinct source from batch_record where batch = $1 and state = $2) r
           order by exists (select from load l where l.source = r.source and l.origin <> $3
                            and l.state in ('landing', 'preparing', 'held', 'placing')), r.source limit 1""",
        batch.batch,
        _waiting(batch),
        origin(batch),
    )
    return found


async def next_page(conn: Connection, batch: Batch, source: int, limit: int) -> list[Edited]:
    """The next records of a source that are still to be looked at."""
    rows = await conn.fetch(
        """select batch, local_id, state, edits, ended from batch_record
           where batch = $1 and source = $2 and state = $3 order by local_id limit $4""",
        batch.batch,
        source,
        _waiting(batch),
        limit,
    )
    return [_edited(row) for row in rows]


async def settle(conn: Connection, batch: int, source: int, fates: Sequence[Fate]) -> None:
    """What became of these records."""
    await conn.execute(
        """update batch_record r set state = f.state, edits = f.edits::jsonb, reason = f.reason,
               load = coalesce(f.load, r.load),
               ended = array(select e::text::bigint from jsonb_array_elements(f.ended::jsonb) with ordinality x (e, n)
                             order by n)
           from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
                f (local_id, state, edits, ended, reason, load)
           where r.batch = $1 and r.source = $2 and r.local_id = f.local_id""",
        batch,
        source,
        [one.local_id for one in fates],
        [one.state for one in fates],
        [json.dumps(list(one.edits)) for one in fates],
        [json.dumps(list(one.ended)) for one in fates],
        [one.reason for one in fates],
        [one.load for one in fates],
    )


async def finish(conn: Connection, batch: Batch) -> None:
    """Every record was looked at."""
    await conn.execute(
        """update batch set state = case state when 'due' then 'done' else 'undone' end,
               finished_at = coalesce(finished_at, now())
           where batch = $1 and state in ('due', 'undue')""",
        batch.batch,
    )


async def take_back(conn: Connection, number: int, *, who: str, why: str) -> Batch:
    """It shall hold no longer. What was kept because of a later change is looked at again, if it was taken back before.
    Conflict if it is under way, or nothing of it holds.
    """
    one = await get(conn, number, lock=True)
    again = one.state == "undone" and await conn.fetchval(
        """with kept as (update batch_record set state = 'changed', reason = ''
                         where batch = $1 and state = 'kept' and 0 = any(ended) returning 1)
           select count(*) from kept""",
        number,
    )
    if one.state != "done" and not again:
        raise Conflict(f"batch {number} is {one.state}: only one that is done can be undone")
    row = await conn.fetchrow(
        f"""update batch set state = 'undue', undone_by = $2, undone_why = $3, undone_at = now()
            where batch = $1 returning {COLUMNS}""",
        number,
        who,
        why,
    )
    return Batch(**dict(row))


async def any_of_source(conn: Connection, source: int) -> bool:
    """Whether any record of a source has edits."""
    found: bool = await conn.fetchval(
        "select exists (select from batch_record where source = $1 and state in ('changed', 'kept'))", source
    )
    return found


async def edited(conn: Connection, source: int, local_ids: Collection[str]) -> dict[str, list[Edited]]:
    """The edits of records of a source, those of the earliest batch first."""
    rows = await conn.fetch(
        """select batch, local_id, state, edits, ended from batch_record
           where source = $1 and local_id = any($2::text[]) and state in ('changed', 'kept') order by batch""",
        source,
        list(local_ids),
    )
    found: dict[str, list[Edited]] = {}
    for row in rows:
        found.setdefault(row["local_id"], []).append(_edited(row))
    return found


async def end(conn: Connection, source: int, load: int, dropped: Mapping[str, Sequence[tuple[int, int]]]) -> None:
    """Edits (batch, which) by local id that a load put an end to: what it brought was not as they expected."""
    rows = [(local_id, batch, n) for local_id, some in dropped.items() for batch, n in some]
    for local_id, batch, n in rows:
        await conn.execute(
            """update batch_record set ended[$5] = $4
               where batch = $1 and source = $2 and local_id = $3 and ended[$5] = 0""",
            batch,
            source,
            local_id,
            load,
            n + 1,
        )


async def unend(conn: Connection, load: int) -> None:
    """A load was undone: what it put an end to holds again."""
    await conn.execute(
        """update batch_record r set ended = array_replace(ended, $1::bigint, 0)
           from load l where l.load = $1 and r.source = l.source and $1 = any(r.ended)""",
        load,
    )


async def loading(conn: Connection, batch: Batch) -> bool:
    """Whether a load of it is under way."""
    found: bool = await conn.fetchval(
        """select exists (select from load where mode = 'batch' and origin = $1
                          and state in ('landing', 'preparing', 'held', 'placing'))""",
        origin(batch),
    )
    return found


async def blocked(conn: Connection, batch: Batch) -> int | None:
    """A held load that it waits for."""
    found: int | None = await conn.fetchval(
        """select min(l.load) from load l where l.state = 'held' and l.origin <> $3 and l.source in (
               select source from batch_record where batch = $1 and state = $2)""",
        batch.batch,
        _waiting(batch),
        origin(batch),
    )
    return found


async def of_load(conn: Connection, load: int) -> int | None:
    """The batch that a load carries out, if it does."""
    found: int | None = await conn.fetchval("select batch from batch_record where load = $1 limit 1", load)
    return found


def origin(batch: Batch) -> str:
    """What its loads say of where they come from."""
    return f"batch {batch.batch}" if batch.state in ("due", "done") else f"undo of batch {batch.batch}"


def _waiting(batch: Batch) -> str:
    return "due" if batch.state == "due" else "changed"


def _edited(row: Any) -> Edited:
    return Edited(
        batch=row["batch"],
        local_id=row["local_id"],
        state=row["state"],
        edits=tuple((tag, nth, before, after) for tag, nth, before, after in row["edits"]),
        ended=tuple(row["ended"]),
    )
