"""Coded data by position: leaders and fields like 008 or UNIMARC's 100 put together of a record's positions (pure).

Most values of coded data are met again: what became of one is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from dms.crosswalk.marc import table as tables
from dms.crosswalk.marc.table import Build, Position, Table
from dms.crosswalk.model import Fate, Loss
from protocols.marc import DELIMITER, Record

LEADER = "LDR"
REMEMBERED = 100_000
NO_CODE = "the target has no such code"
LESS = "the target's code says less"
_NOTHING = " |#^-"  # blank, not coded, and how systems write them
_NONE = _NOTHING + "y"  # UNIMARC's word for none
_ALL = 100  # positions: more than any coded field has
_EVERY = "bscpmvx"  # kinds of records


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
    """What became of a record's coded data. Of a tag whose fields differ by kind the first character is in its name."""

    leader: str
    made: tuple[tuple[str, str], ...]  # target fields
    taken: Mapping[str, tuple[tuple[str, str], ...]]  # by source tag: (code, where it went) of its coded subfields
    losses: Mapping[str, tuple[Loss, ...]]  # by source tag: what was lost of it, where it is not kept beside


class _Put(NamedTuple):
    """Characters on their way into a build."""

    to: str
    place: int
    text: str
    where: str  # the same for the report
    under: bool  # what is there counts more


_Piece = tuple[int, str]  # place, characters
_Built = dict[str, list[_Piece]]  # what is put into each build


class _Source(NamedTuple):
    """What becomes of one coded subfield or field."""

    puts: tuple[tuple[str, tuple[_Piece, ...]], ...]  # into each build
    under: tuple[tuple[str, _Piece], ...]  # into builds, where what is there counts more
    to: str  # where it went, for the report
    losses: tuple[Loss, ...]


class _Way:
    """The positions of one coded subfield for one kind of record: those copied, of which there are as many as dates,
    and the others, whose values are met again."""

    def __init__(self, positions: Sequence[Position]) -> None:
        copied = [each for each in positions if each.to and each.map is None and not each.given[1]]
        self.copied = tuple((each.start, each.end, each.to, each.place) for each in copied)
        self.where = tuple(f"{each.to}/{each.place:02}" + _last(each.place, each.end - each.start) for each in copied)
        self.others = tuple(each for each in positions if each not in copied)
        asked = [each.given[0] for each in self.others if each.given[1]]
        slices = [*(slice(each.start, each.end) for each in self.others), *(slice(at, at + 1) for at in asked)]
        self.pick: Callable[[str], object] = itemgetter(*slices) if slices else len
        self.known: dict[object, _Source] = {}


class _Field(NamedTuple):
    """A coded subfield, or a control field."""

    code: str
    mark: str  # the delimiter and its code; "" for a control field
    way: _Way


class _Order(NamedTuple):
    """The builds of one kind of record."""

    builds: Sequence[Build]
    places: Mapping[str, int]  # in the order of the table, by name; without the leader
    always: frozenset[int]  # places of those that are always made
    leader: Build

    @classmethod
    def of(cls, builds: Sequence[Build]) -> _Order:
        places = {each.name: at for at, each in enumerate(builds) if each.name != LEADER}
        always = frozenset(at for at, each in enumerate(builds) if each.always and each.name != LEADER)
        return cls(builds, places, always, next(each for each in builds if each.name == LEADER))


