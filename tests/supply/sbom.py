"""`./dev sbom [FILE]`: the parts list of a node (SBOM) as CycloneDX 1.6 JSON, on standard output or in FILE.

Lists what requirements.txt locks: name, version, package URL, SHA-256 of every distribution file, licence, who needs
it; inside a package the programs in other languages that its wheel carries. The same lock file gives the same bytes:
there is no clock and no random number in it.
"""

from __future__ import annotations

import configparser
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.supply import bundled, licences, locked
from tests.supply.bundled import Bundled
from tests.supply.locked import Locked

Json = dict[str, Any]
SPACE = uuid.UUID("6f1d1c0e-5d0b-5f0e-9f0a-6a1d2c3b4e5f")  # of the serial numbers of our lists
INDEX = "https://pypi.org/project"


def make(packages: Sequence[Locked], inside: Sequence[Bundled]) -> Json:
    """The document. Raises UnknownLicence."""
    root = _root()
    document: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "pre-build"}], "component": root},
        "components": [_component(each, [b for b in inside if b.inside == each.name]) for each in packages],
        "dependencies": _dependencies(root["bom-ref"], packages),
    }
    told = json.dumps(document, sort_keys=True)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(SPACE, told)}"}


def write(document: Json) -> str:
    """The document as text."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _root() -> Json:
    told = configparser.ConfigParser()
    told.read(locked.ROOT / "setup.cfg", encoding="utf-8")
    about = told["metadata"]
    return {
        "type": "application",
        "bom-ref": f"{about['name']}@{about['version']}",
        "name": about["name"],
        "version": about["version"],
        "description": about["description"],
        "licenses": [{"expression": about["license"]}],
    }


def _component(package: Locked, inside: Sequence[Bundled]) -> Json:
    found: Json = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [{"expression": licences.of(package.name)}],
        # Of several files, so not `hashes`, which are of the one thing that a component is.
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"{INDEX}/{package.name}/{package.version}/#files",
                "hashes": [{"alg": "SHA-256", "content": each} for each in package.hashes],
            }
        ],
    }
    if package.marker:
        found["properties"] = [{"name": "tianlu:marker", "value": package.marker}]
    if inside:
        found["components"] = [_part(each, package) for each in inside]
    return found


def _part(part: Bundled, package: Locked) -> Json:
    purl = f"pkg:generic/{part.name}@{part.version}"
    return {
        "type": "application" if part.name == "postgresql" else "library",
        "bom-ref": f"{package.purl}#{part.name}@{part.version}",
        "name": part.name,
        "version": part.version,
        "purl": purl,
        "cpe": part.cpe,
        "licenses": [{"expression": part.licence}],
    }


def _dependencies(root: str, packages: Sequence[Locked]) -> list[Json]:
    """Who needs what, from the names that the lock file gives for each package."""
    needs: dict[str, set[str]] = {ref: set() for ref in (root, *(each.purl for each in packages))}
    by_name = {each.name: each.purl for each in packages}
    for each in packages:
        for who in each.via:
            needs[root if who.startswith("-r ") else by_name[locked.normal(who)]].add(each.purl)
    return [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(needs.items())]


def main(arguments: Sequence[str]) -> int:
    """Prints or writes the list."""
    text = write(make(locked.read(locked.NODE), bundled.here()))
    if arguments:
        Path(arguments[0]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
