"""The shape of the code: contracts between rooms, length of files, forbidden rooms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from node.guard import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
CEILING = 400  # lines; 80-250 is the aim
NAMELESS = {"utils", "util", "common", "core", "helpers", "helper", "manager", "misc"}


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_the_ceiling() -> None:
    long = {str(p.relative_to(ROOT)): n for p in modules() if (n := len(p.read_bytes().splitlines())) > CEILING}
    assert not long


def test_no_module_is_named_after_nothing() -> None:
    assert not [str(path.relative_to(ROOT)) for path in modules() if NAMELESS & {path.stem, path.parent.name}]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_code_opens_with_a_docstring(package: str) -> None:
    for folder in {path.parent for path in modules() if path.is_relative_to(ROOT / package)}:
        first = (folder / "__init__.py").read_text(encoding="utf-8")
        assert first.startswith('"""'), f"{folder}/__init__.py says nothing"
