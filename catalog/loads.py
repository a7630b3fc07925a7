"""Loads: one run of one input into one source, from landing to done or undone (store)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog import hosting, rekeys
from catalog.connection import Connection
from catalog.model import LoadState
from config.errors import Conflict, NotFound

LANDING = "landing:"  # and the source's number: the lease of who lands something into it
COUNTS = ("records", "unchanged", "added", "updated", "deleted", "superseded", "returned", "unreadable", "mended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A row of table `load`."""

    load: int
    source: int
    library: str
    mode: str
    origin: str
    fingerprint: bytes
    carrier: str
    encoding: str
    state: LoadState
    landed: int  # bytes of input safely in the inbox
    units: int
    assured: bool
    undoes: int | None
    reason: str
    records: int
    unchanged: int
    added: int
    updated: int
    deleted: int
    superseded: int
    returned: int
    unreadable: int
    mended: int  # on arrival, by the profile
    started_at: datetime
    finished_at: datetime | None
    content: bytes | None  # digest of the whole input and the source's habits
    repeats: int | None  # the load that brought the same bytes: this one found nothing to do
    mends: list[str]  # rules whose fixes are used in this load, beside those of the profile

    @property
    def counts(self) -> dict[str, int]:
        """The counters by name."""
        return {name: getattr(self, name) for name in COUNTS}


COLUMNS = ", ".join(Load.__dataclass_fields__)


def of_row(row: Any) -> Load:
    """A Load from a row of COLUMNS."""
    return Load(**{**dict(row), "state": LoadState(row["state"])})


async def get(conn: Connection, load: int) -> Load:
    """The load with this id, or NotFound."""
    row = await conn.fetchrow(f"select {COLUMNS} from load where load = $1", load)
    if row is None:
        raise NotFound(f"there is no load {load} (tianlu loads list)")
    return of_row(row)


async def recent(
    conn: Connection,
    limit: int = 50,
    *,
    feeds: bool = False,
    within: Collection[str] | None = None,
    before: int | None = None,
) -> list[Load]:
    """The newest loads first; those that other nodes fed only if asked for. Those of some libraries, and those before a
    load, if told."""
    rows = await conn.fetch(
        f"select {COLUMNS} from load where ($2 or mode <> 'feed') and ($3::text[] is null or library = any($3))"
        " and ($4::bigint is null or load < $4) order by load desc limit $1",
        limit, feeds, None if within is None else sorted(within), before,
    )  # fmt: skip
    return [of_row(row) for row in rows]


async def prune(conn: Connection, source: int, keep: int) -> None:
    """Forget a source's feed loads that are done, but for the newest `keep`: one comes with every segment."""
    await conn.execute(
        """delete from load where source = $1 and mode = 'feed' and state = 'done' and load <=
           (select load from load where source = $1 and mode = 'feed' and state = 'done'
            order by load desc offset $2 limit 1)""",
        source,
        keep,
    )


async def open_of_source(conn: Connection, source: int) -> Load | None:
    """The load of this source that is not finished, held ones included."""
    row = await conn.fetchrow(
        f"select {COLUMNS} from load where source = $1 and state in ('landing','preparing','held','placing') "
        "order by load desc limit 1",
        source,
    )
    return of_row(row) if row else None


async def last_done(conn: Connection, source: int) -> int | None:
    """Id of the newest load of the source that is in force."""
    found: int | None = await conn.fetchval(
        """select max(load) from load l where source = $1 and state = 'done' and (mode in ('changes', 'full', 'recheck')
               or mode = 'batch' and exists (select from batch_record r where r.source = $1 and r.load = l.load
                                             and r.state in ('changed', 'kept')))""",
        source,
    )
    return found


async def begin(
    conn: Connection,
    source: int,
    library: str,
    *,
    mode: str,
    origin: str,
    fingerprint: bytes,
    carrier: str,
    encoding: str,
    assured: bool,
    undoes: int | None = None,
    mends: Collection[str] = (),
) -> Load:
    """Open a load in state landing. Conflict if another node writes for the library."""
    if mode not in ("feed", "move", "recheck"):
        await hosting.writable(conn, library)
    if await rekeys.is_moving(conn, source):
        raise Conflict("the source's records are getting other ids (tianlu source rekey): wait until they have them")
    row = await conn.fetchrow(
        f"""insert into load
                (source, library, mode, origin, fingerprint, carrier, encoding, state, assured, undoes, mends)
            values ($1, $2, $3, $4, $5, $6, $7, 'landing', $8, $9, $10) returning {COLUMNS}""",
        source,
        library,
        mode,
        origin,
        fingerprint,
        carrier,
        encoding,
        assured,
        undoes,
        sorted(mends),
    )
    return of_row(row)


async def newest(conn: Connection, source: int) -> Load | None:
    """The last load of a source, whatever became of it."""
    row = await conn.fetchrow(f"select {COLUMNS} from load where source = $1 order by load desc limit 1", source)
    return of_row(row) if row else None


