"""How far the fixes of rules help: tried on the first records that came back by each (store around pure previews)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from catalog import quarantine
from catalog.connection import Connection
from config.errors import BadRecord
from dms import quality_scope
from dms.rules.model import Profile
from services.returning import previews, shown

TRIED = 5  # records of each rule and source


class Help(NamedTuple):
    """On how many records a fix was tried, and how many of them would be taken then."""

    tried: int
    passing: int


async def by_group(
    conn: Connection, groups: Sequence[Mapping[str, Any]], *, source: int | None, within: Collection[str] | None
) -> dict[tuple[str, str], Help]:
    """(source's name, rule) → what its fix does, of the groups (`quarantine.groups`) whose rule has a fix."""
    rules = {row["rule"] for row in groups if shown.mendable(row["rule"])}
    if not rules:
        return {}
    profiles: dict[str, Profile] = {}
    told: dict[tuple[str, str], Help] = {}
    for key, cases in (await quarantine.firsts(conn, rules, TRIED, source=source, within=within)).items():
        library = cases[0]["library"]
        if library not in profiles:
            profiles[library] = await quality_scope.of_library(conn, library)
        told[key] = tried(cases, profiles[library], key[1])
    return told


def tried(cases: Sequence[Mapping[str, Any]], profile: Profile, rule: str) -> Help:
    """The fix of a rule on these cases; one that can't be read is not helped."""
    return Help(len(cases), sum(_passes(case, profile, rule) for case in cases))


def _passes(case: Mapping[str, Any], profile: Profile, rule: str) -> bool:
    try:
        return previews.preview(previews.opened(case), profile, (rule,)).passes
    except BadRecord:
        return False
