"""A profile of quality rules: read from TOML, and its layers made into what the rules run by.

    why = "the domain's rules for 2026"

    [levels]                # error (comes back), warning, note, off; an id beats a glob, a longer glob a shorter
    isbn-check-digit = "warning"
    "cnmarc-*" = "off"

    [mends]                 # mended on arrival, with a receipt of each change
    rules = ["isbn-*", "-isbn-hyphens"]     # -id or -glob takes away what stands before it, the domain's too

A library's profile stands on its domain's: what it doesn't name stays as the domain has it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from config.errors import Misconfigured
from dms.rules import catalogue
from dms.rules.model import Level, Profile

LARGEST = 200_000  # bytes of a file; the catalogue has some hundred rules
# What can be neither read nor described (decision 0009), or is a fault of ours: no profile changes these.
FIXED = frozenset({"unreadable", "cut-off", "not-a-record", "doctype", "no-description", "fault", "input-fault"})
_KEYS = {"why", "levels", "mends"}
_SIGNS = frozenset("*?[")


class BadProfile(Misconfigured):
    """A profile that can't be read, or that names what isn't there."""

    code = "bad-profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A profile as its author wrote it."""

    levels: Mapping[str, str]
    mends: tuple[str, ...]
    why: str = ""


def read(text: str) -> Told:
    """A profile from TOML. Raises `BadProfile` with what is wrong and the nearest that is right."""
    if len(text.encode()) > LARGEST:
        raise BadProfile(f"the profile is larger than {LARGEST:,} bytes")
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"no TOML: {error}") from error
    if unknown := sorted(tree.keys() - _KEYS):
        raise BadProfile(f"the profile has {', '.join(unknown)}; what it may have is {', '.join(sorted(_KEYS))}")
    levels = tree.get("levels", {})
    mends = tree.get("mends", {})
    why = tree.get("why", "")
    chosen = mends.get("rules", []) if isinstance(mends, dict) and mends.keys() <= {"rules"} else None
    if not isinstance(levels, dict) or not all(isinstance(level, str) for level in levels.values()):
        raise BadProfile('[levels] is a table: rule = "warning"')
    if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
        raise BadProfile('[mends] has a list: rules = ["isbn-*"]')
    if not isinstance(why, str):
        raise BadProfile("why is a text")
    told = Told(levels=levels, mends=tuple(chosen), why=why)
    resolve([told])
    for name in levels:
        _none_fixed(name)
    return told


def resolve(layers: Sequence[Told], name: str = "", version: int = 0) -> Profile:
    """What the rules run by: later layers over earlier ones. Raises `BadProfile`."""
    levels: dict[str, Level] = {}
    mends: dict[str, None] = {}
    for layer in layers:
        for pattern in sorted(layer.levels, key=_weight):
            level = _level(layer.levels[pattern])
            for rule in _named(pattern, catalogue.rules()):
                if rule not in FIXED:
                    levels[rule] = level
        for pattern in layer.mends:
            if pattern.startswith("-"):
                for rule in _named(pattern[1:], catalogue.rules()):
                    mends.pop(rule, None)
            else:
                fixes = {id_ for id_, rule in catalogue.rules().items() if rule.fix}
                mends |= dict.fromkeys(_named(pattern, fixes, "with a fix"))
    changed = {id_: level for id_, level in levels.items() if level != catalogue.rules()[id_].level}
    return Profile(name=name or "default", version=version, levels=changed, mends=frozenset(mends))


def written(levels: Mapping[str, str], mends: Sequence[str], why: str) -> str:
    """The same as TOML, which `read` takes."""
    lines = [f"why = {_text(why)}", "", "[levels]"]
    lines += [f"{_text(name)} = {_text(level)}" for name, level in sorted(levels.items())]
    lines += ["", "[mends]", f"rules = [{', '.join(map(_text, mends))}]", ""]
    return "\n".join(lines)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def digest(profile: Profile) -> bytes:
    """What it makes of a record is the same if and only if this is; empty of the default profile."""
    if not profile.levels and not profile.mends:
        return b""
    told = [sorted((id_, int(level)) for id_, level in profile.levels.items()), sorted(profile.mends)]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()


def _named(pattern: str, rules: Collection[str], what: str = "") -> list[str]:
    found = [id_ for id_ in rules if fnmatchcase(id_, pattern)] if _SIGNS & set(pattern) else []
    if pattern in rules:
        return [pattern]
    if not found:
        near = sorted(id_ for id_ in rules if id_.startswith(pattern.partition("-")[0].rstrip("*?")))[:5]
        wanted = f"no rule {what} is" if what else "no rule is"
        raise BadProfile(f"{wanted} named {pattern}" + (f"; near: {', '.join(near)}" if near else ""))
    return found


def _none_fixed(name: str) -> None:
    if name in FIXED:
        raise BadProfile(f"the level of {name} is fixed: such a record can't be kept (docs/decisions/0009)")


def _level(name: str) -> Level:
    try:
        return Level[name.upper()]
    except KeyError as error:
        raise BadProfile(f"{name} is no level: error, warning, note or off") from error


def _weight(pattern: str) -> tuple[bool, int, str]:
    """The order in which patterns are applied: globs by length, then ids."""
    return (not _SIGNS & set(pattern), len(pattern), pattern)
