"""A running node that is fed: `tianlu load` lands files of several libraries while `tianlu run` prepares, merges and
indexes, until everything can be searched. One run, by the wall clock.
"""

from __future__ import annotations

import time

from bench import corpora, load, node
from bench.options import Options
from bench.report import Report, Row

SIZE = 100_000


def run(options: Options) -> Report:
    """Load everything, wait for the index, send everything again."""
    count = options.size or SIZE
    place, members = corpora.made(count, options.libraries)
    with node.fresh() as fresh, fresh.running("worker", "indexer") as watch:
        began = time.perf_counter()
        loads = load.everything(fresh, place, members)
        loaded = time.perf_counter() - began
        fresh.tianlu("status", "--wait")
        searchable = time.perf_counter() - began
        began = time.perf_counter()
        load.everything(fresh, place, members)
        resent = time.perf_counter() - began
    sent = load.total(loads, "records") or count
    rows = (
        Row(name="load, all files", value=sent / loaded, unit="records/s"),
        Row(name="load until merged and searchable", value=sent / searchable, unit="records/s", goal="≥ 5,000"),
        Row(name="unchanged, sent again", value=sent / resent, unit="records/s", goal="≥ 40,000"),
        *load.memory([watch.peak]),
    )
    notes = (f"{len(members)} files, one command each, one run; rates are of the wall clock",)
    return Report(bench="visible", size=count, rows=rows, notes=notes)
