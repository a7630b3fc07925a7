"""What came back: unreadable and returned records with source, position, reason and bytes; and findings (store)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.connection import Connection
from config.errors import NotFound

Finding = tuple[int, int, str, str, int, str, str]  # load, source, library, local_id, ordinal, rule, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A record that was not taken. `body` is zstd of its bytes; positions are bytes of the decompressed input."""

    source: int
    library: str
    load: int
    position: int
    ordinal: int  # 1 = first record of the input
    local_id: str
    verdict: str  # unreadable or returned
    rule: str
    reason: str
    carrier: int
    digest: bytes
    body: bytes


FIELDS = tuple(Case.__dataclass_fields__)

# A recheck reads no input: its cases keep their places apart by numbers that mean nothing, and are known by their ids.
_PLACE = """case when r.read then q.position else 0 end position, case when r.read then q.ordinal else 0 end ordinal"""
_OF_LOAD = """left join load l on l.load = q.load
               cross join lateral (select l.mode is null or l.mode not in ('recheck', 'batch') read) r"""
_WHOLE = f"""select q.id, q.source, q.library, q.load, {_PLACE}, q.local_id, q.verdict, q.rule, q.reason, q.carrier,
                  q.digest, q.body, q.at, q.rerun, s.name source_name, s.encoding, s.format
           from quarantine q join source s using (source) {_OF_LOAD}"""


async def put(conn: Connection, cases: Sequence[Case]) -> int:
    """Keep cases; the same one again (a repeated unit) is not doubled. How many are new."""
    if not cases:
        return 0
    done = await conn.execute(
        f"""insert into quarantine ({", ".join(FIELDS)})
            select * from unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::smallint[], $11::bytea[], $12::bytea[])
            on conflict do nothing""",
        *[[getattr(case, name) for case in cases] for name in FIELDS],
    )
    return int(done.rsplit(" ", 1)[1])


async def named(conn: Connection, source: int) -> dict[str, list[tuple[int, int]]]:
    """(case, load) by local id, of the source's cases that have one."""
    found: dict[str, list[tuple[int, int]]] = {}
    rows = await conn.fetch("select id, load, local_id from quarantine where source = $1 and local_id <> ''", source)
    for row in rows:
        found.setdefault(row["local_id"], []).append((row["id"], row["load"]))
    return found


async def supersede(conn: Connection, source: int, load: int) -> None:
    """Where the same bytes came back again with this load, its case stands for the earlier ones."""
    await conn.execute(
        """delete from quarantine old using quarantine new
           where old.source = $1 and new.source = $1 and new.load = $2 and old.load < $2
             and old.digest = new.digest and old.rule = new.rule
             and (old.rule <> 'input-fault' or old.reason = new.reason)""",
        source,
        load,
    )


async def forget(conn: Connection, load: int) -> None:
    """Drop what a load brought here that is not in force: its cases and findings. What it settled is open again."""
    await unsettle(conn, load)
    await conn.execute("update quarantine set rerun = null where rerun = $1", load)
    for table in ("quarantine", "finding"):
        await conn.execute(f"delete from {table} where load = $1", load)


async def listing(
    conn: Connection,
    *,
    source: int | None,
    rule: str | None,
    limit: int,
    within: Collection[str] | None = None,
    before: int | None = None,
) -> list[Any]:
    """Cases without their bytes, newest first. Those of some libraries, and those before a case, if told."""
    rows: list[Any] = await conn.fetch(
        f"""select q.id, s.name source, q.library, q.load, {_PLACE}, q.local_id, q.verdict, q.rule,
                  q.reason, q.at from quarantine q join source s using (source) {_OF_LOAD}
           where ($1::int is null or q.source = $1) and ($2::text is null or q.rule = $2)
             and ($4::text[] is null or q.library = any($4)) and ($5::bigint is null or q.id < $5)
           order by q.id desc limit $3""",
        source,
        rule,
        limit,
        None if within is None else sorted(within),
        before,
    )
    return rows


