"""Where a feed stands (store). A feed is the latest state of each key in commit order (`changes`, `notices`)."""

from __future__ import annotations

from catalog.connection import Connection


async def head(conn: Connection, feed: str) -> tuple[int, int]:
    """(epoch, last place) of a feed."""
    row = await conn.fetchrow("select epoch, last from feed where name = $1", feed)
    return row["epoch"], row["last"]


async def take(conn: Connection, feed: str, count: int) -> int:
    """The last of `count` new places. Call it late: until the transaction ends nobody else gets one."""
    last: int = await conn.fetchval("update feed set last = last + $2 where name = $1 returning last", feed, count)
    return last


async def renew(conn: Connection, feed: str, above: int = 0) -> int:
    """A new epoch, later than the feed's own and than `above`, the latest one that anybody has heard of.

    What is told from now on wins over whatever a lost future of this feed told before.
    """
    epoch: int = await conn.fetchval(
        """update feed
           set epoch = greatest(epoch + 1, $2::bigint + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
           where name = $1 returning epoch""",
        feed,
        above,
    )
    return epoch