class Coder:
    """Applies the positions of a table."""

    def __init__(self, table: Table) -> None:
        self._order = {own: _Order.of([each for each in table.builds if own in (each.kinds or own)]) for own in _EVERY}
        self._positions: dict[tuple[str, str, str], list[Position]] = {}
        for each in table.positions:
            for kind in each.kinds or _EVERY:
                self._positions.setdefault((each.tag, each.code, kind), []).append(each)
        self._kind_of_source: bool = table.settings.get("kind", "target") == "source"
        self._codes: dict[str, list[str]] = {}
        for each in table.positions:
            if each.tag != LEADER and each.code not in self._codes.setdefault(each.tag, []):
                self._codes[each.tag].append(each.code)
        self.tags = frozenset(self._codes)
        self.parted = frozenset(tag[:3] for tag in self._codes if len(tag) > 3)  # tags whose fields differ by kind
        self._beside: frozenset[str] = frozenset(table.settings.get("beside", ()))
        self._back: dict[tuple[str, int, str, int], list[Position]] = {}
        if back := table.settings.get("back"):
            for each in tables.table(back).positions:
                self._back.setdefault((_name(each), each.start, each.to, each.place), []).append(each)
        ways = {key: _Way(positions) for key, positions in self._positions.items()}
        self._leader_ways = {own: ways[LEADER, "", own] for own in _EVERY if (LEADER, "", own) in ways}
        self._fields = {
            own: {
                tag: tuple(
                    _Field(code, DELIMITER + code if code else "", ways[tag, code, own])
                    for code in codes
                    if (tag, code, own) in ways
                )
                for tag, codes in self._codes.items()
            }
            for own in _EVERY
        }
        self._leaders: dict[tuple[object, ...], str] = {}  # by kind and what is put into them
        self._carries: dict[tuple[int, str, str], tuple[_Put | None, str]] = {}

    def code(self, record: Record) -> Coded:
        """The leader and coded fields of the target. Of a tag that is repeated the first counts."""
        leader = record.leader.ljust(24)[:24]
        own = kind(leader)
        built: _Built = {}
        losses: dict[str, tuple[Loss, ...]] = {}
        if way := self._leader_ways.get(own):
            source = self._source(way, LEADER, "", leader, own, built)
            if source.losses:
                losses[LEADER] = source.losses
        if not self._kind_of_source:
            own = kind(self._leader(own, built))
        fields, parted = self._fields[own], self.parted
        taken: dict[str, tuple[tuple[str, str], ...]] = {}
        for tag, text in record.fields:
            if tag in parted:
                if any(known[:3] == tag for known in taken):
                    continue
                tag += text[:1]
            coded = fields.get(tag)
            if coded is None or tag in taken:
                continue
            into: list[tuple[str, str]] = []
            for code, mark, way in coded:
                value = text.partition(mark)[2].partition(DELIMITER)[0] if mark else text
                if not value:
                    continue
                source = self._source(way, tag, code, value, own, built)
                if source.to:
                    into.append((code, source.to))
                if source.losses and tag[:3] not in self._beside:
                    losses[tag] = losses.get(tag, ()) + source.losses
            taken[tag] = tuple(into)
        made: list[tuple[str, str]] = []
        builds, places, always, _ = self._order[own]
        for at in sorted(always.union([places[name] for name in built if name in places])):
            each = builds[at]
            text = _filled(each, built.get(each.name, ()))
            if not text:
                continue
            told = f"{DELIMITER}{each.code}{text}" if each.code else text
            if each.code and made and made[-1][0] == each.tag:
                made[-1] = (each.tag, made[-1][1] + told)  # another subfield of it
            else:
                made.append((each.tag, each.ind + told if each.code else told))
        return Coded(self._leader(own, built), tuple(made), taken, losses)

    def _leader(self, own: str, built: _Built) -> str:
        """The target's leader, with what has been put into it so far."""
        key = (own, *built.get(LEADER, ()))
        known = self._leaders.get(key)
        if known is None:
            if len(self._leaders) >= REMEMBERED:
                self._leaders.clear()
            known = self._leaders[key] = _filled(self._order[own].leader, built.get(LEADER, ()))
        return known

    def _source(self, way: _Way, tag: str, code: str, value: str, own: str, built: _Built) -> _Source:
        """Put a value where it goes."""
        key = way.pick(value)
        source = way.known.get(key)
        if source is None:
            if len(way.known) >= REMEMBERED:
                way.known.clear()
            source = way.known[key] = self._put(way, tag, code, value, own)
        for to, puts in source.puts:
            if to in built:
                built[to] += puts
            else:
                built[to] = list(puts)
        for to, put in source.under:
            built.setdefault(to, []).insert(0, put)
        for start, end, to, place in way.copied:
            if text := value[start:end]:
                if to in built:
                    built[to].append((place, text))
                else:
                    built[to] = [(place, text)]
        return source

    def _put(self, way: _Way, tag: str, code: str, value: str, own: str) -> _Source:
        puts: list[_Put] = []
        to = dict.fromkeys(way.where)
        losses: list[Loss] = []
        for each in way.others:
            told = value[each.start : each.end]
            place, wanted = each.given
            if not told or (wanted and value[place : place + 1] not in tuple(wanted)):
                continue
            lost = each.lost if told.strip(_NOTHING) and told not in (each.map or ()) else ""
            if each.to:
                put, lost = self._carried(each, told, own)
                if put:
                    puts.append(put)
                    to[put.where] = None
            if lost:
                at = f"{code}/{each.start:02}{_last(each.start, each.end - each.start)}"
                losses.append(Loss(tag, at, Fate.LOST, why=lost, value=told))
        into: dict[str, list[_Piece]] = {}
        for put in puts:
            if not put.under:
                into.setdefault(put.to, []).append((put.place, put.text))
        return _Source(
            tuple((name, tuple(told)) for name, told in into.items()),
            tuple((put.to, (put.place, put.text)) for put in puts if put.under),
            ", ".join(sorted(to)),
            tuple(losses),
        )

    def _carried(self, each: Position, told: str, own: str) -> tuple[_Put | None, str]:
        """The characters of one position on their way, and why some of what they say is lost."""
        key = (id(each), told, own)  # positions live as long as their table
        known = self._carries.get(key)
        if known is None:
            if len(self._carries) >= REMEMBERED:
                self._carries.clear()
            text, unknown = _mapped(each, told)
            lost = NO_CODE if unknown else LESS if self._says_less(each, told, text, own) else ""
            last = _last(each.place, len(text))
            put = (
                _Put(each.to, each.place, text, f"{each.to}/{each.place:02}{last}", each.under)
                if text.strip() or (text and not each.each)
                else None
            )
            known = self._carries[key] = (put, lost)
        return known

    def _says_less(self, each: Position, told: str, text: str, own: str) -> bool:
        """Whether the opposite crosswalk makes another code of it."""
        if each.map is None or not told.strip(_NOTHING):
            return False
        for back in self._back.get((each.to, each.place, _name(each), each.start), ()):
            if own in (back.kinds or own):
                returned, _ = _mapped(back, text)
                return returned.strip(_NONE).upper() != told.strip(_NONE).upper()
        return False


