"""`python -m tests.fuzz TARGET [--seconds N | --runs N]`: inputs that reach new code, until one breaks a rule.

What breaks one is written to tests/fuzz/crashes; `python -m tests.fuzz TARGET --reproduce FILE` shows it again, without
atheris. New finds of a good run are kept in tests/fuzz/found; `tests/fuzz/corpus` is made by `tests.fuzz.seeds`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
CORPUS, CRASHES, FOUND = HERE / "corpus", HERE / "crashes", HERE / "found"
NAMES = sorted(folder.name for folder in CORPUS.iterdir())  # nothing of ours is imported before it is instrumented
MISSING = (
    "atheris is not here: it has wheels for Python 3.11-3.13 on Linux (x86_64, aarch64) only; nothing was fuzzed. "
    "There ./dev setup of requirements-dev.txt installs it"
)
LONGEST = 16_384  # bytes of an input
SLOW = 20  # seconds after which an input counts as one that never ends
MEMORY = 1500  # MB


def main() -> int:
    """0 if nothing was found, 77 if one of the targets' rules was broken, 3 where atheris is missing."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, help="so many inputs instead")
    parser.add_argument("--seed", type=int, default=0, help="0: another one every time")
    parser.add_argument("--reproduce", metavar="FILE", help="try one input and show what happens")
    given = parser.parse_args()
    if given.reproduce:
        _target(given.target)(Path(given.reproduce).read_bytes())
        print(f"{given.reproduce}: nothing is wrong with it")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        return 3
    return _fuzz(given)


def _target(name: str) -> Callable[[bytes], None]:
    target: Callable[[bytes], None] = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    return target


def _fuzz(given: argparse.Namespace) -> int:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["protocols", "dms", "node.z3950"]):
        target = _target(given.target)
    CRASHES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        found = FOUND / given.target
        if given.runs:
            found = Path(scratch)  # what a smoke run finds must not change the next one
        found.mkdir(parents=True, exist_ok=True)
        words = [
            sys.argv[0],
            f"-max_len={LONGEST}",
            f"-timeout={SLOW}",
            f"-rss_limit_mb={MEMORY}",
            f"-artifact_prefix={CRASHES}/{given.target}-",
            f"-seed={given.seed}",
            "-print_final_stats=1",
            f"-runs={given.runs}" if given.runs else f"-max_total_time={given.seconds}",
            str(found),
            str(CORPUS / given.target),
        ]
        atheris.Setup(words, target)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
