"""Profiles of quality rules: a domain's and its libraries' choices, in versions (store).

Levels and mends are kept as they were given, globs and all; `dms.quality_profile` makes of them what the rules run by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.connection import Connection
from config.errors import Conflict, NotFound

DOMAIN = ""  # the scope of the node itself: every library without a profile of its own, and what theirs stand on


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A row of table `profile`."""

    profile: int
    scope: str  # DOMAIN, or a library's symbol
    version: int
    state: str  # draft, shadow (it was tried), active, retired
    levels: Mapping[str, str]  # level's name by rule id or glob
    mends: tuple[str, ...]
    who: str
    why: str
    at: datetime
    shadow: Mapping[str, Any] | None  # what the last shadow run found
    shadow_at: datetime | None
    active_at: datetime | None
    retired_at: datetime | None


COLUMNS = ", ".join(Version.__dataclass_fields__)


def _of_row(row: Any) -> Version:
    told = dict(row)
    return Version(**{**told, "mends": tuple(told["mends"])})


async def add(
    conn: Connection, scope: str, levels: Mapping[str, str], mends: Sequence[str], *, who: str, why: str
) -> Version:
    """A draft, the next version of its scope."""
    await conn.execute("lock table profile in share row exclusive mode")
    row = await conn.fetchrow(
        f"""insert into profile (scope, version, levels, mends, who, why)
            select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5
            from profile where scope = $1 returning {COLUMNS}""",
        scope,
        dict(levels),
        list(mends),
        who,
        why,
    )
    return _of_row(row)


async def get(conn: Connection, profile: int) -> Version:
    """The profile with this number, or NotFound."""
    row = await conn.fetchrow(f"select {COLUMNS} from profile where profile = $1", profile)
    if row is None:
        raise NotFound(f"there is no profile {profile} (tianlu profile list)")
    return _of_row(row)


async def every(conn: Connection, within: Collection[str] | None = None) -> list[Version]:
    """All of them, or those of some scopes; the newest version of a scope first."""
    rows = await conn.fetch(
        f"""select {COLUMNS} from profile where $1::text[] is null or scope = any($1)
            order by scope, version desc""",
        None if within is None else sorted(within),
    )
    return [_of_row(row) for row in rows]


async def layers(conn: Connection, library: str) -> list[Version]:
    """What is active for a library: the domain's, then its own; either may be missing."""
    rows = await conn.fetch(
        f"select {COLUMNS} from profile where state = 'active' and scope in ('', $1) order by scope", library
    )
    return [_of_row(row) for row in rows]


async def tried(conn: Connection, profile: int, found: Mapping[str, Any]) -> None:
    """Keep what a shadow run found."""
    await conn.execute(
        """update profile set shadow = $2, shadow_at = now(),
               state = case state when 'draft' then 'shadow' else state end where profile = $1""",
        profile,
        dict(found),
    )


async def activate(conn: Connection, profile: int) -> None:
    """In force from now on; what was active in its scope is retired."""
    one = await _locked(conn, profile)
    if one.state == "active":
        raise Conflict(f"profile {profile} is active already")
    await conn.execute(
        "update profile set state = 'retired', retired_at = now() where scope = $1 and state = 'active'", one.scope
    )
    await conn.execute(
        "update profile set state = 'active', active_at = now(), retired_at = null where profile = $1", profile
    )


async def retire(conn: Connection, profile: int) -> None:
    """Out of force; if it was active its scope has none now."""
    one = await _locked(conn, profile)
    if one.state == "retired":
        raise Conflict(f"profile {profile} is retired already")
    await conn.execute("update profile set state = 'retired', retired_at = now() where profile = $1", profile)


async def _locked(conn: Connection, profile: int) -> Version:
    await conn.execute("lock table profile in share row exclusive mode")
    return await get(conn, profile)
