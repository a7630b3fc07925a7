"""Holdings out of records: which field is a copy, and what its subfields mean, as data.

A habit (holdings_shapes.toml) says how some kind of system writes its copies; a source's mapping replaces the habits of
its format. Mapping, all parts optional:

    fields      list of habits, the same keys as in holdings_shapes.toml
    libraries   symbol of a known library by the code that the `library` subfield holds
    implicit    false: a record without holdings fields says nothing; else its library holds one copy
    suppress    see dms.identity
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from catalog.model import Format
from config import errors
from protocols import marc

TABLE_FILE = Path(__file__).with_name("holdings_shapes.toml")

_EMBEDDED = re.compile(r"\|[a-z0-9]")  # a field quoted inside a subfield: |aHC102|b.D8
_CALL_NUMBER = re.compile(r"[A-Z]{1,4}\d[^\s]*[/ .]\S|\d{3}(\.\d+)?[/ ]\S")  # class and mark: F124/26, QA76 .S46
_LINK = marc.DELIMITER + "8"


class Copy(NamedTuple):
    """One copy or one statement of holdings: the parts of `catalog.model.Holding`, light because so many are made."""

    library: str
    call_number: str = ""
    item: str = ""
    location: str = ""
    status: str = ""
    note: str = ""
    origin: str = ""  # of a copy that another node told us of: whose record it was mapped from


class BadMapping(errors.Misconfigured):
    """A holdings mapping that can't be understood; the message names the place."""

    code = "bad-mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one kind of system writes a copy. Each text in a tuple is a set of subfield codes."""

    tag: str
    requires: tuple[str, ...] = ()
    library: str = ""
    item: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    call_number: tuple[str, ...] = ()
    separator: str = " "
    location: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    skip: tuple[tuple[str, str], ...] = ()  # (code, value)
    clear: tuple[str, ...] = ()
    statement: bool = False
    habit: str = ""


def holdings(record: marc.Record, mapping: Mapping[str, object], library: str, fmt: Format) -> tuple[Copy, ...]:
    """Copies and statements that `record` tells of, in field order, without repeats. Raises BadMapping.

    They belong to `library` (the loading one) unless the mapping's `libraries` knows the code in the library subfield.
    """
    habits = _mapped(mapping) or builtin(fmt)
    symbols = mapping.get("libraries")
    holders = _Holders(library, symbols if isinstance(symbols, dict) else {})
    implied = mapping.get("implicit", True) is not False
    fields = [_Field(habits[tag], tag, text) for tag, text in record.fields if tag in habits]
    if not fields:
        return (Copy(library),) if implied else ()
    rows = _best(habits, fields, holders)
    told = _statements(fields, holders)
    if told:
        places = {(row.location, row.call_number) for row in told}
        rows = [row for row in rows if row.item or row.note or (row.location, row.call_number) not in places]
        rows += told
    if not rows and implied and not _all_gone(fields):
        rows = [Copy(library)]
    return tuple(dict.fromkeys(rows)) if len(rows) > 1 else tuple(rows)


def tags(mapping: Mapping[str, object], fmt: Format) -> frozenset[str]:
    """Tags that `holdings` reads: what a caller must keep of a record. Raises BadMapping."""
    return frozenset(_mapped(mapping) or builtin(fmt))


@functools.cache
def builtin(fmt: Format) -> dict[str, tuple[Habit, ...]]:
    """The habits of a format by tag, in the order of the table."""
    table = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    return _by_tag(habit(entry) for entry in table[fmt.name.lower()])


def habit(entry: Mapping[str, object]) -> Habit:
    """A habit from a table of a TOML file or a mapping. Raises BadMapping."""
    known = set(Habit.__slots__)
    for key in entry:
        if key not in known:
            raise BadMapping(f"Holdings mapping: unknown key {key!r}; known are {', '.join(sorted(known))}.")
    tag = entry.get("tag")
    if not isinstance(tag, str) or len(tag) != 3:
        raise BadMapping(f"Holdings mapping: every entry of `fields` needs a `tag` of three characters, not {tag!r}.")
    lists = {key: _texts(tag, key, entry[key]) for key in _LISTS if key in entry}
    conditions = _texts(tag, "skip", entry.get("skip", ()))
    return Habit(
        tag=tag,
        library=str(entry.get("library", "")),
        separator=str(entry.get("separator", " ")),
        statement=bool(entry.get("statement", False)),
        habit=str(entry.get("habit", "")),
        skip=tuple((code, value) for code, _, value in (c.partition("=") for c in conditions)),
        **lists,
    )


