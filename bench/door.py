"""The web door when too many come: what it answers at its peak, at four and ten times as much, beside a crawler of one
address block, and beside thousands of sockets that say nothing. Visitors and node share the machine: compare rows of
one run with each other. Where other work shares it too, only processor time tells: what the node spends on an answer
must not grow much by all those whom it refuses, for then it answers as many as before.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvloop

from bench import corpora, load, measure, node, visitors
from bench.options import Options
from bench.report import Report, Row
from bench.visitors import Door, Seen

SIZE = 20_000
SECONDS = 6.0  # of each crowd
AT_PEAK = 16  # visitors who wait for their answers
READERS = 8.0  # a second, beside others
CRAWLER = 200.0  # a second, of one block
SILENT = 5_000  # sockets
BLOCK = "203.0.113"


def run(options: Options) -> Report:
    """One crowd after the other."""
    count = options.size or SIZE
    place, members = corpora.made(count, options.libraries)
    with node.fresh() as fresh:
        with fresh.running("worker", "indexer"):
            load.everything(fresh, place, members)
            fresh.tianlu("status", "--wait")
        with _told() as port, fresh.running("web") as watch:
            loop = uvloop.new_event_loop()
            rows = loop.run_until_complete(_crowds(port, lambda: _spent(watch.pid, str(fresh.home))))
            loop.close()
    rows.append(Row(name="peak memory of the node", value=watch.peak.largest / (1 << 20), unit="MB", goal="≤ 400"))
    notes = (f"{SECONDS:.0f} s each; searches with words, facets, orders and pages; one run",)
    return Report(bench="door", size=count, rows=tuple(rows), notes=notes)


@contextmanager
def _told() -> Iterator[int]:
    """A free port, and settings of the environment for the node that runs meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    told = {"TIANLU_WEB__PORT": str(port), "TIANLU_WEB__PROXIES": "127.0.0.1", "TIANLU_WEB__CONNECTIONS": "6000"}
    os.environ |= told
    try:
        yield port
    finally:
        for name in told:
            del os.environ[name]


def _spent(pid: int, mark: str) -> float:
    """Processor seconds of the node and its database up to now."""
    ticks = 0
    for each in measure.processes(pid, mark):
        with suppress(OSError):
            fields = (measure.PROC / str(each) / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def _crowds(port: int, spent: Callable[[], float]) -> list[Row]:
    door = Door(port)
    await visitors.patient(door, AT_PEAK, 2.0)  # warm
    began = spent()
    peak = await visitors.patient(door, AT_PEAK, SECONDS)
    each = (spent() - began) / max(peak.statuses[200], 1)
    rows = [
        Row(name="peak", value=peak.good, unit="answers/s"),
        Row(name="peak, p99", value=peak.within(99), unit="ms"),
        Row(name="peak, for each answer", value=each * 1000, unit="cpu-ms"),
    ]
    for times in (4, 10):
        began = spent()
        crowd = await visitors.steady(door, times * peak.good, SECONDS)
        taken = (spent() - began) / max(crowd.statuses[200], 1)
        again = await visitors.patient(door, AT_PEAK, SECONDS)  # the machine may have other work now
        share = 200 * crowd.good / (peak.good + again.good)
        peak = again
        rows += [
            Row(name=f"{times} times the peak", value=share, unit="% of peak", goal="≥ 90"),
            Row(
                name=f"{times} times the peak, by processor time",
                value=100 * each / taken,
                unit="% of peak",
                goal="≥ 90",
            ),
            Row(name=f"{times} times the peak, refused", value=crowd.statuses[503] + crowd.statuses[429], unit=""),
            Row(name=f"{times} times the peak, p99 of answers", value=crowd.within(99), unit="ms"),
            Row(name=f"{times} times the peak, neither answered nor told when", value=_lost(crowd), unit="", goal="0"),
        ]
    await asyncio.sleep(visitors.PATIENCE)
    alone = await visitors.steady(door, READERS, SECONDS)
    crawler, readers = await asyncio.gather(
        visitors.steady(door, CRAWLER, SECONDS, BLOCK), visitors.steady(door, READERS, SECONDS)
    )
    rows += [
        Row(name="readers alone, p95", value=alone.within(95), unit="ms"),
        Row(name="readers beside a crawler, p95", value=readers.within(95), unit="ms", goal="≤ 500"),
        Row(name="readers beside a crawler, refused", value=_refused(readers), unit="", goal="0"),
        Row(name="crawler, answered", value=crawler.good, unit="answers/s"),
        Row(name="crawler, refused", value=_refused(crawler), unit=""),
    ]
    async with visitors.silent(port, SILENT):
        beside = await visitors.steady(door, READERS, SECONDS)
    alone = await visitors.steady(door, READERS, SECONDS)
    rows += [
        Row(name="readers alone after that, p99", value=alone.within(99), unit="ms"),
        Row(
            name=f"readers beside {SILENT:,} silent sockets, p99", value=beside.within(99), unit="ms", goal="≤ 2 times"
        ),
        Row(name=f"readers beside {SILENT:,} silent sockets, refused", value=_refused(beside), unit="", goal="0"),
    ]
    return rows


def _lost(seen: Seen) -> int:
    return seen.bare + sum(count for status, count in seen.statuses.items() if status not in (200, 429, 503))


def _refused(seen: Seen) -> int:
    return sum(count for status, count in seen.statuses.items() if status != 200)
