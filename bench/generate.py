"""How fast the generator is, and what its records weigh."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from bench import corpora
from bench.generator import corpus
from bench.options import Options
from bench.report import Report, Row

SIZE = 20_000


def run(options: Options) -> Report:
    """Write one corpus."""
    count = options.size or SIZE
    out = Path(tempfile.mkdtemp(prefix="generate-", dir=corpora.folder()))
    try:
        began = time.perf_counter()
        members = corpus.generate(out, count=count, seed=corpora.SEED, libraries=options.libraries)
        seconds = time.perf_counter() - began
        size = sum((out / member.file).stat().st_size for member in members)
        manifestations = len({manifestation for _, manifestation in corpora.truth(out)})
    finally:
        shutil.rmtree(out)
    return Report(
        bench="generate",
        size=count,
        rows=(
            Row(name="generate", value=count / seconds, unit="records/s", goal="≥ 10,000"),
            Row(name="record", value=size / count, unit="bytes"),
            Row(name="manifestations", value=manifestations, unit=""),
        ),
    )
