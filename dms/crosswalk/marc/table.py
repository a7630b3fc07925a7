"""Crosswalk tables read and checked; what they may say is told in the folder's docstring (pure)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

from config.errors import Misconfigured
from dms.crosswalk.marc import functions

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of a subfield."""

    to: str = ""  # target code; none = lost
    mark: str = ""  # closes what stands before it
    map: Mapping[str, str] | None = None  # the rule is for values that it has
    match: re.Pattern[str] | None = None  # the rule is for values that it finds
    after: str = ""  # the rule is for where one of these target codes stands before
    first: bool = False  # the rule is for the first of its code
    by: functions.Function | None = None
    words: tuple[str, str] = ("", "")  # around the value
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """Where a target's indicator, or a subfield of fixed text, comes from."""

    text: str = " "
    of: int = 0  # the source's indicator, 1 or 2, by `map`
    map: Mapping[str, str] | None = None
    by: functions.Reckoned | None = None


class Example(NamedTuple):
    """A source field in line notation (`1 $a…`) and the target fields with their tags (`245 10$a…`)."""

    given: str
    made: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What becomes of a field."""

    tags: tuple[str, ...]
    to: str
    head: str
    when: Mapping[str, str]
    ind: tuple[Indicator, Indicator]
    ind_head: tuple[Indicator, Indicator]
    single: str  # codes that are not repeatable
    order: str  # of the target's subfields; empty = as they come
    per: str
    more: bool  # a single subfield makes no field
    lead: tuple[tuple[str, Indicator], ...]
    add: tuple[tuple[str, Indicator], ...]
    take: Mapping[str, tuple[Rule, ...]]
    also: bool
    implied: tuple[str, str]  # values of the indicators that the target says otherwise
    lost: str
    reference: str
    example: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where characters of coded data go."""

    tag: str  # LDR for the leader; `007a`: of those of a tag the one that begins so
    code: str  # "" for a control field
    given: tuple[int, str]  # the position is for where one of these characters stands there; ("" = always)
    start: int
    end: int  # past the last; far away = all that there is
    to: str  # the name of a `Build`; "" = lost
    place: int
    under: bool  # what another position puts there counts more
    map: Mapping[str, str] | None  # of a position that is lost: the values that are not, because they can be reckoned
    each: bool  # the map is of characters
    kinds: str  # of records; empty = all
    lost: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Coded data that are put together from positions."""

    name: str  # 008, 100$a, 007c
    tag: str
    code: str  # "" for a control field
    ind: str
    text: str  # as it is before anything is put into it
    kinds: str
    always: bool  # made even if nothing was put into it
    trim: bool  # no longer than what was put into it


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A crosswalk."""

    rows: Mapping[str, tuple[Row, ...]]  # by source tag, those with `also` last
    positions: tuple[Position, ...]
    builds: tuple[Build, ...]
    control: Mapping[str, str]  # control field → field whose `*` is its value
    maps: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, Any]


