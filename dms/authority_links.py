"""Ids of authority records in headings, by the authority file that they are of, and where two contradict (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from catalog.model import unique
from dms.merge_policy import Policy
from protocols import marc

_BRACKETED = re.compile(r"\(([^()]+)\)\s*(.+)")
_ADDRESS = re.compile(r"https?://(.+)/([^/]+)/?", re.IGNORECASE)


class Conflict(msgspec.Struct, array_like=True, frozen=True):
    """Two records give one heading different ids of one authority file."""

    tag: str
    heading: str  # as the one has it that MERGE asks first: subfields, $ before each code
    file: str
    a: str  # key of the record whose key comes first
    id_a: str
    b: str
    id_b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A heading as one record has it."""

    tag: str
    text: str
    key: str  # of the record


class Known:
    """What has been said of one heading's ids so far."""

    def __init__(self, policy: Policy, code: str) -> None:
        self._policy, self._code = policy, code
        self._first: dict[str, tuple[frozenset[str], Told]] = {}  # by file
        self._told: set[tuple[str, frozenset[str]]] = set()  # conflicts that are known: one record of many is enough

    def hear(self, told: Told) -> list[Conflict]:
        """Add a record's ids; where they contradict those that were told first."""
        found = []
        for file, ids in files(self._policy, self._code, told).items():
            theirs, first = self._first.setdefault(file, (ids, told))
            if theirs.isdisjoint(ids) and (file, ids) not in self._told:
                self._told.add((file, ids))
                (a, id_a), (b, id_b) = sorted([(first.key, min(theirs)), (told.key, min(ids))])
                words = heading(first.text, self._code)
                found.append(Conflict(tag=first.tag, heading=words, file=file, a=a, id_a=id_a, b=b, id_b=id_b))
        return found


def files(policy: Policy, code: str, told: Told) -> Mapping[str, frozenset[str]]:
    """The ids in subfields `code` of a heading, by authority file."""
    own = told.key.partition("/")[0]
    found: dict[str, set[str]] = {}
    for value in unique(marc.values(told.text, code)):
        file, number = _read(policy.authority_files, value)
        if number:
            found.setdefault(file or f"({own})", set()).add(number)
    return {file: frozenset(ids) for file, ids in found.items()}


@lru_cache(maxsize=4096)
def _read(forms: tuple[tuple[str, re.Pattern[str]], ...], value: str) -> tuple[str, str]:
    """(file, id); the file is empty where the id doesn't tell it."""
    packed = "".join(value.split())
    for name, form in forms:
        if found := form.fullmatch(packed):
            return name, found[1].lower()
    if found := _BRACKETED.fullmatch(packed):
        return found[1], found[2].lower()
    if found := _ADDRESS.fullmatch(packed):
        return found[1].lower(), found[2].lower()
    return "", packed.lower()


def heading(text: str, code: str) -> str:
    """A heading for people: its words without links."""
    return " ".join(f"${each} {value}" for each, value in marc.subfields(text) if each not in (code, "6"))
