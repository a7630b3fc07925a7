"""Converting to another MARC with the loss report: records read, converted, written and told of.

Two sets: records made like those of Chinese libraries (`bench.generator`), CNMARC and MARC 21 mixed as there, and the
real UNIMARC and CNMARC files of the shared test data (`TIANLU_TEST_DATA`). Speeds are for two cores, from CPU time.

The public stylesheet is CNMARC2MARC21.xsl of github.com/reeset/unimarc, by the author of MarcEdit; where
`TIANLU_STYLESHEET` names it, it runs in the same run over the same records, from MARCXML to MARCXML in one process, as
it does, without any report. Without it the figure that the design gives for it stands in its place.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lxml import etree

from bench import corpora, measure
from bench.node import Failed
from bench.options import Options
from bench.report import Report, Row
from dms import crew
from dms.crosswalk import bibframe, dublin, mods, schemaorg
from dms.crosswalk.marc import between, convert
from protocols import detect, dialect, marcxml, reading
from protocols.detect import ISO2709
from services.delivery import converting
from services.delivery.converting import Asked

SIZE = 20_000
CORES = 2
PUBLIC = 422  # records/s of the public stylesheet, as the design measured it on a busy machine
STYLESHEET = os.environ.get("TIANLU_STYLESHEET", "")
DATA = Path(os.environ.get("TIANLU_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
REAL = (
    "unimarc-cnmarc/xbib__marc/periouni_first2000.mrc",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_CMARC.mrc",
)
STRETCH = 1 << 20
FORMS = ("dc", "mods", "bibframe", "schemaorg")  # that are no MARC
GOALS = {"dc": "≥ 8,000", "mods": "≥ 8,000"}


def run(options: Options) -> Report:
    """Speeds of reading alone, of converting both ways, and of the command."""
    size = options.size or SIZE
    place, _ = corpora.made(size)
    stretches = [each for path in sorted(place.rglob("*")) if path.is_file() for each in _stretches(path)]
    of = {name: _only(stretches, name) for name in (dialect.CNMARC, dialect.MARC21)}
    rows = []
    for own, to in ((dialect.CNMARC, "marc21"), (dialect.MARC21, "cnmarc-calis"), (dialect.CNMARC, "cnmarc-nlc")):
        count = sum(len(reading.read(data, ISO2709).reads) for data in of[own])
        rows.append(_row(f"{own} → {to}, made records", "≥ 8,000", count, of[own], to))
    real = [(DATA / name).read_bytes() for name in REAL if (DATA / name).exists()]
    if real:
        count = sum(len(reading.read(data, ISO2709).reads) for data in real)
        rows.append(_row("UNIMARC → marc21, real records, each once", "", count, real, "marc21"))
    count = sum(len(reading.read(data, ISO2709).reads) for data in of[dialect.CNMARC])
    rows.append(_command(of[dialect.CNMARC], count))
    for form in FORMS:
        rows.append(_row(f"cnmarc → {form}, made records", GOALS.get(form, ""), count, of[dialect.CNMARC], form))
    public = _public(of[dialect.CNMARC], count) if STYLESHEET else PUBLIC
    where = "in this run" if STYLESHEET else "by the design's figure"
    rows.append(Row(name=f"the public stylesheet, {where}", value=public, unit="records/s", goal=""))
    rows.append(
        Row(name="cnmarc → marc21 on two cores against it", value=rows[0].value / public, unit="×", goal="≥ 20"),
    )
    return Report(bench="convert", size=size, rows=tuple(rows))


def _public(stretches: Sequence[bytes], count: int) -> float:
    """Records a second of CPU time that the stylesheet makes of the same records in MARCXML."""
    records = [each.record for data in stretches for each in reading.read(data, ISO2709).reads]
    told = "".join(marcxml.write(record, namespace=False) for record in records)
    source = f'<collection xmlns="{marcxml.NAMESPACE}">{told}</collection>'.encode()
    sheet = etree.XSLT(etree.parse(STYLESHEET))

    def work() -> None:
        if bytes(sheet(etree.fromstring(source, etree.XMLParser(huge_tree=True)))).count(b"<record>") != count:
            raise Failed("the stylesheet has left records out")

    return count / measure.cpu_seconds(work)


def _stretches(path: Path) -> list[bytes]:
    """The ISO 2709 records of a file in stretches."""
    data = path.read_bytes()
    if path.suffix == ".toml" or path.suffix == ".ndjson" or detect.carrier_of(data[:4096]) != ISO2709:
        return []
    found, at = [], 0
    while at < len(data):
        end = data.find(b"\x1d", min(at + STRETCH, len(data) - 1)) + 1 or len(data)
        found.append(data[at:end])
        at = end
    return found


def _only(stretches: Sequence[bytes], family: str) -> list[bytes]:
    """The stretches whose first record is of a family: files are of one."""
    return [data for data in stretches if dialect.family(reading.read(data, ISO2709).reads[0].record) == family]


def _row(name: str, goal: str, count: int, stretches: Sequence[bytes], to: str) -> Row:
    taken = measure.cpu_seconds(_fresh(stretches, to))
    return Row(
        name=f"{name} ({1e6 * taken / count:.0f} µs a record)", value=CORES * count / taken, unit="records/s", goal=goal
    )


def _fresh(stretches: Sequence[bytes], to: str) -> Callable[[], None]:
    """Convert them all with crosswalks that have met nothing, in a process like those of the pool."""
    marc = to in between.FORMATS
    asked = Asked(carrier=ISO2709, form=ISO2709 if marc else to, dialect=to if marc else "", report=True)

    def work() -> None:
        gc.set_threshold(crew.GARBAGE)
        for known in (convert.crosswalk, mods.crosswalk, dublin.crosswalk, bibframe.crosswalk, schemaorg.crosswalk):
            known.cache_clear()
        for data in stretches:
            converting.convert(data, 0, 1, asked)

    if not marc and to not in FORMS:
        raise Failed(f"no dialect or form {to}")
    return work


def _command(stretches: Sequence[bytes], count: int) -> Row:
    """The command with all that it starts, output and report written to files."""
    with tempfile.TemporaryDirectory(dir=corpora.folder()) as folder:
        source = Path(folder) / "in.mrc"
        source.write_bytes(b"".join(stretches))
        words = ["convert", str(source), "--to", "iso2709", "--dialect", "marc21", "-o", f"{folder}/out.mrc"]
        ran = measure.run([sys.executable, "-m", "node.cli", *words, "--loss-report", f"{folder}/loss"])
    if ran.code not in (0, 3):
        raise Failed(f"tianlu convert: {ran.err[-400:]}")
    name = f"tianlu convert, cnmarc → marc21, report and files included ({1e6 * ran.cpu / count:.0f} µs a record)"
    return Row(name=name, value=CORES * count / ran.cpu, unit="records/s")
