"""Coded data by position: leaders and fields like 008 or UNIMARC's 100 put together of a record's positions (pure).

Few combinations of coded data are written in practice: what became of one is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dms.crosswalk.marc.table import Build, Position, Table
from dms.crosswalk.model import Fate, Loss
from protocols import marc
from protocols.marc import Record

LEADER = "LDR"
REMEMBERED = 50_000
NO_CODE = "the target has no such code"
_NOTHING = " |#^-"  # blank, not coded, and how systems write them
_FILL = "\x00"

Kind = Callable[[str], str]


def kind(leader: str) -> str:
    """The kind of 008 of a MARC 21 leader: Books, Serials, Computer files, maPs, Music, Visual materials or miXed
    (MARC 21, 008/18-34)."""
    type_, level = leader[6:7], leader[7:8]
    if type_ in "at":
        return "s" if level in "bis" else "b"
    return _KINDS.get(type_, "b")


_KINDS = {
    "m": "c",
    "e": "p",
    "f": "p",
    "c": "m",
    "d": "m",
    "i": "m",
    "j": "m",
    "g": "v",
    "k": "v",
    "o": "v",
    "r": "v",
    "p": "x",
}


class Coded(NamedTuple):
    """What became of a record's coded data."""

    leader: str
    made: tuple[tuple[str, str], ...]  # target fields
    taken: Mapping[str, tuple[tuple[str, str], ...]]  # by source tag: (code, where it went) of its coded subfields
    losses: Mapping[str, tuple[Loss, ...]]  # by source tag: what was lost of it


class Coder:
    """Applies the positions of a table."""

    def __init__(self, table: Table) -> None:
        self._builds = table.builds
        self._positions = table.positions
        self._kind_of_source: bool = table.settings.get("kind", "target") == "source"
        self._sources = tuple(dict.fromkeys((each.tag, each.code) for each in table.positions if each.tag != LEADER))
        self.tags = frozenset(tag for tag, _ in self._sources)
        self._known: dict[tuple[str, ...], Coded] = {}

    def code(self, record: Record) -> Coded:
        """The leader and coded fields of the target. Of a tag that is repeated the first counts."""
        firsts: dict[str, str] = {}
        for tag, text in record.fields:
            if tag in self.tags and tag not in firsts:
                firsts[tag] = text
        values = {
            (tag, code): (marc.value(firsts[tag], code) if code else firsts[tag]) if tag in firsts else ""
            for tag, code in self._sources
        }
        key = (record.leader[5:10], record.leader[17:20], *values.values())
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._code({**values, (LEADER, ""): record.leader.ljust(24)[:24]})
        return known

    def _code(self, values: Mapping[tuple[str, str], str]) -> Coded:
        leader = values[LEADER, ""]
        built: dict[str, list[str]] = {}
        taken: dict[tuple[str, str], list[str]] = {}
        losses: dict[str, list[Loss]] = {}
        kind_ = kind(leader)
        for own in (True, False):  # the leader first: it says of which kind the others are
            for each in self._positions:
                if (each.to == LEADER) is own and (not each.kinds or kind_ in each.kinds):
                    self._put(each, values[each.tag, each.code], built, taken, losses)
            if own and not self._kind_of_source:
                kind_ = kind(self._text(LEADER, built, kind_))
        made = [
            (each.tag, f"{each.ind}{marc.DELIMITER}{each.code}{text}" if each.code else text)
            for each in self._builds
            if each.name != LEADER and (not each.kinds or kind_ in each.kinds)
            if each.always or each.name in built
            if (text := _filled(each, built.get(each.name, [])))
        ]
        into: dict[str, list[tuple[str, str]]] = {}
        for (tag, code), to in taken.items():
            if to:
                into.setdefault(tag, []).append((code, ", ".join(dict.fromkeys(to))))
        return Coded(
            self._text(LEADER, built, kind_),
            tuple(made),
            {tag: tuple(each) for tag, each in into.items()},
            {tag: tuple(each) for tag, each in losses.items()},
        )

    def _text(self, name: str, built: Mapping[str, list[str]], kind_: str) -> str:
        for each in self._builds:
            if each.name == name and (not each.kinds or kind_ in each.kinds):
                return _filled(each, built.get(name, []))
        return " " * 24

    def _put(
        self,
        each: Position,
        source: str,
        built: dict[str, list[str]],
        taken: dict[tuple[str, str], list[str]],
        losses: dict[str, list[Loss]],
    ) -> None:
        told = source[each.start : each.end]
        if not source:
            return
        taken.setdefault((each.tag, each.code), [])
        if not told:
            return
        at = f"{each.code}/{each.start:02}" + (f"-{each.end - 1:02}" if 1 < each.end - each.start < 100 else "")
        lost = "" if not told.strip(_NOTHING) else each.lost
        if not lost and each.to:
            text, unknown = _mapped(each, told)
            if unknown:
                lost = NO_CODE
            if text:
                slots = built.setdefault(each.to, [])
                slots += [_FILL] * (each.place + len(text) - len(slots))
                slots[each.place : each.place + len(text)] = text
                where = f"{each.place:02}" + (f"-{each.place + len(text) - 1:02}" if len(text) > 1 else "")
                taken[each.tag, each.code].append(f"{each.to}/{where}")
        if lost:
            losses.setdefault(each.tag, []).append(Loss(each.tag, at, Fate.LOST, why=lost, value=told))


def _mapped(each: Position, told: str) -> tuple[str, bool]:
    """The target's characters, and whether some of the source's have no code there."""
    if each.map is None:
        return told, False
    if not each.each:
        text = each.map.get(told.strip() or " ")
        if text is None:
            text = each.map.get("*", "")
            return text, bool(told.strip(_NOTHING))
        return text, False
    characters = [each.map.get(character) for character in told]
    known = [character for character in characters if character and character != " "]
    unknown = any(got is None and own not in _NOTHING for got, own in zip(characters, told, strict=True))
    return "".join(known).ljust(len(told)), unknown


def _filled(each: Build, slots: list[str]) -> str:
    """The build's own text with what was put into it."""
    text = list(each.text)
    if each.trim:
        text = text[: len(slots)]
    text += [" "] * (len(slots) - len(text))
    for place, character in enumerate(slots):
        if character != _FILL:
            text[place] = character
    return "".join(text)
