"""Generated corpora, kept in a temporary folder between benches; a changed generator makes new ones."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.generator import corpus, habits
from bench.generator.habits import Member
from bench.options import LIBRARIES

SEED = 1
GENERATOR = Path(corpus.__file__).parent


def folder() -> Path:
    """Where benches keep files: `TIANLU_BENCH_FOLDER`, else below the system's temporary folder.

    Open to other users, because PostgreSQL runs as one of them when root runs the bench.
    """
    path = Path(os.environ.get("TIANLU_BENCH_FOLDER") or Path(tempfile.gettempdir()) / "tianlu-bench")
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
    return path


def made(count: int, libraries: int = LIBRARIES) -> tuple[Path, list[Member]]:
    """The folder and the libraries of a corpus of `count` records, generated if it isn't there."""
    place = folder() / f"corpus-{count}-{SEED}-{libraries}-{_version()}"
    if not (place / "libraries.toml").exists():
        unfinished = place.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        corpus.generate(unfinished, count=count, seed=SEED, libraries=libraries)
        unfinished.rename(place)
    return place, habits.members(libraries)


def truth(place: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """((source, local id), manifestation) of a corpus."""
    with (place / "truth.ndjson").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield (row["source"], row["local_id"]), row["manifestation"]


def _version() -> str:
    """Changes with the generator's code and tables."""
    whole = hashlib.sha256()
    for path in sorted([*GENERATOR.glob("*.py"), *(GENERATOR / "tables").iterdir()]):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()[:10]
