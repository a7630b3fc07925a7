"""Checking real records, reading included: structure and definitions, then all rules, beside `marcvalidate`.

The records are the MARC 21 and UNIMARC files of the shared test data (`TIANLU_TEST_DATA`), again and again until there
are enough. Speeds are for two cores, from CPU time: 2 records in the time that one core needs for one.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench import corpora, measure
from bench.node import Failed
from bench.options import Options
from bench.report import Report, Row
from catalog.model import Format
from dms import crew
from dms.rules import check, content
from dms.rules.check import Checker
from dms.rules.model import Profile
from protocols import detect, dialect, iso2709, reading
from protocols.detect import ISO2709

SIZE = 30_000
CORES = 2
DATA = Path(os.environ.get("TIANLU_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FOLDERS = ("marc21-bib", "unimarc-cnmarc")
FORMATS = {dialect.MARC21: Format.MARC21, dialect.CNMARC: Format.CNMARC}
PEER = "marcvalidate"
ALL = check.turned_off(Profile())  # rules that are off
STRUCTURE = ALL | {id_ for rule in content.rules() for id_ in rule.ids}


class Input(NamedTuple):
    """A file, and the format of each of its records."""

    data: bytes
    formats: list[Format]


def run(options: Options) -> Report:
    """Speeds of reading alone, of both sets of rules after it, and of the peer on the MARC 21 records."""
    files = list(_files())
    if not files:
        raise Failed(f"no files in {DATA}: set TIANLU_TEST_DATA to the folder of the shared test data")
    own = sum(len(reading.read(data, ISO2709).reads) for data in files)
    rounds = -(-(options.size or SIZE) // own)
    count = rounds * own
    inputs = [Input(data, _formats(data)) for data in files]
    rows = [
        _row("reading alone", "", count, lambda: _work(inputs * rounds, None)),
        _row("structure and definitions", "≥ 40,000", count, lambda: _work(inputs * rounds, STRUCTURE)),
        _row("the same, every record met for the first time", "", own, lambda: _work(inputs, STRUCTURE)),
        _row("all rules", "≥ 10,000", count, lambda: _work(inputs * rounds, ALL)),
        _row("the same, every record met for the first time", "", own, lambda: _work(inputs, ALL)),
    ]
    rows.append(_command(files, rounds, count))
    if shutil.which(PEER):
        rows += _beside(inputs, rounds)
    return Report(bench="check", size=count, rows=tuple(rows))


def _files() -> Iterator[bytes]:
    for path in sorted(path for folder in FOLDERS for path in (DATA / folder).rglob("*")):
        if path.suffix in (".mrc", ".marc", ".iso"):
            data = path.read_bytes()
            if detect.carrier_of(data) == ISO2709:
                yield data


def _formats(data: bytes) -> list[Format]:
    return [FORMATS[dialect.family(each.record)] for each in reading.read(data, ISO2709).reads]


def _work(inputs: list[Input], off: frozenset[str] | None) -> None:
    """Read everything and check it by the rules that are not off, if there are any to be, with a checker that has met
    nothing before, in a process like those of the pool."""
    gc.set_threshold(crew.GARBAGE)
    checker = Checker(off or frozenset())
    for data, formats in inputs:
        reads = reading.read(data, ISO2709).reads
        if off is not None:
            checker.check_many([(each.record, fmt, None) for each, fmt in zip(reads, formats, strict=True)])


def _row(name: str, goal: str, count: int, work: Callable[[], object]) -> Row:
    taken = measure.cpu_seconds(work)
    return Row(
        name=f"{name} ({1e6 * taken / count:.0f} µs a record)", value=CORES * count / taken, unit="records/s", goal=goal
    )


def _command(files: list[bytes], rounds: int, count: int) -> Row:
    """The command with all that it starts: reading, judging encodings and formats, all rules, an answer a record."""
    with tempfile.NamedTemporaryFile(suffix=".mrc", dir=corpora.folder()) as file, open(os.devnull, "wb") as nowhere:
        file.write(b"".join(files * rounds))
        file.flush()
        ran = measure.run([sys.executable, "-m", "node.cli", "check", file.name, "--json"], stdout=nowhere)
    if ran.code not in (0, 3):
        raise Failed(f"tianlu check: {ran.err[-400:]}")
    name = f"tianlu check, its answers included ({1e6 * ran.cpu / count:.0f} µs a record)"
    return Row(name=name, value=CORES * count / ran.cpu, unit="records/s")


def _beside(inputs: list[Input], rounds: int) -> list[Row]:
    """The peer and we on the MARC 21 records, written again so that the peer reads them all."""
    records = [
        each.record
        for data, formats in inputs
        for each, fmt in zip(reading.read(data, ISO2709).reads, formats, strict=True)
        if fmt == Format.MARC21 and all(text for _, text in each.record.fields)
    ]
    data = b"".join(map(iso2709.write, records))
    ours = [Input(data, [Format.MARC21] * len(records))] * rounds
    with tempfile.NamedTemporaryFile(suffix=".mrc", dir=corpora.folder()) as file:
        file.write(data * rounds)
        file.flush()
        taken = measure.child_cpu_seconds([PEER, file.name], runs=1)
    count = rounds * len(records)
    of_all = measure.cpu_seconds(lambda: _work(ours, ALL))
    return [
        Row(name=f"{PEER}, MARC 21 records only", value=CORES * count / taken, unit="records/s"),
        Row(name=f"all rules against {PEER}", value=taken / of_all, unit="×", goal="≥ 2"),
    ]
