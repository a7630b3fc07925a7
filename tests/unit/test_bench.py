"""What benches measure with: sizes, memory of process trees, reports."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import corpora, measure, options, report
from bench.report import Report, Row


@pytest.mark.parametrize(("text", "count"), [("5000", 5000), ("100k", 100_000), ("1M", 1_000_000)])
def test_sizes(text: str, count: int) -> None:
    assert options.size(text) == count


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1.5k"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="number of records"):
        options.size(text)


def test_memory_of_a_child_counts_for_the_tree() -> None:
    hoard = "import time; hoard = bytearray(80_000_000); time.sleep(1.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hoard!r}])"
    ran = measure.run([sys.executable, "-c", parent])
    assert ran.code == 0
    assert ran.peak.tree > 80_000_000
    assert 80_000_000 < ran.peak.largest <= ran.peak.tree
    assert ran.peak.database == 0


def test_output_and_exit_code_are_kept() -> None:
    ran = measure.run([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (ran.code, ran.out, ran.err) == (3, "out\n", "err\n")


def test_a_report_is_a_table_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    made = Report(bench="load", size=1000, rows=(Row(name="speed", value=12345.6, unit="records/s", goal="≥ 1"),))
    assert "speed  12,346 records/s (goal ≥ 1)" in made.table()
    kept = made.keep(datetime(2026, 1, 2, tzinfo=UTC))
    assert json.loads(kept.read_text())["rows"][0]["value"] == 12345.6


def test_shares_add_up_to_a_hundred() -> None:
    rows = report.shares([("prepare", 3.0), ("place", 1.0)])
    assert [row.value for row in rows] == [75.0, 25.0]


def test_a_corpus_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIANLU_BENCH_FOLDER", str(tmp_path))
    place, members = corpora.made(200)
    stamps = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    assert corpora.made(200) == (place, members)
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == stamps
    assert len(dict(corpora.truth(place))) > 150


def test_the_cpu_time_of_processes_that_nobody_waits_for_is_counted() -> None:
    busy = "import os, time\nif os.fork() == 0:\n    while time.process_time() < 0.5: pass\n    os._exit(0)"
    assert measure.run([sys.executable, "-c", busy]).cpu >= 0.5