def _name(each: Position) -> str:
    """What a position is read from, as builds are named."""
    return f"{each.tag}${each.code}" if each.code else each.tag


def _last(place: int, length: int) -> str:
    """The end of a run of positions, as it is written."""
    return f"-{place + length - 1:02}" if 1 < length < _ALL else ""


def _mapped(each: Position, told: str) -> tuple[str, bool]:
    """The target's characters, and whether some of the source's have no code there."""
    if each.map is None:
        return told, False
    if not each.each:
        code = told.strip() or " "
        text = each.map.get(code) or (each.map.get(code.upper()) if len(code) > 1 else None)
        if text is None:
            text = each.map.get("*", "")
            return text, bool(told.strip(_NOTHING)) and len(each.map) > 1
        return text, False
    characters = [each.map.get(character) for character in told]
    known = [character for character in characters if character and character != " "]
    unknown = any(got is None and own not in _NOTHING for got, own in zip(characters, told, strict=True))
    return "".join(known).ljust(len(told)), unknown


def _filled(each: Build, puts: Sequence[tuple[int, str]]) -> str:
    """The build's own text with what was put into it, later over earlier."""
    text = each.text
    end = max([place + len(put) for place, put in puts], default=0)
    if each.trim:
        text = text[:end]
    text = text.ljust(end)
    for place, put in puts:
        text = text[:place] + put + text[place + len(put) :]
    return text