async def of_load(conn: Connection, source: int, load: int, rule: str | None = None) -> int:
    """How many cases a load of a source has here, of one rule if one is named."""
    count: int = await conn.fetchval(
        "select count(*) from quarantine where source = $1 and load = $2 and ($3::text is null or rule = $3)",
        source,
        load,
        rule,
    )
    return count


async def groups(conn: Connection, *, source: int | None = None, within: Collection[str] | None = None) -> list[Any]:
    """Counts by source and rule, the most first; of some libraries, if told."""
    rows: list[Any] = await conn.fetch(
        """select s.name source, q.library, q.verdict, q.rule, count(*) n, count(q.rerun) running, max(q.at) at
           from quarantine q join source s using (source)
           where ($1::int is null or q.source = $1) and ($2::text[] is null or q.library = any($2))
           group by s.name, q.library, q.verdict, q.rule order by n desc, source, rule""",
        source,
        None if within is None else sorted(within),
    )
    return rows


async def get(conn: Connection, ident: int) -> Any:
    """One case with its bytes."""
    row = await conn.fetchrow(f"{_WHOLE} where q.id = $1", ident)
    if row is None:
        raise NotFound(f"there is no case {ident} in quarantine (tianlu quarantine list)")
    return row


async def some(conn: Connection, idents: Sequence[int]) -> list[Any]:
    """These cases with their bytes, newest first."""
    rows: list[Any] = await conn.fetch(f"{_WHOLE} where q.id = any($1::bigint[]) order by q.id desc", list(idents))
    return rows


async def firsts(
    conn: Connection, rules: Collection[str], each: int, *, source: int | None, within: Collection[str] | None
) -> dict[tuple[str, str], list[Any]]:
    """Up to `each` of the oldest cases of every source and rule, with their bytes: (source's name, rule) → cases."""
    rows = await conn.fetch(
        """select id from (select id, row_number() over (partition by source, rule order by id) n from quarantine
               where rule = any($1::text[]) and ($3::int is null or source = $3)
                 and ($4::text[] is null or library = any($4))) numbered
           where n <= $2""",
        list(rules),
        each,
        source,
        None if within is None else sorted(within),
    )
    found: dict[tuple[str, str], list[Any]] = {}
    for row in await some(conn, [row["id"] for row in rows]):
        found.setdefault((row["source_name"], row["rule"]), []).append(row)
    return found


async def bodies(
    conn: Connection, *, source: int | None, rule: str | None, within: Collection[str] | None = None
) -> AsyncIterator[Any]:
    """Cases with their bytes, in the order of the inputs; of some libraries, if told. Needs a transaction."""
    async for row in conn.cursor(
        f"""{_WHOLE}
           where ($1::int is null or q.source = $1) and ($2::text is null or q.rule = $2)
             and ($3::text[] is null or q.library = any($3)) order by q.load, q.ordinal, q.id""",
        source,
        rule,
        None if within is None else sorted(within),
        prefetch=200,
    ):
        yield row


async def drop(conn: Connection, *, source: int | None, rule: str | None) -> int:
    """Forget cases; how many."""
    done = await conn.execute(
        "delete from quarantine where ($1::int is null or source = $1) and ($2::text is null or rule = $2)",
        source,
        rule,
    )
    return int(done.rsplit(" ", 1)[1])


async def begin_rerun(conn: Connection, idents: Sequence[int], load: int) -> int:
    """These are read again by a load; how many, without those that another one reads already."""
    done = await conn.execute(
        """update quarantine q set rerun = $2 where id = any($1::bigint[]) and not exists (
               select from load l where l.load = q.rerun and l.load <> $2
                 and l.state in ('landing', 'preparing', 'placing', 'held'))""",
        list(idents),
        load,
    )
    return int(done.rsplit(" ", 1)[1])


async def is_rerun(conn: Connection, load: int) -> bool:
    """Does the load read again what came back?"""
    found: bool = await conn.fetchval("select exists (select from quarantine where rerun = $1)", load)
    return found


