"""Rows of a crosswalk and what they make of a record (pure).

A row says of which fields (`tag`, `when`) an `element` is made and of which subfields its `parts` are. A field makes an
element of its own; rows with `shared` put their parts into one element of the record. What no row takes can be told
(`left`): the crosswalk's loss.

    [[row]]
    tag = ["100", "700"]
    when = { ind1 = "01" }                 # characters allowed; a subfield's name: "" = absent, "*" = present
    element = "name[type=personal]"
    parts = [
        { to = "namePart", take = "abcq" },             # subfields joined with blanks
        { to = "role/roleTerm[type=text]", take = "e", each = true },   # an element for each subfield
        { to = "title", at = [35, 38], map = "languages" },             # positions of a control field or coded subfield
    ]
    reference = "MARC 21 to MODS 3.7 mapping (Library of Congress), name"
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from config.errors import Misconfigured
from dms import isbd
from dms.crosswalk import linked
from dms.crosswalk.elements import Element, path
from protocols import marc
from protocols.marc import Record

LEADER = "LDR"
_LINKING = "68"  # subfields that only say which fields belong together
NON_SORTING = "\x88\x89\x98\x9c"  # NSB and NSE as systems write them


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of what one element within the row's is made."""

    to: tuple[tuple[str, dict[str, str]], ...]  # empty = the row's own element
    take: str = ""  # subfield codes
    each: bool = False
    join: str = " "
    at: tuple[int, int] | None = None  # positions, of a control field, a leader or the one subfield in `take`
    map: str = ""  # name of a table in the file; values that it lacks are left out, unless it has "*"
    raw: bool = False  # ISBD marks stay
    text: str = ""  # a fixed text instead
    attribute: str = ""  # the value becomes this attribute of the element
    article: bool = False  # only the characters that do not file (indicator 2 of 245)
    without_article: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Of which fields an element is made."""

    tags: tuple[str, ...]
    element: tuple[tuple[str, dict[str, str]], ...]
    parts: tuple[Part, ...]
    when: Mapping[str, str]
    shared: bool
    once: bool  # only the first field that gives something
    apart: bool  # each subfield makes an element of its own
    linked: bool  # the tags are of linking fields: parts take their standard subfields (`linked`)
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A crosswalk."""

    rows: tuple[Row, ...]
    maps: Mapping[str, Mapping[str, str]]
    ignored: frozenset[str]  # tags whose loss is none, e.g. what only the system that wrote them understands
    groups: frozenset[str]  # elements where a field and its twin in another script are marked as one: altRepGroup


@cache
def table(name: str) -> Table:
    """The table `<name>.toml` of this folder. Raises `Misconfigured` with what is wrong in it."""
    told = tomllib.loads(files("dms.crosswalk").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    try:
        rows = tuple(_row(each) for each in told["row"])
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"crosswalk {name}: {error}") from error
    return Table(
        rows=rows,
        maps=told.get("map", {}),
        ignored=frozenset(told.get("ignored", ())),
        groups=frozenset(told.get("groups", ())),
    )


def _row(told: dict[str, Any]) -> Row:
    tags = told["tag"]
    return Row(
        tags=(tags,) if isinstance(tags, str) else tuple(tags),
        element=path(told["element"]),
        parts=tuple(_part(each) for each in told["parts"]),
        when=told.get("when", {}),
        shared=told.get("shared", False),
        once=told.get("once", False),
        apart=told.get("apart", False),
        linked=told.get("linked", False),
        reference=told.get("reference", ""),
    )


def _part(told: dict[str, Any]) -> Part:
    given = dict(told)
    to = given.pop("to", "")
    if "at" in given:
        first, end = given["at"]
        given["at"] = (first, end)
    return Part(to=path(to) if to else (), **given)


