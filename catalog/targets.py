"""Other catalogues that records are copied from: how each is asked (store).

A password is never part of a `Target`: it is asked for by itself, sealed, by whoever is about to use it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from catalog.connection import Connection
from config.errors import Conflict, Misconfigured, NotFound
from protocols import target
from protocols.target import Profile

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
ACTIVE, PAUSED = "active", "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A row of table `target`."""

    no: int
    name: str
    kind: str  # z3950
    profile: Profile
    state: str  # active or paused


COLUMNS = "target, name, kind, profile, state"


def _of_row(row: Any) -> Target:
    told = row["profile"]
    profile = target.read(told if isinstance(told, str) else json.dumps(told))
    return Target(no=row["target"], name=row["name"], kind=row["kind"], profile=profile, state=row["state"])


async def every(conn: Connection) -> list[Target]:
    """All of them, by name."""
    return [_of_row(row) for row in await conn.fetch(f"select {COLUMNS} from target order by name")]


async def get(conn: Connection, name: str) -> Target:
    """The target of this name, or NotFound."""
    row = await conn.fetchrow(f"select {COLUMNS} from target where name = $1", name)
    if row is None:
        raise NotFound(f"no target is named {name} (tianlu target list)")
    return _of_row(row)


async def named(conn: Connection, names: Collection[str]) -> list[Target]:
    """Those of these names, in the order of the names; all that are active if there are none. NotFound names one that
    isn't there, Conflict one that is paused."""
    there = {each.name: each for each in await every(conn)}
    if not names:
        return [each for each in there.values() if each.state == ACTIVE]
    found = []
    for name in dict.fromkeys(names):
        if name not in there:
            raise NotFound(f"no target is named {name} (tianlu target list)")
        if there[name].state != ACTIVE:
            raise Conflict(f"target {name} is paused (tianlu target resume {name})")
        found.append(there[name])
    return found


async def add(conn: Connection, name: str, profile: Profile, *, by: str) -> Target:
    """Enter a target; a name in use is a Conflict."""
    if not NAME.fullmatch(name):
        raise Misconfigured(f"a target's name is made of letters, digits, dots, hyphens and underscores, not {name!r}")
    row = await conn.fetchrow(
        f"""insert into target (name, profile, made_by) values ($1, $2::text::jsonb, $3)
            on conflict (name) do nothing returning {COLUMNS}""",
        name,
        target.write(profile),
        by,
    )
    if row is None:
        raise Conflict(f"a target named {name} is there already")
    return _of_row(row)


async def change(conn: Connection, name: str, profile: Profile) -> Target:
    """Give it another profile."""
    row = await conn.fetchrow(
        f"update target set profile = $2::text::jsonb where name = $1 returning {COLUMNS}", name, target.write(profile)
    )
    if row is None:
        raise NotFound(f"no target is named {name} (tianlu target list)")
    return _of_row(row)


async def set_state(conn: Connection, name: str, state: str) -> None:
    """active or paused."""
    done = await conn.execute("update target set state = $2 where name = $1", name, state)
    if done.endswith(" 0"):
        raise NotFound(f"no target is named {name} (tianlu target list)")


async def remove(conn: Connection, name: str) -> None:
    """Forget it; what was copied from it stays."""
    done = await conn.execute("delete from target where name = $1", name)
    if done.endswith(" 0"):
        raise NotFound(f"no target is named {name} (tianlu target list)")


async def secret(conn: Connection, no: int) -> bytes | None:
    """Its password, sealed for `place(no)`."""
    found: bytes | None = await conn.fetchval("select secret from target where target = $1", no)
    return found


async def set_secret(conn: Connection, no: int, sealed: bytes | None) -> None:
    """Keep its password, sealed; None = it has none."""
    await conn.execute("update target set secret = $2 where target = $1", no, sealed)


def place(no: int) -> str:
    """What a target's password is sealed for."""
    return f"target:{no}"
