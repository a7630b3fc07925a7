"""A library's records get other ids: one source of all files of a corpus, out of a new system that counts anew.

Of a third of the records the new system keeps the old id in 935, a third are to be known by barcode and a third by
their content alone; each new id was another record's before. Some records are lost and some are new. Counted are
clusters that are others afterwards, except where a record is lost that may have joined the rest; decisions that are
about other records; and states that the feed tells anew.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench import corpora, node
from bench.node import Node
from bench.options import Options
from bench.report import Report, Row
from catalog import changes, decisions, pins, sources
from catalog.database import pool
from catalog.database.pool import Database
from config import settings
from protocols import detect, marc, marcjson, reading, stream
from protocols.marc import Record

SIZE = 100_000
LOST = 500  # one in so many records is not in the new system, and as many are new there
DECIDED = 200
SOURCE = "lib"


def run(options: Options) -> Report:
    """Load, decide, preview, re-key, compare."""
    count = options.size or SIZE
    place, members = corpora.made(count, options.libraries)
    draw = random.Random(corpora.SEED)
    with tempfile.TemporaryDirectory(dir=corpora.folder()) as folder, node.fresh() as fresh:
        old, new = Path(folder) / "old.jsonl", Path(folder) / "new.jsonl"
        named = _write(old, new, [place / member.file for member in members], draw)
        loaded = fresh.load(old, source=SOURCE, library="CN-LIB")
        told = asyncio.run(_decide(fresh, sorted(named), draw))
        fresh.tianlu("status", "--wait")
        before, head = _clusters(fresh), asyncio.run(_head(fresh))
        words = ("source", "rekey", SOURCE, "--new", str(new))
        preview = fresh.tianlu(*words, "--preview", "--json")
        done = fresh.tianlu(*words, "--yes", "--json", allowed=(0, 3))
        merged = fresh.tianlu("status", "--wait")
        after = _clusters(fresh)
        anew = asyncio.run(_head(fresh)) - head
        pairs = {one["old"]: one["new"] for one in node.objects(preview.out) if one.get("evidence")}
        alive = asyncio.run(_alive(fresh, told, pairs))
        leading = asyncio.run(_leading(fresh, list(before)))
    counts = node.objects(preview.out)[-1]["counts"]
    wrong = sum(named.get(one) != other for one, other in pairs.items())
    moved = [
        one for one, other in named.items() if other is not None and one in before and before[one] != after.get(other)
    ]
    lost = {one for one, other in named.items() if other is None or pairs.get(one) is None}
    poorer = {before[one] for one in lost if one in before}
    bereft = sum(before[one] in poorer for one in moved)
    rows = (
        Row(name="records", value=len(named), unit=""),
        Row(name="preview", value=preview.seconds, unit="s"),
        Row(name="preview, CPU time", value=preview.cpu / len(named) * 1e6, unit="µs/record"),
        Row(name="re-keyed and loaded", value=done.seconds, unit="s"),
        Row(name="re-keyed and loaded, CPU time", value=done.cpu / len(named) * 1e6, unit="µs/record"),
        Row(name="merged after it", value=merged.seconds, unit="s"),
        Row(name="the first load, for comparison", value=loaded.seconds, unit="s"),
        *(Row(name=f"preview: {name}", value=value, unit="") for name, value in counts.items()),
        Row(name="paired with another record than it is", value=wrong, unit="", goal="0"),
        Row(name="records in another cluster than before", value=len(moved) - bereft, unit="", goal="0"),
        Row(name="that a lost or unpaired record had joined", value=bereft, unit=""),
        Row(name="without a pair, or lost", value=len(lost), unit=""),
        Row(name="old ids that lead nowhere", value=len(before) - leading, unit="", goal="0"),
        Row(name="states told anew", value=anew, unit=""),
        Row(name="decisions whose records have a pair", value=alive[1], unit=""),
        Row(name="of them alive", value=alive[0], unit="", goal="all"),
        Row(name="peak memory", value=done.peak.largest / (1 << 20), unit="MB"),
    )
    return Report(bench="rekey", size=count, rows=rows)


def _write(old: Path, new: Path, files: list[Path], draw: random.Random) -> dict[str, str | None]:
    """Write both files; new ids by old ones, None = lost."""
    ids = [str(n) for n in range(1, 1 + sum(1 for _ in _records(files)))]
    others = ids[:]
    draw.shuffle(others)
    named: dict[str, str | None] = {}
    with old.open("w", encoding="utf-8") as was, new.open("w", encoding="utf-8") as now:
        for n, (one, other, record) in enumerate(zip(ids, others, _records(files), strict=True)):
            was.write(marcjson.write(_as(record, one)) + "\n")
            named[one] = other if n % LOST else None
            if n % LOST == 0:
                continue
            extra = [("935", marc.field("  ", [("a", one)]))] if n % 3 == 0 else []
            now.write(marcjson.write(_as(record, other, extra)) + "\n")
    return named


def _as(record: Record, local_id: str, extra: list[tuple[str, str]] | None = None) -> Record:
    fields = [("001", local_id), *((tag, text) for tag, text in record.fields if tag not in ("001", "003", "035"))]
    return Record(record.leader, tuple(sorted([*fields, *(extra or [])], key=lambda field: field[0])))


def _records(files: list[Path]) -> Iterator[Record]:
    for file in files:
        with stream.open_input(str(file)) as opened:
            carrier = detect.carrier_of(opened.head(1 << 20))
            for stretch in stream.stretches(opened, carrier):
                for each in reading.read(stretch.data, carrier).reads:
                    yield each.record


def _clusters(fresh: Node) -> dict[str, str]:
    with fresh.clusters() as (file, _):
        return {local_id: cluster for (_, local_id), cluster in node.membership(file)}


async def _head(fresh: Node) -> int:
    async with _database(fresh) as database, database.connection() as conn:
        return (await changes.head(conn))[1]


def _database(fresh: Node) -> AbstractAsyncContextManager[Database]:
    told = settings.load(fresh.home, os.environ)
    return pool.open(fresh.home, told.database.dsn.reveal() or None, told.database.programs)


async def _decide(fresh: Node, ids: list[str], draw: random.Random) -> list[tuple[str, str]]:
    """Records that people keep apart."""
    chosen = [(draw.choice(ids), draw.choice(ids)) for _ in range(DECIDED)]
    async with _database(fresh) as database, database.transaction() as conn:
        source = (await sources.get(conn, SOURCE)).no
        for one, other in chosen:
            await decisions.add(
                conn, "apart", [(source, one)], [(source, other)], clusters=[], library="", who="bench", why="bench"
            )
    return chosen


async def _alive(fresh: Node, told: list[tuple[str, str]], named: dict[str, str]) -> tuple[int, int]:
    """How many decisions name their records by their new ids and have their pins, and how many should."""
    async with _database(fresh) as database, database.connection() as conn:
        source = (await sources.get(conn, SOURCE)).no
        found = {(d.records[0][1], d.others[0][1]) for d in await decisions.recent(conn, DECIDED)}
        pinned = await pins.named(conn, source, list(named.values()))
    meant = [(named[one], named[other]) for one, other in told if one in named and other in named]
    return sum(pair in found and pinned.issuperset(pair) for pair in meant), len(meant)


async def _leading(fresh: Node, ids: list[str]) -> int:
    """How many of these ids lead on: to a record, or to the cluster that it was in; those too that it has still."""
    async with _database(fresh) as database, database.connection() as conn:
        source = (await sources.get(conn, SOURCE)).no
        count: int = await conn.fetchval(
            """select count(*) from unnest($2::text[]) i (old) where exists (
                   select from rekeyed k where k.source = $1 and k.old = i.old
                   and (k.new is not null or k.cluster is not null))
               or exists (select from record r where r.source = $1 and r.local_id = i.old)""",
            source,
            ids,
        )
        return count
