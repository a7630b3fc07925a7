"""Mapping templates: what a column of a table becomes in a MARC record, as data (TOML; docs/templates.md) (pure).

    name, format        "marc21" or "cnmarc"
    leader              24 characters, a value
    require             columns a header row must have; "isbn|issn" = one of them
    header              false: there is no header row, columns are named by letters
    rest                tag in which columns that the template doesn't know are kept: $a name, $b cell
    id                  columns that name the record, the first that has a value; "a+b" = both; "a+b|c" = both,
                        in tables that have a column c, and never the same name as of one column alone
    same                columns in which rows of the same title agree: anywhere in the table if the first of them is
                        an `id`, else in neighbouring rows; such rows are one record
    copy                columns that tell of a copy: fields of them are written for every row of a title
    [columns]           key = names in the header ("@C" = the third column), or a table with `names` and
                        `split` (signs between several values in a cell) and `need` (a row without it comes back)
    [maps.NAME]         values by what stands in a cell
    [[fields]]          tag, indicators, and `value` (control fields) or `subfields`, by code; `each` = a column: one
                        field for each of its values, `only` = which: first, others, primary, secondary

A value is a column's key; or a table: `column` (or several, the first that has something counts), `read` (readings;
"a|b" = of the first column a, of the second b, and the first that reads anything counts), `map`, `before`, `after`,
`join`, `default`; or `text`, which is constant, or with `when` = columns written only where one of these has something;
or `given`, which the load knows (`library`: its symbol); or a list of these, written one behind the other (blanks and
semicolons at its ends go, unless a part has a default: then every position counts). A field in which no column had a
value is left out, if a value in it comes from a column at all and it is not to be there `always`; so is one that is
`aside` and would only say what the record is named by.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from config.errors import Misconfigured
from protocols.tables.readings import READINGS

READY = Path(__file__).with_name("ready")
FORMATS = ("marc21", "cnmarc")
APART = "|"  # between the parts of a name
GIVEN = ("library",)
ONLY = ("", "first", "others", "primary", "secondary")


class BadTemplate(Misconfigured):
    """A template that can't be understood; the message names the place."""

    code = "bad-template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that the template knows."""

    names: tuple[str, ...]
    split: str = ""  # every character of it divides
    need: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a value: what a column holds, or constant text."""

    columns: tuple[str, ...] = ()
    text: str = ""
    given: str = ""  # what the load knows, of GIVEN
    when: tuple[str, ...] = ()
    read: str = "plain"
    map: str = ""
    before: str = ""
    after: str = ""
    join: str = ""  # between several values of a cell; "" = a subfield each
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field to write. Of a control field `subfields` has one entry, with the code ""."""

    tag: str
    indicators: str = "  "
    subfields: tuple[tuple[str, tuple[Part, ...]], ...]
    each: str = ""
    only: str = ""
    always: bool = False  # even if no column had something
    aside: bool = False  # not if it says the record's name and no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A whole template; `digest` is of its text."""

    name: str
    format: str
    leader: tuple[Part, ...]
    require: tuple[tuple[str, ...], ...]
    header: bool = True
    rest: str
    id: tuple[tuple[str, ...], ...]
    same: tuple[tuple[str, ...], ...] = ()
    copy: tuple[str, ...] = ()
    columns: Mapping[str, Column]
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fields: tuple[Field, ...]
    digest: bytes = b""


def within(template: Template, keys: Collection[str]) -> tuple[Field, ...]:
    """The fields that a table with these columns may fill, without the subfields that it never will."""
    found = []
    for each in template.fields:
        asked = {key for _, parts in each.subfields for part in parts for key in part.columns}
        if asked and asked.isdisjoint(keys) and not each.always:
            continue
        left = tuple(
            (code, parts)
            for code, parts in each.subfields
            if len(parts) > 1 or not parts[0].columns or parts[0].default or not set(parts[0].columns).isdisjoint(keys)
        )
        found.append(replace(each, subfields=left))
    return tuple(found)