class Crossed:
    """A record's elements and what was taken of it."""

    def __init__(self, record: Record, table: Table, root: Element) -> None:
        self.root = root
        self._record = record
        self._table = table
        self._taken: set[tuple[int, str]] = set()  # (place of the field in the record, subfield code)
        self._shared: dict[str, Element] = {}
        self._spent: set[int] = set()  # rows with `once` that are done
        mates = _mates(record) if table.groups else {}
        for number, row in enumerate(table.rows):
            for place, tag, text in self._fields(row):
                for piece in _pieces(text) if row.apart else (text,):
                    if number not in self._spent and _fits(row.when, piece):
                        self._apply(number, row, place, tag, piece, mates)

    def left(self) -> Counter[str]:
        """What no row took, as `tag$code` (`tag` for control fields) and how often."""
        found: Counter[str] = Counter()
        for place, (tag, text) in enumerate(self._record.fields):
            if tag in self._table.ignored:
                continue
            if marc.is_control(tag):
                found.update([tag] if (place, "") not in self._taken else [])
            else:
                parts = marc.subfields(text)
                found.update(
                    f"{tag}${c}" for c, v in parts if v and c not in _LINKING and (place, c) not in self._taken
                )
        return found

    def _fields(self, row: Row) -> Iterator[tuple[int, str, str]]:
        if LEADER in row.tags:
            yield -1, LEADER, self._record.leader
        for place, (tag, text) in enumerate(self._record.fields):
            if tag in row.tags:
                yield place, tag, text
            elif tag == "880" and (link := marc.value(text, "6"))[:3] in row.tags:
                yield place, link[:3], text

    def _apply(self, number: int, row: Row, place: int, tag: str, text: str, mates: Mapping[str, str]) -> None:
        made = self._shared.get(row.element[0][0]) if row.shared else None
        if made is None:
            made = Element(row.element[0][0], dict(row.element[0][1]))
        top = made
        if len(row.element) > 1:
            made = made.child(row.element[1:])
        if row.linked:
            self._taken.update((place, code) for code, _ in marc.subfields(text))
            text = linked.standard(text)
        before = len(made.children), made.text, dict(made.attributes)
        for part in row.parts:
            self._part(made, part, place, tag, text)
        if made.is_empty() and (len(made.children), made.text, made.attributes) == before:
            return
        if top.name in self._table.groups and not row.shared and (group := mates.get(_link(tag, text))):
            made.attributes.setdefault("altRepGroup", group)
        if row.once:
            self._spent.add(number)
        if row.shared:
            self._shared[row.element[0][0]] = top
        if not any(top is child for child in self.root.children):
            self.root.children.append(top)

    def _part(self, made: Element, part: Part, place: int, tag: str, text: str) -> None:
        values = list(self._values(part, place, tag, text))
        for value in values:
            target = made.child(part.to) if part.to else made
            if part.attribute:
                target.attributes[part.attribute] = value
            else:
                target.text = f"{target.text} {value}".strip() if target.text and not part.to else value

    def _values(self, part: Part, place: int, tag: str, text: str) -> Iterator[str]:
        if part.text:
            yield part.text
            return
        control = tag == LEADER or marc.is_control(tag)
        told = [("", text)] if control else [(c, v) for c, v in marc.subfields(text) if c in part.take]
        self._taken.update((place, code) for code, _ in told)
        values = [value for _, value in told]
        if part.at:
            values = [value[part.at[0] : part.at[1]].strip(" |#^") for value in values]
        if (part.article or part.without_article) and values:
            skip = int(text[1]) if text[1:2].isdigit() else 0
            values[0] = values[0][:skip] if part.article else values[0][skip:]
        values = [value.translate(_NO_MARKS) for value in values]
        if not (part.raw or control):
            values = [isbd.plain(value) for value in values]
        if part.map:
            names = self._table.maps[part.map]
            values = [names.get(value, names.get("*", "")) for value in values]
        values = [value for value in values if value.strip()]
        if values:
            yield from (part.prefix + value.strip() for value in (values if part.each else [part.join.join(values)]))


_NO_MARKS = str.maketrans("", "", NON_SORTING)


def _pieces(text: str) -> list[str]:
    """The field's subfields, each as a field."""
    return [f"{text[:2]}{marc.DELIMITER}{code}{value}" for code, value in marc.subfields(text)]


def _fits(when: Mapping[str, str], text: str) -> bool:
    for name, wanted in when.items():
        if name in ("ind1", "ind2"):
            if text[int(name[3]) - 1 : int(name[3])] not in wanted:
                return False
        elif name.startswith("at"):  # a position of a control field or of a leader
            if text[int(name[2:]) : int(name[2:]) + 1] not in wanted:
                return False
        elif wanted in ("", "*"):
            if bool(marc.value(text, name)) != (wanted == "*"):
                return False
        elif not any(marc.value(text, name).startswith(each) for each in wanted.split("|")):
            return False
    return True


def _link(tag: str, text: str) -> str:
    """What a field shares with its twin in another script: tag and occurrence number in $6."""
    link = marc.value(text, "6")
    return f"{tag}-{link[4:6]}" if link[4:6].isdigit() and link[4:6] != "00" else ""


def _mates(record: Record) -> dict[str, str]:
    """A group number for every pair of a field and its 880 (MARC 21, appendix D)."""
    links = Counter(
        link
        for tag, text in record.fields
        if not marc.is_control(tag) and "\x1f6" in text
        if (link := _link(marc.value(text, "6")[:3] if tag == "880" else tag, text))
    )
    return {link: f"{number:02d}" for number, link in enumerate((k for k, n in links.items() if n > 1), 1)}
