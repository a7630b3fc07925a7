"""What a batch change is about: the records that a query finds, that are listed, or a whole source (shell)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass

from catalog import batch_records, clusters, sources, visibility
from catalog.connection import Connection
from catalog.model import Source
from catalog.records import Row
from catalog.search import port
from catalog.versions import PAGE
from config.errors import Misconfigured, NotFound

Named = tuple[int, str]  # source number, local id
MOST_IDS = 200_000  # of a file
TOLD = 5  # ids that are named in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Records. `text`: how they were asked for, for people."""

    text: str
    source: Source | None = None  # all of its records; None = those named
    named: tuple[Named, ...] = ()


async def of_query(conn: Connection, reader: port.Reader, text: str, within: Collection[str] | None = None) -> Chosen:
    """All records of the clusters that a query finds. Raises `port.BadQuery` if there are more than can be paged
    through.
    """
    found: list[int] = []
    while True:
        request = port.Request(text=text, offset=len(found), limit=port.MOST_HITS, facets=())
        result = await asyncio.to_thread(reader.search, request)
        if result.total > port.DEEPEST:
            raise port.BadQuery(
                f"{result.total:,} titles fit; a change by query takes {port.DEEPEST:,} at most: narrow it, or name a "
                "source or a file of ids"
            )
        found += [hit.cluster for hit in result.hits]
        if not result.hits or len(found) >= result.total:
            break
    rows = await batch_records.of_clusters(conn, found, within)
    return Chosen(text=f"query: {text}", named=tuple((row["source"], row["local_id"]) for row in rows))


async def of_ids(conn: Connection, idents: Iterable[str], text: str, within: Collection[str] | None = None) -> Chosen:
    """Cluster ids, and records as source/local id. NotFound names those that aren't here, or are others' and hidden."""
    told = [each for each in dict.fromkeys(line.strip() for line in idents) if each]
    if not 0 < len(told) <= MOST_IDS:
        raise Misconfigured(f"a file of ids has 1 to {MOST_IDS:,} lines, not {len(told):,}")
    known = {each.name: each for each in await sources.every(conn)}
    named: list[Named] = []
    wanted: list[int] = []
    missing: list[str] = []
    asked: dict[int, list[str]] = {}
    for ident in told:
        name, divided, local_id = ident.partition("/")
        if divided and name in known:
            asked.setdefault(known[name].no, []).append(local_id)
        elif published := await clusters.resolve(conn, ident):
            wanted.append(int(published.cluster))
        else:
            missing.append(ident)
    for source, local_ids in asked.items():
        rows = await batch_records.rows(conn, source, local_ids)
        there = {name for name, row in rows.items() if _reached(row, within)}
        named += [(source, local_id) for local_id in local_ids if local_id in there]
        missing += [local_id for local_id in local_ids if local_id not in there]
    if missing:
        more = f" and {len(missing) - TOLD:,} more" if len(missing) > TOLD else ""
        raise NotFound(f"not here: {', '.join(missing[:TOLD])}{more}")
    named += [(row["source"], row["local_id"]) for row in await batch_records.of_clusters(conn, wanted, within)]
    return Chosen(text=text, named=tuple(dict.fromkeys(named)))


def _reached(row: Row, within: Collection[str] | None) -> bool:
    return within is None or row.library in within or visibility.is_visible(row.visibility)


async def pages(conn: Connection, chosen: Chosen, limit: int | None) -> AsyncIterator[tuple[Source, list[str]]]:
    """The records source by source, a page at a time; `limit` of them at most."""
    left = limit if limit is not None else 1 << 62
    if chosen.source is not None:
        after = ""
        while left > 0 and (some := await batch_records.of_source(conn, chosen.source.no, after, min(PAGE, left))):
            yield chosen.source, some
            after, left = some[-1], left - len(some)
        return
    by_source: dict[int, list[str]] = {}
    for source, local_id in chosen.named:
        by_source.setdefault(source, []).append(local_id)
    for no, local_ids in sorted(by_source.items()):
        source_of = await sources.by_number(conn, no)
        for start in range(0, len(local_ids), PAGE):
            if left <= 0:
                return
            some = local_ids[start : start + min(PAGE, left)]
            yield source_of, some
            left -= len(some)


async def keep(conn: Connection, batch: int, chosen: Chosen) -> None:
    """The batch is about these."""
    if chosen.source is not None:
        await batch_records.choose_source(conn, batch, chosen.source.no)
    else:
        await batch_records.choose(conn, batch, chosen.named)
