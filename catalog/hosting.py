"""Which node writes for a library, and who may not while it moves (store).

One node at a time *hosts* a library: `library.node` names it, '' = this one. `library.reign` rises with each hand-over,
and an older host is refused by everybody. The rows of table `handover` say what is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.connection import Connection
from catalog.directory import HOSTED
from config.errors import Conflict

OVER = ("done",)  # states of a hand-over that nothing follows on
DROPPED = "cancelled"  # a state: the giving end wants it no more, and its peer is still to hear so
OPEN = ("due", "rising", "risen", DROPPED, *OVER)  # states of the taking end in which this node may write


class Moved(Conflict):
    """Another node writes for the library, or is about to."""

    code = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A row of table `handover`."""

    library: str
    reign: int
    peer: int
    way: str  # out: this node gives the library away; in: it takes it
    state: str
    theirs: str  # the peer's state, as it last said
    statement: bytes
    mark: int
    loads: tuple[int, ...]
    reason: str


COLUMNS = ", ".join(Handover.__dataclass_fields__)


async def writable(conn: Connection, library: str) -> None:
    """Moved unless this node writes for the library."""
    row = await conn.fetchrow(
        """select l.node, h.way, p.symbol from library l
           left join handover h on h.library = l.symbol
               and h.state <> all($2::text[]) and (h.way = 'in' or h.state <> 'due')
           left join peer p using (peer)
           where l.symbol = $1 order by h.reign desc nulls last limit 1""",
        library,
        list(OPEN),
    )
    if row is None:
        return
    if row["way"] == "in":
        raise Moved(f"{library} is on its way here from {row['symbol']}: load when it has arrived")
    host = row["node"] or row["symbol"]
    if host:
        raise Moved(f"{library} is hosted by the node {host}, which writes for it: load there")


async def is_hosted(conn: Connection, symbol: str) -> bool:
    """Does this node take in the library's records itself, without being the library's own node?"""
    found: bool = await conn.fetchval(
        f"""select exists (select from library l where l.symbol = $1
                           and l.symbol <> (select symbol from node) and {HOSTED})""",
        symbol,
    )
    return found


async def host(conn: Connection, symbol: str) -> tuple[str, int]:
    """(node, reign) of a library; node '' = this one. ('', 0) of one that is unknown."""
    row = await conn.fetchrow("select node, reign from library where symbol = $1", symbol)
    return (row["node"], row["reign"]) if row else ("", 0)


async def move(conn: Connection, symbol: str, node: str, reign: int) -> None:
    """Another host. Conflict unless its reign is later than the one that is known: a statement counts once."""
    done = await conn.execute(
        "update library set node = $2, reign = $3 where symbol = $1 and reign < $3",
        symbol,
        node,
        reign,
    )
    if done.endswith(" 0"):
        raise Conflict(f"the hand-over of {symbol} under reign {reign} is stale: a later one is known")


async def begin(conn: Connection, library: str, reign: int, peer: int, way: str) -> Handover:
    """A hand-over that is due, or the one that was begun before. Conflict if it is stale, or another goes on."""
    _, known = await host(conn, library)
    there = await find(conn, library, reign)
    if there is not None and (there.peer, there.way) == (peer, way):
        if there.state == DROPPED:
            await turn(conn, there, "due")
        return there
    if reign != known + 1 or there is not None:
        raise Conflict(f"a hand-over of {library} under reign {reign} is stale here, where it is {known}")
    going = await conn.fetchval(
        "select reign from handover where library = $1 and state <> all($2::text[])", library, list(OVER)
    )
    if going is not None:
        raise Conflict(f"another hand-over of {library}, under reign {going}, is not over yet")
    row = await conn.fetchrow(
        f"insert into handover (library, reign, peer, way) values ($1, $2, $3, $4) returning {COLUMNS}",
        library,
        reign,
        peer,
        way,
    )
    return _of_row(row)


async def take_over(conn: Connection, library: str, reign: int, peer: int) -> Handover:
    """This node's own library is to come here from a peer that has hosted it, however often it has moved before."""
    await conn.execute("update library set reign = $2 where symbol = $1 and reign < $2", library, reign - 1)
    return await begin(conn, library, reign, peer, "in")


async def find(conn: Connection, library: str, reign: int) -> Handover | None:
    """A hand-over."""
    row = await conn.fetchrow(f"select {COLUMNS} from handover where library = $1 and reign = $2", library, reign)
    return _of_row(row) if row else None


async def every(conn: Connection) -> list[Handover]:
    """All of them, oldest first."""
    rows = await conn.fetch(f"select {COLUMNS} from handover order by at, library, reign")
    return [_of_row(row) for row in rows]


async def going(conn: Connection) -> list[Handover]:
    """Those that are not over."""
    rows = await conn.fetch(
        f"select {COLUMNS} from handover where state <> all($1::text[]) order by at, library", list(OVER)
    )
    return [_of_row(row) for row in rows]


async def turn(conn: Connection, one: Handover, state: str) -> bool:
    """To another state, unless another process was quicker; True if this call did."""
    done: str = await conn.execute(
        """update handover set state = $4, reason = '', done_at = case when $4 = 'done' then now() end
           where library = $1 and reign = $2 and state = $3""",
        one.library,
        one.reign,
        one.state,
        state,
    )
    return not done.endswith(" 0")


async def drop(conn: Connection, one: Handover, *states: str) -> bool:
    """Forget one that is in such a state, in which nothing has been signed; True if it was."""
    done: str = await conn.execute(
        "delete from handover where library = $1 and reign = $2 and state = any($3::text[])",
        one.library,
        one.reign,
        list(states),
    )
    return not done.endswith(" 0")


async def tell(conn: Connection, one: Handover, *, theirs: str | None = None, reason: str | None = None) -> None:
    """What the peer says its state is; what this end waits for."""
    await conn.execute(
        """update handover set theirs = coalesce($3, theirs), reason = coalesce($4, reason)
           where library = $1 and reign = $2 and (theirs, reason) <> (coalesce($3, theirs), coalesce($4, reason))""",
        one.library,
        one.reign,
        theirs,
        reason,
    )


async def keep(
    conn: Connection,
    one: Handover,
    *,
    statement: bytes | None = None,
    mark: int | None = None,
    loads: Sequence[int] = (),
) -> None:
    """Write down what later steps need."""
    await conn.execute(
        """update handover set statement = coalesce($3, statement), mark = coalesce($4, mark),
               loads = loads || $5::bigint[]
           where library = $1 and reign = $2""",
        one.library,
        one.reign,
        statement,
        mark,
        list(loads),
    )


async def kept_by(conn: Connection, library: str) -> tuple[int, ...]:
    """Loads that retired the copy that this node last handed away."""
    found = await conn.fetchval(
        "select loads from handover where library = $1 and way = 'out' and state = 'done' order by reign desc limit 1",
        library,
    )
    return tuple(found or ())


async def part(conn: Connection, peer: int) -> None:
    """A peer that left by a hand-over comes back: both ends begin their streams anew, as nothing of it is here."""
    left = await conn.fetchval("select exists (select from handover where peer = $1 and state = 'done')", peer)
    if left:
        for table in ("told", "heard", "segment", "outgoing", "incoming", "arriving", "received", "received_of"):
            await conn.execute(f"delete from {table} where peer = $1", peer)


def _of_row(row: Any) -> Handover:
    values = dict(row)
    return Handover(**{**values, "loads": tuple(values["loads"])})