@cache
def ready() -> dict[str, Template]:
    """The templates that come with a node, by name."""
    found = [parse(path.read_text("utf-8"), path.name) for path in sorted(READY.glob("*.toml"))]
    return {each.name: each for each in found}


def named(text: str) -> Template:
    """A ready template by its name, or the template whose text this is. Raises BadTemplate."""
    if "\n" in text or "=" in text:
        return parse(text, "template")
    if text not in ready():
        raise BadTemplate(f"no template is named {text!r}; ready ones: {', '.join(ready())}")
    return ready()[text]


def parse(text: str, where: str) -> Template:
    """A template of its text. Raises BadTemplate, which names `where`."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTemplate(f"{where}: {error}") from error
    try:
        return _template(told, hashlib.sha256(text.encode()).digest())
    except BadTemplate as error:
        raise BadTemplate(f"{where}: {error}") from error


def _template(told: Mapping[str, object], digest: bytes) -> Template:
    _known(
        "the template",
        told,
        {"name", "title", "format", "leader", "require", "header", "rest", "id", "same", "copy", "columns", "maps"}
        | {"fields"},
    )
    columns = {key: _column(key, value) for key, value in _table("columns", told.get("columns")).items()}
    maps = {
        name: {key: _text(f"maps.{name}", value) for key, value in _table(f"maps.{name}", rows).items()}
        for name, rows in _table("maps", told.get("maps", {})).items()
    }
    fields = tuple(_field(each, columns, maps) for each in _tables("fields", told.get("fields")))
    made = Template(
        name=_text("name", told.get("name")),
        format=_text("format", told.get("format")),
        leader=_leader(told.get("leader"), columns, maps),
        require=tuple(tuple(each.split("|")) for each in _texts("require", told.get("require"))),
        header=told.get("header", True) is True,
        rest=_text("rest", told.get("rest")),
        id=tuple(_id(each) for each in _texts("id", told.get("id", []))),
        same=tuple(tuple(each.split("+")) for each in _texts("same", told.get("same", []))),
        copy=_texts("copy", told.get("copy", [])),
        columns=columns,
        maps=maps,
        fields=fields,
        digest=digest,
    )
    if made.format not in FORMATS:
        raise BadTemplate(f"format is {made.format!r}, not one of {', '.join(FORMATS)}")
    if len(made.rest) != 3 or not made.rest.startswith("9"):
        raise BadTemplate(f"rest is {made.rest!r}, not a local tag 9XX")
    if not made.require:
        raise BadTemplate("require is empty: a header row could not be told from any other row")
    for key in (key for group in (*made.require, *made.id, *made.same, made.copy) for key in group):
        _one_of("require, id, same and copy", key.removeprefix(APART), columns)
    return made


def _id(said: str) -> tuple[str, ...]:
    """Columns that name a record; behind them, with a bar before it, the column that a table must have."""
    keys, bar, needed = said.partition(APART)
    return (*keys.split("+"), APART + needed) if bar else tuple(keys.split("+"))


def _leader(value: object, columns: Mapping[str, Column], maps: Mapping[str, object]) -> tuple[Part, ...]:
    """A constant is a text here, not a column's key."""
    parts = _parts("leader", {"text": value} if isinstance(value, str) else value, columns, maps)
    wide = sum(len(part.text or part.default) for part in parts)
    if wide != 24:
        raise BadTemplate(f"the leader has {wide} characters, not 24 (a column in it needs a default)")
    return parts


def _column(key: str, value: object) -> Column:
    if not isinstance(value, dict):
        return Column(names=_texts(f"columns.{key}", value))
    _known(f"columns.{key}", value, {"names", "split", "need"})
    return Column(
        names=_texts(f"columns.{key}", value.get("names")),
        split=_text(f"columns.{key}.split", value.get("split", "")),
        need=value.get("need", False) is True,
    )


