"""What every bench is told."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

LIBRARIES = 10
FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`size` is the number of records, None takes the bench's own; `libraries` how many files they come in."""

    size: int | None = None
    libraries: int = LIBRARIES


def size(text: str) -> int:
    """`5000`, `100k`, `1M`."""
    found = re.fullmatch(r"(\d+)([km]?)", text.lower())
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text}: a size is a number of records like 5000, 100k or 1M")
    return int(found[1]) * FACTORS[found[2]]