async def end_rerun(conn: Connection, load: int) -> bool:
    """What a load was to read again and brought in order is settled. What came back keeps its place in the file that it
    first came in, with what is wrong with it now. False if it was to read nothing again."""
    if not await is_rerun(conn, load):
        return False
    await conn.execute(
        """with again as (
               update quarantine old set verdict = new.verdict, rule = new.rule, reason = new.reason,
                      local_id = new.local_id, at = new.at, rerun = null
               from quarantine new
               where old.rerun = $1 and new.load = $1 and old.load <> $1 and old.digest = new.digest
               returning new.id)
           delete from quarantine where id in (select id from again)""",
        load,
    )
    settled = await conn.fetch("select id from quarantine where rerun = $1", load)
    await settle(conn, [row["id"] for row in settled], load)
    return True


async def settle(conn: Connection, idents: Sequence[int], load: int) -> None:
    """A load brought in order what these were about; `unsettle` puts them back."""
    if idents:
        columns = ", ".join(("id", "at", *FIELDS))
        await conn.execute(
            f"""with gone as (delete from quarantine where id = any($1::bigint[]) returning {columns})
                insert into quarantine_before (by, {columns}) select $2, {columns} from gone""",
            list(idents),
            load,
        )


async def unsettle(conn: Connection, load: int) -> None:
    """The load is undone: what it settled is to be looked at again."""
    columns = ", ".join(("id", "at", *FIELDS))
    await conn.execute(
        f"""with gone as (delete from quarantine_before where by = $1 returning {columns})
            insert into quarantine ({columns}) overriding system value select {columns} from gone
            on conflict do nothing""",
        load,
    )


async def of_record(conn: Connection, source: int, local_id: str) -> list[Any]:
    """Cases of one record."""
    rows: list[Any] = await conn.fetch(
        """select id, load, position, ordinal, verdict, rule, reason from quarantine
           where source = $1 and local_id = $2 order by id""",
        source,
        local_id,
    )
    return rows


async def returned_behind(conn: Connection, source: int, after: int, limit: int) -> list[Any]:
    """Cases of records that rules sent back, behind a case, with their bytes: id, carrier, body."""
    rows: list[Any] = await conn.fetch(
        """select id, carrier, body from quarantine
           where source = $1 and id > $2 and verdict = 'returned' order by id limit $3""",
        source,
        after,
        limit,
    )
    return rows


async def of_rechecks(conn: Connection, source: int) -> set[int]:
    """Cases of the source that its own records became when they were read again."""
    rows = await conn.fetch(
        """select q.id from quarantine q join load l using (load)
           where q.source = $1 and l.mode in ('recheck', 'batch')""",
        source,
    )
    return {row["id"] for row in rows}


async def add_findings(conn: Connection, rows: Sequence[Finding]) -> None:
    """Keep findings on records that were taken."""
    await conn.copy_records_to_table(
        "finding", records=rows, columns=["load", "source", "library", "local_id", "ordinal", "rule", "detail"]
    )


async def take_back(conn: Connection, records: Collection[tuple[int, str]], rules: Collection[str]) -> None:
    """Drop what these rules found on records (source, local id): it holds no longer."""
    await conn.execute(
        """delete from finding f using unnest($1::int[], $2::text[]) n (source, local_id)
           where f.source = n.source and f.local_id = n.local_id and f.rule = any($3::text[])""",
        [source for source, _ in records],
        [local_id for _, local_id in records],
        list(rules),
    )


async def findings_of_versions(
    conn: Connection, source: int, versions: Mapping[str, int]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """(rule, detail) of findings on versions of records: local id → load that brought it."""
    rows = await conn.fetch(
        """select f.local_id, f.rule, f.detail from unnest($2::text[], $3::bigint[]) v (local_id, load)
           join finding f on f.source = $1 and f.local_id = v.local_id and f.load = v.load order by f.rule, f.detail""",
        source,
        list(versions),
        list(versions.values()),
    )
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in rows:
        found[row["local_id"]] = (*found.get(row["local_id"], ()), (row["rule"], row["detail"]))
    return found


async def findings_of(conn: Connection, source: int, local_id: str) -> list[Any]:
    """Findings on one record, newest load first."""
    rows: list[Any] = await conn.fetch(
        "select load, rule, detail from finding where source = $1 and local_id = $2 order by load desc, rule",
        source,
        local_id,
    )
    return rows
