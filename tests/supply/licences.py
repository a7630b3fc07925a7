"""The licence of each package, as SPDX, and whether we may depend on it. What nobody can tell is not allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from importlib import metadata
from pathlib import Path

TABLE = tomllib.loads(Path(__file__).with_name("licences.toml").read_text(encoding="utf-8"))
NODE = frozenset(TABLE["node"])
TESTS = NODE | frozenset(TABLE["tests"])
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR) [A-Za-z0-9.+-]+)*")
_CLASSIFIER = "License :: OSI Approved :: "


class UnknownLicence(Exception):
    """A package doesn't say its licence in a way that we understand: read its licence file, then `licences.toml`."""


def of(name: str) -> str:
    """The SPDX expression of a package. Raises UnknownLicence."""
    if name in TABLE["read"]:
        return str(TABLE["read"][name])
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise UnknownLicence(f"{name} is not installed here and licences.toml doesn't know it") from error
    said = [each for field in ("License-Expression", "License") for each in told.get_all(field) or []]
    return meant(name, said, told.get_all("Classifier") or [])


def meant(name: str, said: Sequence[str], classifiers: Sequence[str]) -> str:
    """What a package means by its fields and classifiers, the first that is understood. Raises UnknownLicence."""
    for each in said:
        if found := _spdx(each):
            return found
    shown = [each.removeprefix(_CLASSIFIER) for each in classifiers if each.startswith(_CLASSIFIER)]
    if shown and all(_spdx(each) for each in shown):
        return " AND ".join(sorted(_spdx(each) for each in shown))
    raise UnknownLicence(f"{name}: {[*said, *shown] or 'nothing said'}"[:200])


def allowed(expression: str, among: Collection[str]) -> bool:
    """Whether every part of one of the alternatives is allowed. AND binds tighter than OR (SPDX 2.3, annex D); what
    has parentheses or exceptions is for a person to judge.
    """
    return any(all(part in among for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def _spdx(said: str) -> str:
    """What was said as SPDX; '' when it is neither an expression of identifiers that we know nor a name we know."""
    if said in TABLE["meant"]:
        return str(TABLE["meant"][said])
    known = _SPDX.fullmatch(said) and all(part in TESTS for part in re.split(" AND | OR ", said))
    return said if known else ""
