"""`python -m bench.generator --records N --seed S --libraries L --out DIR`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench.generator import corpus


def main() -> int:
    """Write a corpus and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m bench.generator", description="Make library files of known truth.")
    parser.add_argument("--records", type=int, required=True, help="how many records in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--libraries", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files, libraries.toml and truth.ndjson")
    given = parser.parse_args()
    began = time.perf_counter()
    made = corpus.generate(given.out, count=given.records, seed=given.seed, libraries=given.libraries)
    seconds = time.perf_counter() - began
    size = sum((given.out / member.file).stat().st_size for member in made)
    print(
        f"{given.records} records, {size / given.records:.0f} bytes each, {given.records / seconds:.0f} records/s",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
