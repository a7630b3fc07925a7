"""The inbox: stretches of input whose bytes are safe, and what PREPARE made of them (store)."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import loads
from catalog.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One stretch on its way. `payload` and `prepared` are zstd-compressed."""

    load: int
    unit: int
    position: int
    ordinal: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedUnit:
    """A unit ready to be placed."""

    load: int
    unit: int
    prepared: bytes
    orders: bytes | None


async def land(
    conn: Connection, load: int, *, position: int, ordinal: int, payload: bytes, expected: int, landed: int
) -> int:
    """Keep a stretch and move the load's checkpoint with it; the unit's number."""
    unit = await loads.advance(conn, load, expected, landed)
    await conn.execute(
        "insert into inbox (load, unit, position, ordinal, payload) values ($1, $2, $3, $4, $5)",
        load,
        unit,
        position,
        ordinal,
        payload,
    )
    return unit


async def landed_unit(conn: Connection, load: int, unit: int) -> Unit | None:
    """The unit if it still waits for PREPARE."""
    row = await conn.fetchrow(
        "select load, unit, position, ordinal, payload from inbox where load = $1 and unit = $2 and state = 0",
        load,
        unit,
    )
    return Unit(**dict(row)) if row else None


async def keep_prepared(conn: Connection, load: int, unit: int, prepared: bytes, tallies: bytes) -> bool:
    """Store what PREPARE made; False if another worker was first (its result stands)."""
    done = await conn.execute(
        """update inbox set state = 1, prepared = $3, tallies = $4, payload = ''
           where load = $1 and unit = $2 and state = 0""",
        load,
        unit,
        prepared,
        tallies,
    )
    return not done.endswith(" 0")


async def unprepared(conn: Connection, load: int, limit: int = 1000) -> list[int]:
    """Unit numbers of a load that still wait for PREPARE."""
    rows = await conn.fetch("select unit from inbox where load = $1 and state = 0 order by unit limit $2", load, limit)
    return [row["unit"] for row in rows]


async def left(conn: Connection, load: int) -> int:
    """How many units of a load wait for PREPARE."""
    count: int = await conn.fetchval("select count(*) from inbox where load = $1 and state = 0", load)
    return count


async def is_prepared(conn: Connection, load: int) -> bool:
    """Nothing of the load waits for PREPARE."""
    waiting: bool = await conn.fetchval("select exists (select from inbox where load = $1 and state = 0)", load)
    return not waiting


async def tallies(conn: Connection, load: int, after: int, limit: int = 64) -> list[tuple[int, bytes]]:
    """(unit, tallies) of prepared units after a unit number, in order."""
    rows = await conn.fetch(
        "select unit, tallies from inbox where load = $1 and unit > $2 and state = 1 order by unit limit $3",
        load,
        after,
        limit,
    )
    return [(row["unit"], row["tallies"]) for row in rows]


async def prepared(conn: Connection, load: int, unit: int) -> bytes:
    """What PREPARE made of a unit."""
    found: bytes = await conn.fetchval("select prepared from inbox where load = $1 and unit = $2", load, unit)
    return found


async def give_orders(conn: Connection, load: int, orders: dict[int, bytes]) -> None:
    """Keep what judging decided, by unit; tallies have served."""
    await conn.execute("update inbox set tallies = null, orders = null where load = $1", load)
    if orders:
        await conn.execute(
            """update inbox i set orders = o.orders from unnest($2::int[], $3::bytea[]) o (unit, orders)
               where i.load = $1 and i.unit = o.unit""",
            load,
            list(orders),
            list(orders.values()),
        )


async def ready(conn: Connection, load: int, limit: int) -> list[PreparedUnit]:
    """The next prepared units of a load that is being placed."""
    rows = await conn.fetch(
        "select load, unit, prepared, orders from inbox where load = $1 and state = 1 order by unit limit $2",
        load,
        limit,
    )
    return [PreparedUnit(**dict(row)) for row in rows]


async def discard(conn: Connection, load: int, units: list[int] | None = None) -> int:
    """Drop units that were placed (or a whole load's); how many were there."""
    if units is None:
        done = await conn.execute("delete from inbox where load = $1", load)
    else:
        done = await conn.execute("delete from inbox where load = $1 and unit = any($2::int[])", load, units)
    return int(done.rsplit(" ", 1)[1])


async def waiting(conn: Connection) -> int:
    """Units of loads that are being worked on."""
    found: int = await conn.fetchval(
        "select count(*) from inbox join load using (load) where load.state in ('preparing', 'placing')"
    )
    return found


async def add_prepared(conn: Connection, load: int, prepared: bytes) -> None:
    """A further unit that needs no PREPARE (the deletions of a full load)."""
    await conn.execute(
        """with next as (update load set units = units + 1 where load = $1 returning units - 1 as unit)
           insert into inbox (load, unit, state, position, payload, prepared)
           select $1, unit, 1, 0, '', $2 from next""",
        load,
        prepared,
    )


async def tidy(conn: Connection) -> None:
    """Give back the room of units that were placed: as many bytes as a load brought. Needs no transaction around it."""
    await conn.execute("vacuum inbox")
