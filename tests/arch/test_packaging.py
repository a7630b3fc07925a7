"""What is installed: every file that the program reads, and locked dependencies."""

from __future__ import annotations

import configparser
import fnmatch
import re
from pathlib import Path

import pytest

from node.guard import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


def setup() -> configparser.ConfigParser:
    told = configparser.ConfigParser()
    told.read(ROOT / "setup.cfg", encoding="utf-8")
    return told


def test_every_table_template_and_sample_is_packaged() -> None:
    patterns = setup()["options.package_data"]["*"].replace(",", " ").split()
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    read = [path for path in files if path.suffix not in (".py", ".pyc", ".md")]
    left_out = [path for path in read if not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)]
    assert read
    assert not left_out


def test_every_package_is_included() -> None:
    include = setup()["options.packages.find"]["include"].split()
    assert {pattern.rstrip("*") for pattern in include} == set(PACKAGES)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_direct_dependency_is_locked_with_hashes(name: str) -> None:
    lines = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    locked = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    for line in lines:
        if not line or line.startswith(("#", "-r")):
            continue
        package, _, version = line.partition(";")[0].strip().partition("==")
        found = re.search(rf"^{re.escape(package)}==(\S+).*\\\n\s+--hash=sha256:", locked, re.M | re.I)
        assert found, f"{package} is not locked: ./dev lock"
        assert not version or found[1] == version, f"{package}: ./dev lock"
