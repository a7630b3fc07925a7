"""End to end: files of several libraries loaded into a fresh node by its command line until every record is clustered.

Each file is loaded as a user would, by a command of its own and without a running node; `export --clusters` merges what
the loads have placed, `status --wait` until it can be searched. Then every file is sent again twice: as it
was (known by its digest), and with a line end more (every record compared). Rates are of one run by the wall clock;
stage seconds come from the JSON of `load --json`.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from bench import corpora, evaluate, node
from bench.evaluate import Grouping
from bench.generator.habits import Member
from bench.measure import Peak, Ran
from bench.node import Node
from bench.options import Options
from bench.report import Report, Row, shares

SIZE = 100_000
MEGABYTE = 1 << 20
TABLES_SHOWN = 16


def run(options: Options) -> Report:
    """Load, wait, weigh, send again."""
    count = options.size or SIZE
    place, members = corpora.made(count, options.libraries)
    with node.fresh() as fresh:
        starting = fresh.tianlu("status").seconds
        began = time.perf_counter()
        loads = everything(fresh, place, members)
        loaded = time.perf_counter() - began
        with fresh.clusters() as (file, merged):
            clustered = time.perf_counter() - began
            found = Grouping(node.membership(file))
        waited = fresh.tianlu("status", "--wait")
        searchable = time.perf_counter() - began
        sizes = fresh.table_sizes()
        index = sum(path.stat().st_size for path in (fresh.home / "index").rglob("*") if path.is_file())
        same, resent = _timed(lambda: everything(fresh, place, members))
        compared, read = _timed(lambda: [_longer(fresh, place, member) for member in members])
    sent, records = total(loads, "records") or count, len(found.ids)
    rows = [
        Row(name="load, all files", value=sent / loaded, unit="records/s"),
        Row(name="load until clustered", value=sent / clustered, unit="records/s", goal="≥ 10,000"),
        Row(name="load until clustered and searchable", value=sent / searchable, unit="records/s", goal="≥ 5,000"),
        Row(name="load until placed, CPU time", value=_cost(loads, sent), unit="µs/record"),
        Row(name="load until clustered, CPU time", value=_cost([*loads, merged], sent), unit="µs/record"),
        Row(name="load until searchable, CPU time", value=_cost([*loads, merged, waited], sent), unit="µs/record"),
        Row(name="unchanged, sent again", value=sent / resent, unit="records/s", goal="≥ 40,000"),
        Row(name="unchanged, every record compared", value=sent / read, unit="records/s"),
        Row(name="a command that does nothing", value=starting, unit="s"),
        Row(name="source records", value=records, unit=""),
        Row(name="clusters", value=evaluate.groups(found), unit=""),
        *memory([ran.peak for ran in (*loads, merged, waited, *same, *compared)]),
        *shares(_stages(loads)),
        *_tables(sizes, records),
        Row(name="search index", value=index / max(records, 1), unit="bytes/record"),
    ]
    notes = [
        f"{len(members)} files, one command each, one run; rates are of the wall clock",
        f"sent again: {total(same, 'unchanged'):,} of {total(same, 'records'):,} records were unchanged; "
        f"with a line end more: {total(compared, 'unchanged'):,} of {total(compared, 'records'):,}",
    ]
    return Report(bench="load", size=count, rows=tuple(rows), notes=tuple(notes))


def _cost(ran: list[Ran], records: int) -> float:
    """Microseconds of CPU time a record, of all processes."""
    return sum(one.cpu for one in ran) / records * 1e6


def _timed(work: Callable[[], list[Ran]]) -> tuple[list[Ran], float]:
    began = time.perf_counter()
    done = work()
    return done, time.perf_counter() - began


def _longer(fresh: Node, place: Path, member: Member) -> Ran:
    """The library's file with a line end more: another file of the same records, in every carrier."""
    with tempfile.NamedTemporaryFile(dir=fresh.home.parent) as file:
        with (place / member.file).open("rb") as before:
            shutil.copyfileobj(before, file, MEGABYTE)
        file.write(b"\n")
        file.flush()
        return fresh.load(Path(file.name), source=member.source, library=member.symbol)


def everything(fresh: Node, place: Path, members: list[Member]) -> list[Ran]:
    """Load the file of every library, one after the other."""
    return [fresh.load(place / m.file, source=m.source, library=m.symbol) for m in members]


def memory(peaks: list[Peak]) -> list[Row]:
    """The most memory at one moment, and of one process of each kind."""
    tree = max(peak.tree for peak in peaks) / MEGABYTE
    database = max(peak.database for peak in peaks) / MEGABYTE
    kinds: dict[str, int] = {}
    for peak in peaks:
        for name, size in peak.kinds.items():
            kinds[name] = max(size, kinds.get(name, 0))
    return [
        Row(name="peak memory, all processes", value=tree, unit="MB"),
        Row(name="peak memory, PostgreSQL", value=database, unit="MB"),
        *(
            Row(name=f"peak memory, one process: {name}", value=size / MEGABYTE, unit="MB", goal="≤ 400")
            for name, size in sorted(kinds.items())
        ),
    ]


def _stages(loads: list[Ran]) -> list[tuple[str, float]]:
    """Seconds by stage, added up over the loads, the longest first."""
    summed: defaultdict[str, float] = defaultdict(float)
    for ran in loads:
        for one in node.objects(ran.out):
            for name, seconds in one.get("stages", {}).items():
                summed[name] += seconds
    return sorted(summed.items(), key=lambda stage: -stage[1])


def total(loads: list[Ran], field: str) -> int:
    """A count that `load --json` reports, over all loads: the last object of each that has it."""
    told = [[one[field] for one in node.objects(ran.out) if field in one] for ran in loads]
    return sum(int(values[-1]) for values in told if values)


def _tables(sizes: list[tuple[str, int, int]], records: int) -> list[Row]:
    whole = sum(total for _, total, _ in sizes)
    rows = [Row(name="all tables and indexes", value=whole / max(records, 1), unit="bytes/record", goal="≤ 2,000")]
    for table, total, _ in sizes[:TABLES_SHOWN]:
        rows.append(Row(name=f"table {table}", value=total / max(records, 1), unit="bytes/record"))
    return rows
