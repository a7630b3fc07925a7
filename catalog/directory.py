"""The directory of libraries as nodes tell each other of it (store).

A library is told by the node that hosts it, and passed on by the others. An entry counts where its reign is later, or
the same and nobody else's; so an older host that has not heard of a hand-over changes nothing. What this node hosts
moves by a hand-over of its own (`catalog.hosting`), and by nobody's word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from catalog import notices
from catalog.connection import Connection
from catalog.notices import Notice
from catalog.payload import Entry, Kind, encode

COLUMNS = ("name", "name_en", "area", "state", "successor", "node", "reign")
# Libraries whose records this node itself takes in: its own, and those with a source that no peer feeds.
HOSTED = """l.node = '' and (l.symbol = (select symbol from node) or exists (
    select from source s where s.library = l.symbol and s.state <> 'removed'
    and s.source not in (select p.source from peer p where p.source is not null)))"""


async def entries(conn: Connection) -> dict[str, Entry]:
    """Every library that somebody hosts, by symbol. One that is known by its symbol alone is nobody's news."""
    rows = await conn.fetch(
        f"""select l.symbol, l.name, l.name_en, l.area, l.state, l.successor,
                case when l.node = '' then (select symbol from node) else l.node end node, l.reign
            from library l where l.node <> '' or {HOSTED} or l.name <> l.symbol and not exists (
                select from source s join peer p using (source) where s.library = l.symbol)
            order by l.symbol"""
    )
    return {row["symbol"]: Entry(*tuple(row)[1:]) for row in rows}


async def refresh(conn: Connection) -> int:
    """Put what changed in the directory into the feed of notices; how many entries. Call it last in the transaction."""
    told = await notices.payloads(conn, Kind.LIBRARY)
    news = [
        Notice(kind=Kind.LIBRARY, id=symbol, payload=payload)
        for symbol, entry in (await entries(conn)).items()
        if told.get(symbol) != (payload := encode(entry))
    ]
    await notices.publish(conn, news)
    return len(news)


async def take(conn: Connection, heard: Mapping[str, Entry], *, peer: str, role: str, theirs: Collection[str]) -> None:
    """Enter what a peer told of libraries, as far as it is its to tell.

    A parent tells of all but those that are hosted here. A child tells of its own and those below it: of `theirs`,
    which it has told of before, of those that it hosts as far as we know, and of such that nobody is known to host.
    """
    symbols = sorted(heard)
    columns = [[getattr(heard[symbol], name) for symbol in symbols] for name in COLUMNS]
    await conn.execute(
        f"""insert into library as l (symbol, name, name_en, area, state, successor, node, reign)
            select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::bigint[]) e (symbol, name, name_en, area, state, successor, node, reign)
            where e.state in ('active', 'merged', 'closed')
              and (select symbol from node) <> all(array[e.symbol, e.node])  -- who and whose host we are, we know
            on conflict (symbol) do update set name = excluded.name, name_en = excluded.name_en,
                area = excluded.area, state = excluded.state, successor = excluded.successor, node = excluded.node,
                reign = excluded.reign
            where (excluded.reign > l.reign and not ({HOSTED})
                   or excluded.reign = l.reign and (l.node = excluded.node or l.node = '' and not ({HOSTED})))
              and ($9 or l.node = $10 or l.symbol = any($11::text[]) or l.node = '' and not ({HOSTED}))""",
        symbols,
        *columns,
        role == "parent",
        peer,
        list(theirs),
    )
