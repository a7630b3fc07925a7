"""Reading ISO 2709: our batch reader beside pymarc and yaz-marcdump, on the same UTF-8 files, in CPU-seconds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pymarc

from bench import corpora, measure
from bench.options import Options
from bench.report import Report, Row
from protocols import columnar, detect, reading, stream

SIZE = 50_000


def run(options: Options) -> Report:
    """Structural scan alone, reading whole records, and the peers."""
    count = options.size or SIZE
    place, members = corpora.made(count)
    parts = [
        (place / member.file).read_bytes()
        for member in members
        if member.habit.carrier == "iso2709" and member.habit.encoding == "utf-8"
    ]
    with tempfile.NamedTemporaryFile(suffix=".mrc", dir=corpora.folder()) as file:
        file.write(b"".join(parts))
        file.flush()
        path = Path(file.name)
        records = path.read_bytes().count(b"\x1d")
        speeds = [
            ("scan and structural validation", "≥ 150,000", measure.cpu_seconds(lambda: _scan(path))),
            ("read into records", "", measure.cpu_seconds(lambda: _read(path))),
            ("pymarc, reading", "", measure.cpu_seconds(lambda: _pymarc(path), runs=1)),
        ]
        if shutil.which("yaz-marcdump"):
            speeds.append(("yaz-marcdump -n", "", measure.child_cpu_seconds(["yaz-marcdump", "-n", str(path)])))
    ours = records / speeds[0][2]
    rows = [Row(name=name, value=records / taken, unit="records/cpu-s", goal=goal) for name, goal, taken in speeds]
    rows.append(Row(name="scan against pymarc", value=ours / rows[2].value, unit="×", goal="≥ 15"))
    if len(speeds) > 3:
        rows.append(Row(name="scan against yaz-marcdump -n", value=ours / rows[3].value, unit="×", goal="≥ 0.35"))
    return Report(bench="scan", size=records, rows=tuple(rows))


def _scan(path: Path) -> int:
    return sum(len(columnar.scan(one.data).starts) for one in _stretches(path))


def _read(path: Path) -> int:
    return sum(len(reading.read(one.data, detect.ISO2709).reads) for one in _stretches(path))


def _pymarc(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in pymarc.MARCReader(file, force_utf8=True))


def _stretches(path: Path) -> list[stream.Stretch]:
    source = stream.open_input(str(path))
    return list(stream.stretches(source, detect.ISO2709))