def _field(told: Mapping[str, object], columns: Mapping[str, Column], maps: Mapping[str, object]) -> Field:
    tag = _text("fields.tag", told.get("tag"))
    where = f"field {tag}"
    _known(where, told, {"tag", "indicators", "value", "subfields", "each", "only", "always", "aside"})
    if len(tag) != 3 or not tag.isascii() or not tag.isalnum():
        raise BadTemplate(f"{where}: a tag has three letters or digits")
    control = tag.startswith("00")
    if control == ("subfields" in told) or control != ("value" in told):
        raise BadTemplate(f"{where}: control fields have a `value`, other fields have `subfields`")
    given = {"": told["value"]} if control else _table(where, told["subfields"])
    subfields = tuple((code, _parts(f"{where} ${code}", value, columns, maps)) for code, value in given.items())
    if not control and any(len(code) != 1 for code, _ in subfields):
        raise BadTemplate(f"{where}: a subfield code is one character")
    each, only = _text(where, told.get("each", "")), _text(where, told.get("only", ""))
    if each:
        _one_of(where, each, columns)
    if only not in ONLY or (only and not each):
        raise BadTemplate(f"{where}: only is one of {', '.join(ONLY[1:])}, beside `each`")
    indicators = _text(where, told.get("indicators", "  "))
    if len(indicators) != 2:
        raise BadTemplate(f"{where}: there are two indicators, not {indicators!r}")
    return Field(
        tag=tag,
        indicators=indicators,
        subfields=subfields,
        each=each,
        only=only,
        always=told.get("always", False) is True,
        aside=told.get("aside", False) is True,
    )


def _parts(where: str, value: object, columns: Mapping[str, Column], maps: Mapping[str, object]) -> tuple[Part, ...]:
    return tuple(_part(where, one, columns, maps) for one in (value if isinstance(value, list) else [value]))


def _part(where: str, value: object, columns: Mapping[str, Column], maps: Mapping[str, object]) -> Part:
    if isinstance(value, str):
        value = {"column": value}
    told = _table(where, value)
    _known(where, told, {"column", "text", "given", "when", "read", "map", "before", "after", "join", "default"})
    if sum(key in told for key in ("text", "column", "given")) != 1:
        raise BadTemplate(f"{where}: a value has either `column` or `text` or `given`")
    keys = _texts(where, told.get("column", []))
    when = _texts(where, told.get("when", []))
    for key in (*keys, *when):
        _one_of(where, key, columns)
    read, mapped = _text(where, told.get("read", "plain")), _text(where, told.get("map", ""))
    for each in read.split("|"):
        _one_of(f"{where}, read", each, READINGS)
    if mapped:
        _one_of(f"{where}, map", mapped, maps)
    rest = {name: _text(where, told.get(name, "")) for name in ("text", "given", "before", "after", "join", "default")}
    if rest["given"]:
        _one_of(f"{where}, given", rest["given"], dict.fromkeys(GIVEN))
    return Part(columns=keys, when=when, read=read, map=mapped, **rest)


def _known(where: str, told: Mapping[str, object], keys: set[str]) -> None:
    for key in told:
        if key not in keys:
            raise BadTemplate(f"{where}: unknown key {key!r}; known are {', '.join(sorted(keys))}")


def _one_of(where: str, key: str, known: Mapping[str, object]) -> None:
    if key not in known:
        raise BadTemplate(f"{where}: {key!r} is none of {', '.join(known)}")


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadTemplate(f"{where}: a text was expected, not {value!r}")
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    """One text or several."""
    return tuple(_text(where, each) for each in (value if isinstance(value, list) else [value]))


def _table(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadTemplate(f"{where}: a table was expected, not {value!r}")
    return value


def _tables(where: str, value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not value:
        raise BadTemplate(f"{where}: a list of tables was expected, not {value!r}")
    return [_table(where, each) for each in value]