def entry(one: Habit) -> dict[str, object]:
    """The table that `habit` makes this of: what a source's mapping can hold."""
    told: dict[str, object] = {"tag": one.tag}
    told |= {key: list(codes) for key in _LISTS if (codes := getattr(one, key))}
    told |= {key: value for key in ("library", "habit") if (value := getattr(one, key))}
    told |= {"skip": [f"{code}={value}" for code, value in one.skip]} if one.skip else {}
    return told | {"separator": one.separator, "statement": one.statement}


_LISTS = ("requires", "item", "full", "call_number", "location", "status", "note", "clear")


def _texts(tag: str, key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise BadMapping(f"Holdings mapping of {tag}: `{key}` must be a list of texts, not {value!r}.")


def _by_tag(habits: Iterable[Habit]) -> dict[str, tuple[Habit, ...]]:
    found: dict[str, tuple[Habit, ...]] = {}
    for one in habits:
        found[one.tag] = (*found.get(one.tag, ()), one)
    return found


def _mapped(mapping: Mapping[str, object]) -> dict[str, tuple[Habit, ...]]:
    fields = mapping.get("fields")
    return _read(msgspec.msgpack.encode(fields)) if fields else {}


@functools.lru_cache(maxsize=256)
def _read(packed: bytes) -> dict[str, tuple[Habit, ...]]:
    """The habits of a mapping's `fields`, packed because that is what a cache can know them by."""
    fields = msgspec.msgpack.decode(packed)
    if not isinstance(fields, list) or not all(isinstance(one, dict) for one in fields):
        raise BadMapping(f"Holdings mapping: `fields` must be a list of tables, not {fields!r}.")
    return _by_tag(habit(one) for one in fields)


@dataclass(frozen=True, slots=True)
class _Holders:
    """Whose copies they are: the library that loads, unless a known symbol stands for the code in the field."""

    library: str
    known: Mapping[str, str]


class _Field:
    """A field that may name copies. `habit` is the first that it can be an instance of."""

    __slots__ = ("_once", "_values", "habit", "parts", "tag", "text")

    def __init__(self, habits: Sequence[Habit], tag: str, text: str) -> None:
        self.tag = tag
        self.text = text
        self.parts = text.split(marc.DELIMITER)[1:]  # code and value
        self._once = {part[0]: part[1:] for part in self.parts if part}
        self._values: dict[str, list[str]] | None = None
        if len(self._once) < len(self.parts):  # nearly every field has each code once
            self._values = {code: [] for code in self._once}
            for part in self.parts:
                if clean := _clean(part[1:]):
                    self._values[part[0]].append(clean)
        self.habit = _habit_of(habits, self.parts)

    def values(self, code: str) -> Sequence[str]:
        """Values of a subfield, cleaned, the empty ones left out."""
        if self._values is not None:
            return self._values.get(code, ())
        value = self._once.get(code)
        return (clean,) if value and (clean := _clean(value)) else ()

    def first(self, code: str) -> str:
        """The first value of a subfield."""
        found = self.values(code)
        return found[0] if found else ""

    def joined(self, codes: str, separator: str) -> str:
        """Values of `codes`, in the order of the codes and then of the field, without repeats."""
        if self._values is None:
            once = self._once
            found = [clean for code in codes if (value := once.get(code)) and (clean := _clean(value))]
        else:
            found = [value for code in codes for value in self._values.get(code, ())]
        return separator.join(dict.fromkeys(found)) if len(found) > 1 else found[0] if found else ""

    def first_set(self, sets: Sequence[str], separator: str) -> str:
        """The first of several sets of subfields that holds anything."""
        for codes in sets:
            if value := self.joined(codes, separator):
                return value
        return ""

    def gone(self, habit: Habit) -> bool:
        """The copy is marked as no longer there."""
        return bool(habit.skip) and any(
            v.strip() == value for code, value in habit.skip for v in marc.values(self.text, code)
        )


def _habit_of(habits: Sequence[Habit], parts: Sequence[str]) -> Habit | None:
    """The first habit that a field with these subfields can be an instance of."""
    codes: set[str] | None = None
    for one in habits:
        if not one.requires:
            return one
        codes = codes or {part[0] for part in parts if len(part) > 1}
        for need in one.requires:
            if codes.issuperset(need):
                return one
    return None


def _best(habits: Mapping[str, Sequence[Habit]], fields: Sequence[_Field], holders: _Holders) -> list[Copy]:
    """Rows of the first tag in table order whose fields name items, else of the first that gives any row."""
    by_tag: dict[str, list[_Field]] = {}
    for field in fields:
        by_tag.setdefault(field.tag, []).append(field)
    first: list[Copy] = []
    for tag in habits if len(by_tag) > 1 else by_tag:
        rows: list[Copy] = []
        for field in by_tag.get(tag, ()):
            if field.habit and not field.habit.statement:
                rows += _rows(field.habit, field, holders)
        if any(row.item for row in rows):
            return rows
        first = first or rows
    return first


def _rows(one: Habit, field: _Field, holders: _Holders) -> list[Copy]:
    """A field's copies: one for each item number, or one without."""
    if field.gone(one):
        return []
    holder = holders.known.get(field.first(one.library), holders.library) if one.library else holders.library
    call_number = _call_number(one, field)
    location = field.first_set(one.location, " ")
    status = field.first_set(one.status, " ")
    if status in one.clear:
        status = ""
    note = "; ".join([v for codes in one.note if (v := field.joined(codes, " "))])
    return [Copy(holder, call_number, item, location, status, note) for item in _items(one, field) or ("",)]


def _items(one: Habit, field: _Field) -> Sequence[str]:
    """Item numbers in field order."""
    if len(one.item) == 1:
        return field.values(one.item[0])
    return [value for part in field.parts if part[:1] in one.item and (value := _clean(part[1:]))]


def _all_gone(fields: Sequence[_Field]) -> bool:
    """Every copy that the record names is marked as no longer there."""
    found = [(field.habit, field) for field in fields if field.habit]
    return bool(found) and all(field.gone(habit) for habit, field in found)


def _call_number(one: Habit, field: _Field) -> str:
    parts = field.first_set(one.call_number, one.separator)
    for code in one.full:
        if whole := field.first(code):
            shelf_class = field.first_set([codes[:1] for codes in one.call_number], "")
            if whole.startswith(shelf_class) if shelf_class else _CALL_NUMBER.match(whole):
                return whole if len(whole) >= len(parts) else parts
    return parts


def _statements(fields: Sequence[_Field], holders: _Holders) -> list[Copy]:
    """Textual holdings, each with the place and call number of its 852: the one with the same $8, or the only one."""
    told = [
        (field.text, row) for field in fields if field.habit and field.habit.statement
        for row in _rows(field.habit, field, holders)
    ]  # fmt: skip
    if not told:
        return []
    places = [
        (field.text, row) for field in fields if field.tag == "852" and field.habit
        for row in _rows(field.habit, field, holders)[:1]
    ]  # fmt: skip
    return [_placed(text, row, places) for text, row in told]


def _placed(text: str, row: Copy, places: Sequence[tuple[str, Copy]]) -> Copy:
    link = _link(text)
    same = [place for other, place in places if link and _link(other) == link]
    if not same and len(places) == 1:
        same = [places[0][1]]
    if not same:
        return row
    return Copy(
        library=same[0].library,
        call_number=row.call_number or same[0].call_number,
        location=row.location or same[0].location,
        note=row.note,
    )


def _link(text: str) -> str:
    """The link number of $8 (MARC 21, Appendix A, control subfields): "1.3" belongs to 1; 0 links nothing."""
    number = marc.value(text, "8").partition(".")[0].partition("\\")[0] if _LINK in text else ""
    return "" if number == "0" else number


def _clean(value: str) -> str:
    if value.isalnum():
        return value  # most item numbers and locations
    if "|" in value:
        value = _EMBEDDED.sub(" ", value)
    return " ".join(value.split())