async def last(conn: Connection) -> int:
    """Id of the newest load of any source, 0 if there is none."""
    found: int = await conn.fetchval("select coalesce(max(load), 0) from load")
    return found


async def repeat(conn: Connection, before: Load, *, origin: str, fingerprint: bytes) -> Load:
    """A finished load of the same bytes as `before`, with the counts that reading them again would give."""
    row = await conn.fetchrow(
        f"""insert into load (source, library, mode, origin, fingerprint, carrier, encoding, state, landed, assured,
                reason, records, unchanged, superseded, returned, unreadable, finished_at, content, repeats)
            select source, library, mode, $2, $3, carrier, encoding, 'done', landed, assured,
                $4, records, records - superseded - returned - unreadable, superseded, returned, unreadable, now(),
                content, $5
            from load where load = $1 returning {COLUMNS}""",
        before.load,
        origin,
        fingerprint,
        f"the same bytes as load {before.repeats or before.load}, and nothing has changed since",
        before.repeats or before.load,
    )
    return of_row(row)


async def under_way(conn: Connection) -> int:
    """How many are landing, preparing or placing, of whichever library; whoever sees none of them is told this too."""
    found: int = await conn.fetchval("select loads_under_way()")
    return found


async def tell_content(conn: Connection, load: int, content: bytes) -> None:
    """The whole input has landed and this is its digest."""
    await conn.execute("update load set content = $2 where load = $1", load, content)


async def advance(conn: Connection, load: int, expected: int, landed: int) -> int:
    """Move the checkpoint from `expected` to `landed` and take the next unit number; Conflict if another moved it."""
    unit: int | None = await conn.fetchval(
        "update load set landed = $3, units = units + 1 where load = $1 and landed = $2 and state = 'landing' "
        "returning units - 1",
        load,
        expected,
        landed,
    )
    if unit is None:
        raise Conflict(f"load {load} is being landed by another process: wait for it (tianlu loads show {load})")
    return unit


async def turn(
    conn: Connection, load: int, state: LoadState, *, since: tuple[LoadState, ...], reason: str = ""
) -> bool:
    """Change state if it is one of `since`; True if this call did."""
    done = await conn.execute(
        """update load set state = $2, reason = $3,
               finished_at = case when $2 in ('done', 'undone', 'failed') then now() end
           where load = $1 and state = any($4::text[])""",
        load,
        state.value,
        reason,
        [s.value for s in since],
    )
    return not done.endswith(" 0")


async def assure(conn: Connection, load: int) -> None:
    """The operator lets a held load pass its limits."""
    await conn.execute("update load set assured = true where load = $1", load)


async def count(conn: Connection, load: int, counts: Mapping[str, int]) -> None:
    """Add to the counters."""
    values = [counts.get(name, 0) for name in COUNTS]
    if any(values):
        sets = ", ".join(f"{name} = {name} + ${i}" for i, name in enumerate(COUNTS, 2))
        await conn.execute(f"update load set {sets} where load = $1", load, *values)


async def judge_again(conn: Connection, load: int, faults: int) -> bool:
    """A held load goes back to be judged once more; what was counted then is forgotten, all but `faults`: cases that
    landing itself had counted. True if it was held.
    """
    sets = ", ".join(f"{name} = {'$2' if name in ('records', 'unreadable') else '0'}" for name in COUNTS)
    await conn.execute(f"update load set {sets} where load = $1 and state = 'held'", load, faults)
    return await turn(conn, load, LoadState.PREPARING, since=(LoadState.HELD,))


async def first_open(conn: Connection) -> list[Load]:
    """The earliest load of each source that is not finished, oldest first: a feed's loads go in their order."""
    rows = await conn.fetch(
        f"""select {COLUMNS} from load where load in (
                select min(load) from load where state in ('landing', 'preparing', 'held', 'placing') group by source)
            order by load"""
    )
    return [of_row(row) for row in rows]


async def any_bulk(conn: Connection, units: int) -> bool:
    """Whether a load of more units than that is at work. One whose landing has ended half-way is not."""
    found: bool = await conn.fetchval(
        """select exists (
               select from load l where units > $1 and (
                   state in ('preparing', 'placing') or state = 'landing' and exists (
                       select from lease e where e.name = $2 || l.source and e.until > clock_timestamp())))""",
        units,
        LANDING,
    )
    return found


async def in_state(conn: Connection, *states: LoadState) -> list[Load]:
    """Loads in these states, oldest first."""
    rows = await conn.fetch(
        f"select {COLUMNS} from load where state = any($1::text[]) order by load", [s.value for s in states]
    )
    return [of_row(row) for row in rows]


async def encodings(conn: Connection, numbers: Collection[int]) -> dict[int, str]:
    """What was said of the encoding of these loads, by load: its own word, else its source's."""
    rows = await conn.fetch(
        """select l.load, case l.encoding when 'auto' then s.encoding else l.encoding end encoding
           from load l join source s using (source) where l.load = any($1::bigint[])""",
        list(numbers),
    )
    return {row["load"]: row["encoding"] for row in rows}