@cache
def table(name: str) -> Table:
    """The crosswalk in the folder `name`. Raises `Misconfigured` with what is wrong in it."""
    told: dict[str, Any] = {"row": [], "position": [], "build": [], "control": {}, "map": {}, "settings": {}}
    for file in sorted(files("dms.crosswalk.marc").joinpath(name).iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            part = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise Misconfigured(f"crosswalk {name}/{file.name}: {error}") from error
        told["row"] += part.pop("row", [])
        told["position"] += part.pop("position", [])
        told["build"] += part.pop("build", [])
        told["control"].update(part.pop("control", {}))
        told["map"].update(part.pop("map", {}))
        told["settings"].update(part)
    rows: dict[str, list[Row]] = {}
    for each in told["row"]:
        row = _told(name, each, lambda one: _row(one, told["map"]))
        for tag in row.tags:
            rows.setdefault(tag, []).append(row)
    return Table(
        rows={tag: tuple(sorted(each, key=lambda row: row.also)) for tag, each in rows.items()},
        positions=tuple(_told(name, each, lambda one: _position(one, told["map"])) for each in told["position"]),
        builds=tuple(_told(name, each, _build) for each in told["build"]),
        control=told["control"],
        maps=told["map"],
        settings=told["settings"],
    )


def _told(name: str, each: dict[str, Any], make: Callable[[dict[str, Any]], T]) -> T:
    try:
        return make(dict(each))
    except (KeyError, TypeError, ValueError, IndexError, re.error) as error:
        raise Misconfigured(f"crosswalk {name}, {each.get('from')}: {error!r}") from error


def _row(told: dict[str, Any], maps: Mapping[str, Mapping[str, str]]) -> Row:
    tags = told.pop("from")
    ind = told.pop("ind", [" ", " "])
    row = Row(
        tags=(tags,) if isinstance(tags, str) else tuple(tags),
        to=told.pop("to", ""),
        head=told.pop("head", ""),
        when=told.pop("when", {}),
        ind=_indicators(ind),
        ind_head=_indicators(told.pop("ind_head", ind)),
        single=told.pop("single", ""),
        order=told.pop("order", ""),
        per=told.pop("per", ""),
        more=told.pop("more", False),
        lead=_fixed(told.pop("lead", [])),
        add=_fixed(told.pop("add", [])),
        take={
            **{code: (Rule(to=code),) for code in told.pop("copy", "")},
            **{code: _rules(each, maps) for code, each in told.pop("take", {}).items()},
        },
        also=told.pop("also", False),
        implied=_pair(told.pop("implied", ["", ""])),
        lost=told.pop("lost", ""),
        reference=told.pop("reference"),
        example=tuple(Example(each["in"], tuple(each["out"])) for each in told.pop("example", [])),
    )
    _nothing(told)
    if not (row.to or row.lost):
        raise ValueError("a row needs `to` or `lost`")
    return row


def _fixed(told: list[list[Any]]) -> tuple[tuple[str, Indicator], ...]:
    return tuple((code, _indicator(text) if isinstance(text, dict) else Indicator(text=text)) for code, text in told)


def _pair(told: list[str]) -> tuple[str, str]:
    first, second = told
    return first, second


def _indicators(told: list[Any]) -> tuple[Indicator, Indicator]:
    first, second = (_indicator(each) for each in told)
    return first, second


def _indicator(told: Any) -> Indicator:
    if isinstance(told, str):
        if told.startswith("@"):
            return Indicator(by=functions.RECKONED[told[1:]])
        if len(told) != 1:
            raise ValueError(f"an indicator is one character: {told!r}")
        return Indicator(text=told)
    given = dict(told)
    return Indicator(of=given.pop("of"), map=given)


def _rules(told: Any, maps: Mapping[str, Mapping[str, str]]) -> tuple[Rule, ...]:
    return tuple(_rule(each, maps) for each in (told if isinstance(told, list) else [told]))


def _rule(told: Any, maps: Mapping[str, Mapping[str, str]]) -> Rule:
    if isinstance(told, str):
        return Rule(to=told[0], mark=told[1:])
    given = dict(told)
    before, _, behind = given.pop("as", "*").partition("*")
    rule = Rule(
        to=given.pop("to", ""),
        mark=given.pop("mark", ""),
        map=maps[given.pop("map")] if "map" in given else None,
        match=re.compile(given.pop("match")) if "match" in given else None,
        after=given.pop("after", ""),
        first=given.pop("first", False),
        by=functions.FUNCTIONS[given.pop("by")] if "by" in given else None,
        words=(before, behind),
        lost=given.pop("lost", ""),
    )
    _nothing(given)
    if not (rule.to or rule.lost):
        raise ValueError("a rule needs `to` or `lost`")
    return rule


def _position(told: dict[str, Any], maps: Mapping[str, Mapping[str, str]]) -> Position:
    tag, _, code = told.pop("from").partition("$")
    start, end = told.pop("at", (0, 1 << 16))
    to, _, place = told.pop("to", "").partition("/")
    given, characters = told.pop("given", (0, ""))
    position = Position(
        tag=tag,
        code=code,
        given=(given, characters),
        start=start,
        end=end,
        to=to,
        place=int(place or 0),
        under=told.pop("under", False),
        map=maps[told.pop("map")] if "map" in told else None,
        each=told.pop("each", False),
        kinds=told.pop("kinds", ""),
        lost=told.pop("lost", ""),
        reference=told.pop("reference", ""),
    )
    _nothing(told)
    if not (position.to or position.lost):
        raise ValueError("a position needs `to` or `lost`")
    return position


def _build(told: dict[str, Any]) -> Build:
    name = told.pop("from")
    tag, _, code = name.partition("$")
    build = Build(
        name=name,
        tag=tag[:3],
        code=code,
        ind=told.pop("ind", "  "),
        text=told.pop("text", ""),
        kinds=told.pop("kinds", ""),
        always=told.pop("always", False),
        trim=told.pop("trim", False),
    )
    _nothing(told)
    return build


def _nothing(rest: Mapping[str, Any]) -> None:
    if rest:
        raise ValueError(f"unknown: {', '.join(rest)}")
