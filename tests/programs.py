"""The outside programs that some tests need: the one list, how to find each, and what to say when it isn't there.

`python -m tests.programs` prints the Debian packages of those that are missing; `./dev test --all` installs them.
"""

from __future__ import annotations

import glob
import shutil

import pytest

PACKAGES = {  # program → Debian package
    "yaz-client": "yaz",
    "yaz-asncomp": "libyaz-dev",  # with it the ASN.1 text of Z39.50
    "yaz-marcdump": "yaz",
    "yaz-ztest": "yaz",
    "zebrasrv": "idzebra-2.0",
    "zebraidx": "idzebra-2.0",
    "xmllint": "libxml2-utils",
    "marcvalidate": "libmarc-schema-perl",
    "chromium": "chromium",
    "postgres": "postgresql",
}
OFF_PATH = ("/usr/lib/postgresql/*/bin",)  # where Debian keeps programs that are not on the PATH


def find(program: str) -> str | None:
    """The path of a program, or None."""
    if found := shutil.which(program):
        return found
    return next((path for folder in OFF_PATH for path in sorted(glob.glob(f"{folder}/{program}"), reverse=True)), None)


def need(program: str) -> str:
    """The path of a program, or skip the test with the line that installs it."""
    found = find(program)
    if found is None:
        pytest.skip(f"{program} is not here: apt-get install {PACKAGES[program]}")
    return found


def missing() -> list[str]:
    """Debian packages of the programs that are not here."""
    return sorted({package for program, package in PACKAGES.items() if find(program) is None})


if __name__ == "__main__":
    print(" ".join(missing()))
