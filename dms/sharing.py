"""What of a source is shared, as data (pure).

A profile is what `source.sharing` holds, all parts optional:

    level   all; holdings: matched, and its holdings are shown, nothing else; nothing: shown nowhere
    drop    fields and subfields that never leave this node: ["9..", "300$a"]
    hide    records that are shown nowhere: ["500$a=内部资料"], where any such field (subfield) contains the text
    items   true: item numbers (登录号) leave the node too

A tag is three letters or digits; a dot stands for any. Texts are compared as they are: no patterns, so that nobody can
write one that takes for ever. What goes for a field goes for its 880 (MARC 21, Appendix A) as well.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog import original
from catalog.model import Carrier, Source, Visibility
from config import errors
from dms import packed
from protocols import marc
from protocols.marc import Record

LEVELS = {"all": Visibility.PUBLIC, "holdings": Visibility.HOLDINGS, "nothing": Visibility.PRIVATE}
KEYS = ("level", "drop", "hide", "items")
MOST = 200  # entries of a list
LONGEST = 200  # characters of a text
_PART = re.compile(r"([0-9A-Za-z.]{3})(?:\$([0-9A-Za-z]+))?")


class BadProfile(errors.Misconfigured):
    """A sharing profile that can't be followed; the message names the place."""

    code = "bad-sharing-profile"


@dataclass(frozen=True, slots=True)
class Part:
    """Fields, or subfields of fields."""

    tag: str
    codes: str  # subfield codes; "" = the whole field

    def has(self, tag: str) -> bool:
        """Is this tag meant?"""
        return len(tag) == 3 and all(mine in (".", its) for mine, its in zip(self.tag, tag, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile, understood."""

    level: str = "all"
    drop: tuple[Part, ...] = ()
    hide: tuple[tuple[Part, str], ...] = ()
    items: bool = False

    @property
    def tags(self) -> frozenset[str] | None:
        """Tags that decide whether a record is hidden; None = any may."""
        if any("." in part.tag for part, _ in self.hide):
            return None
        return frozenset(tag for part, _ in self.hide for tag in (part.tag, "880"))


OPEN = Profile()


def profile(told: Mapping[str, object]) -> Profile:
    """The profile in a source's row. Raises BadProfile."""
    return _read(json.dumps(told, ensure_ascii=False, sort_keys=True)) if told else OPEN


@functools.lru_cache(maxsize=256)
def _read(text: str) -> Profile:
    told = json.loads(text)
    for key in told:
        if key not in KEYS:
            raise BadProfile(f"a sharing profile has no {key!r}; known are {', '.join(KEYS)}")
    level, items = told.get("level", "all"), told.get("items", False)
    if level not in LEVELS:
        raise BadProfile(f"a sharing profile has no level {level!r}; known are {', '.join(LEVELS)}")
    if not isinstance(items, bool):
        raise BadProfile(f"`items` of a sharing profile is true or false, not {items!r}")
    hide = []
    for entry in _list(told, "hide"):
        where, given, text = entry.partition("=")
        if not given or not text or len(text) > LONGEST:
            raise BadProfile(
                f"hidden records {entry!r}: write TAG=TEXT or TAG$CODE=TEXT, the text of 1 to {LONGEST} characters"
            )
        hide.append((part(where), text))
    return Profile(level=level, drop=tuple(map(part, _list(told, "drop"))), hide=tuple(hide), items=items)


def told(said: Profile) -> dict[str, object]:
    """The profile as `profile` reads it, all parts."""
    return {
        "level": said.level,
        "drop": [written(one) for one in said.drop],
        "hide": [f"{written(one)}={text}" for one, text in said.hide],
        "items": said.items,
    }


def written(one: Part) -> str:
    """What `part` read."""
    return f"{one.tag}${one.codes}" if one.codes else one.tag


def _list(told: Mapping[str, object], key: str) -> Sequence[str]:
    found = told.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > MOST:
        raise BadProfile(f"`{key}` of a sharing profile is a list of at most {MOST} texts, not {found!r}")
    return found


@functools.lru_cache(maxsize=4096)
def part(text: str) -> Part:
    """`TAG` or `TAG$CODES`. Raises BadProfile."""
    found = _PART.fullmatch(text)
    if found is None:
        raise BadProfile(f"{text!r} is no field: write TAG or TAG$CODE, like 9.. or 300$a")
    return Part(found[1], found[2] or "")


def digest(source: Source) -> bytes:
    """Of all that `visibility` asks of the source."""
    told = [int(source.visibility), source.sharing.get("level", "all"), source.sharing.get("hide", [])]
    return hashlib.blake2b(json.dumps(told, ensure_ascii=False).encode(), digest_size=8).digest()


# Visibilities that follow from a profile; the others have reasons of their own, which a profile doesn't change.
BY_PROFILE = (Visibility.PUBLIC, Visibility.PRIVATE, Visibility.HOLDINGS)


def of_kept(source: Source, raw: bytes, carrier: int, encoding: str) -> Visibility:
    """`visibility` of a record from its kept bytes."""
    if carrier == Carrier.PACKED:
        told = packed.of_payload("", raw)
        return visibility(source, told.record, packed.level(told))
    return visibility(source, original.record(raw, carrier, encoding))


def visibility(source: Source, record: Record, level: Visibility = Visibility.PUBLIC) -> Visibility:
    """Whether a record of the source may be shown, as far as its sharing goes.

    `level`: what the node that told us of the record said of it. The narrowest of all counts.
    """
    if source.visibility != Visibility.PUBLIC:
        return source.visibility
    if not source.sharing:
        return level
    said = profile(source.sharing)
    if said.level == "nothing" or (said.hide and _hidden(record, said)):
        return Visibility.PRIVATE
    return LEVELS[said.level] if level == Visibility.PUBLIC else level


def _hidden(record: Record, said: Profile) -> bool:
    return any(
        text in content and _is_meant(one, tag, content) and _contains(content, one.codes, text)
        for tag, content in record.fields
        for one, text in said.hide
    )


def _contains(content: str, codes: str, text: str) -> bool:
    return not codes or any(text in value for code in codes for value in marc.values(content, code))


def _is_meant(one: Part, tag: str, content: str) -> bool:
    """880 is meant with the field that it writes in another script."""
    return one.has(tag) or (tag == "880" and one.has(marc.value(content, "6")[:3]))


def reduced(record: Record, drop: Sequence[str]) -> Record:
    """The record without what is kept back; a field that loses all its subfields goes."""
    parts = [part(text) for text in drop]
    fields = []
    for tag, content in record.fields:
        meant = [one for one in parts if _is_meant(one, tag, content)]
        if not meant:
            fields.append((tag, content))
        elif all(one.codes for one in meant):
            lost = frozenset("".join(one.codes for one in meant))
            left = [(code, value) for code, value in marc.subfields(content) if code not in lost]
            if any(code != "6" for code, _ in left):
                fields.append((tag, marc.field(content[:2], left)))
    return Record(record.leader, tuple(fields))
