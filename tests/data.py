"""Where the shared test data is, and how a test says that it isn't there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("TIANLU_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def path(relative: str) -> Path:
    """The file or folder of the shared collection, or skip the test saying what is missing."""
    found = ROOT / relative
    if not found.exists():
        pytest.skip(f"shared test data is not here: {relative} (set TIANLU_TEST_DATA to its folder)")
    return found
