"""End to end: files of several libraries loaded into a fresh node by its command line until every record is clustered.

Each file is loaded as a user would; `export --clusters` waits until everything is placed and merged. Then every file is
sent again unchanged. Stage seconds come from the JSON of `load --json`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path

from bench import corpora, node
from bench.generator.habits import Member
from bench.measure import Peak, Ran
from bench.node import Node
from bench.options import Options
from bench.report import Report, Row, shares

SIZE = 100_000
MEGABYTE = 1 << 20
TABLES_SHOWN = 12


def run(options: Options) -> Report:
    """Load, wait, weigh, send again."""
    count = options.size or SIZE
    place, members = corpora.made(count)
    with node.fresh() as fresh:
        starting = fresh.tianlu("status").seconds
        began = time.perf_counter()
        loads = everything(fresh, place, members)
        loaded = time.perf_counter() - began
        clusters = fresh.clusters()
        clustered = time.perf_counter() - began
        sizes = fresh.table_sizes()
        began = time.perf_counter()
        again = everything(fresh, place, members)
        resent = time.perf_counter() - began
    sent = _total(loads, "records") or count
    rows = [
        Row(name="load, all files", value=sent / loaded, unit="records/s"),
        Row(name="load until clustered", value=sent / clustered, unit="records/s", goal="≥ 10,000"),
        Row(name="unchanged, sent again", value=sent / resent, unit="records/s", goal="≥ 40,000"),
        Row(name="a command that does nothing", value=starting, unit="s"),
        Row(name="source records", value=len(clusters), unit=""),
        Row(name="clusters", value=len(set(clusters.values())), unit=""),
        *_memory([ran.peak for ran in (*loads, *again)]),
        *shares(_stages(loads)),
        *_tables(sizes, len(clusters)),
    ]
    notes = [f"sent again: {_total(again, 'unchanged'):,} of {_total(again, 'records'):,} records were unchanged"]
    return Report(bench="load", size=count, rows=tuple(rows), notes=tuple(notes))


def everything(fresh: Node, place: Path, members: list[Member]) -> list[Ran]:
    """Load the file of every library, one after the other."""
    return [fresh.load(place / m.file, source=m.source, library=m.symbol) for m in members]


def _memory(peaks: list[Peak]) -> list[Row]:
    tree = max(peak.tree for peak in peaks) / MEGABYTE
    largest = max(peak.largest for peak in peaks) / MEGABYTE
    database = max(peak.database for peak in peaks) / MEGABYTE
    return [
        Row(name="peak memory, all processes", value=tree, unit="MB"),
        Row(name="peak memory, largest process of ours", value=largest, unit="MB", goal="≤ 400"),
        Row(name="peak memory, PostgreSQL", value=database, unit="MB"),
    ]


def _stages(loads: list[Ran]) -> list[tuple[str, float]]:
    """Seconds by stage, added up over the loads, the longest first."""
    summed: defaultdict[str, float] = defaultdict(float)
    for ran in loads:
        for one in node.objects(ran.out):
            for name, seconds in one.get("stages", {}).items():
                summed[name] += seconds
    return sorted(summed.items(), key=lambda stage: -stage[1])


def _total(loads: list[Ran], field: str) -> int:
    """A count that `load --json` reports, over all loads: the last object of each that has it."""
    told = [[one[field] for one in node.objects(ran.out) if field in one] for ran in loads]
    return sum(int(values[-1]) for values in told if values)


def _tables(sizes: list[tuple[str, int, int]], records: int) -> list[Row]:
    whole = sum(total for _, total, _ in sizes)
    rows = [Row(name="all tables and indexes", value=whole / max(records, 1), unit="bytes/record", goal="≤ 2,000")]
    for table, total, _ in sizes[:TABLES_SHOWN]:
        rows.append(Row(name=f"table {table}", value=total / max(records, 1), unit="bytes/record"))
    return rows
