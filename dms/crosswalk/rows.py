"""Rows of a crosswalk: what a table may say (pure). `crossing` applies them.

A row says of which fields (`tag`, `when`) an `element` is made and of which subfields its `parts` are. A field makes an
element of its own; rows with `shared` put their parts into one element of the record.

    [[row]]
    tag = ["100", "700"]
    when = { ind1 = "01", at6 = "a", t = "" }   # characters allowed, also at a position (LDR6: of the leader, for
                                                # control fields); a subfield: "" = absent, "*" = present, else what
                                                # it begins with, `a|b`, or with `!` before it does not
    element = "name[type=personal]"
    parts = [
        { to = "namePart", take = "abcq" },             # subfields joined with blanks, or with `join`
        { to = "role*/roleTerm[type=text]", take = "e", each = true },  # an element for each; `role*`: a new role, too
        { take = "u", each = true },                    # no `to`: each makes an element of the row
        { to = "title", at = [35, 38], map = "languages" },             # positions of a control field or coded subfield
        { attribute = "edition", take = "2" },          # the first value that there is
        "@agent",                                       # the parts of `parts.agent` of the file
    ]
    in = "Work"                                         # the root, where the target has several
    reference = "MARC 21 to MODS 3.7 mapping (Library of Congress), name"
    [[row.example]]                                     # a test converts each: in a record of this field alone
    in = "100 1 $aHarrow, Edith,$d1901-"
    out = ["<name …>…</name>"]                          # the target has them; `not` in front: it has it not

`trees = true` in a file says that what it makes is read as trees, not written as XML.

Every subfield that no part takes is lost, and the report says so: `[lost]` has the reasons, each with its tags (`9XX`),
subfields (`020$q`, `$6`) or positions (`LDR/5`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from config.errors import Misconfigured
from dms.crosswalk.elements import Path, marks, path

LEADER = "LDR"
IRI = r"^https?://\S+$"


class Example(NamedTuple):
    """A source field in line notation, its tag in front, and what the target has then."""

    given: str
    made: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of what one element within the row's is made."""

    to: Path  # empty = the row's own element
    take: str = ""  # subfield codes
    each: bool = False
    join: str = " "
    at: tuple[int, int] | None = None  # positions, of a control field, a leader or the one subfield in `take`
    chunk: int = 0  # the value is cut into codes of this length, each for itself
    map: str = ""  # name of a table in the file; a value that it lacks is not taken, unless it has "*"
    only: re.Pattern[str] | None = None  # a value that it does not find is not taken
    form: tuple[str | int, ...] = ()  # what `only` found in another form, `\\1-\\2`: words and numbers of groups
    ind: int = 0  # not a subfield but this indicator, 1 or 2, by `map`; it is there where another part of the row is
    raw: bool = False  # ISBD marks stay
    whole: bool = False  # ISBD marks stay between the values that are joined
    text: str = ""  # a fixed text instead; it is there where another part of the row is
    attribute: str = ""  # the value becomes this attribute of the element
    iri: bool = False  # the value is an IRI, http or https; what one may not have is escaped (RFC 3987, 2.2)
    article: bool = False  # only the characters that do not file (indicator 2 of 245)
    without_article: bool = False
    prefix: str = ""
    where: str = ""  # as a report names it
    codes: frozenset[str] = frozenset()  # of `take`; "" for a control field
    plain: bool = False  # nothing is to be done to a value but what is done to all
    marks: tuple[str, str] | None = None  # what stands around a value in XML; None = that depends on others


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Of which fields an element is made."""

    tags: tuple[str, ...]
    room: str  # of the target, where it has several roots: `Work`
    element: Path
    parts: tuple[Part, ...]
    when: Mapping[str, str]
    shared: bool
    once: bool  # only the first field that gives something
    apart: bool  # each subfield makes an element of its own
    linked: bool  # the tags are of linking fields: parts take their standard subfields (`linked`)
    codes: frozenset[str]  # that its parts take
    several: Part | None  # the part without a `to` whose values make an element of the row each
    marks: tuple[str, str] | None  # around its innermost element in XML; None = it has to be built as a tree
    fixed: bool  # it has no part but fixed text: the field being there is all that it needs
    reference: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A crosswalk."""

    name: str
    rows: tuple[Row, ...]
    by_tag: Mapping[str, tuple[int, ...]]  # numbers of rows
    maps: Mapping[str, Mapping[str, str]]
    lost: Mapping[str, str]  # tag, subfield or position → why
    twins: bool  # texts of a field in another script stand beside those of its mate, marked with the script
    trees: bool  # what it makes is read as trees, not as XML
    groups: frozenset[str]  # elements where a field and its twin in another script are marked as one: altRepGroup


@cache
def table(name: str) -> Table:
    """The table `<name>.toml` of this folder, or of the files of a folder of that name. Raises `Misconfigured`."""
    told = _read(name)
    try:
        sets = told.get("parts", {})
        rows = tuple(_row(each, sets) for each in told["row"])
        maps = told.get("map", {})
        if missing := {part.map for row in rows for part in row.parts if part.map} - set(maps):
            raise ValueError(f"no map {sorted(missing)}")
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise Misconfigured(f"crosswalk {name}: {error}") from error
    by_tag: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        for tag in row.tags:
            by_tag.setdefault(tag, []).append(number)
    return Table(
        name=name,
        rows=rows,
        by_tag={tag: tuple(numbers) for tag, numbers in by_tag.items()},
        maps=maps,
        lost={key: why for why, keys in told.get("lost", {}).items() for key in keys},
        twins=told.get("twins", False),
        trees=told.get("trees", False),
        groups=frozenset(told.get("groups", ())),
    )


def _read(name: str) -> dict[str, Any]:
    """What the table's file says; files of one folder say it together, rows in the order of their names."""
    place = files("dms.crosswalk")
    folder = place.joinpath(name)
    if not folder.is_dir():
        return tomllib.loads(place.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    said: dict[str, Any] = {"row": []}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            told = tomllib.loads(file.read_text(encoding="utf-8"))
            said["row"] += told.pop("row", [])
            said |= told
    return said


def _row(told: dict[str, Any], sets: Mapping[str, list[dict[str, Any]]]) -> Row:
    known = {"tag", "in", "element", "parts", "when", "shared", "once", "apart", "linked", "reference", "example"}
    if odd := set(told) - known:
        raise ValueError(f"{told['tag']}: no row says {sorted(odd)}")
    tags = told["tag"]
    coded = all(tag == LEADER or tag.startswith("00") for tag in ([tags] if isinstance(tags, str) else tags))
    said = [part for each in told["parts"] for part in (sets[each[1:]] if isinstance(each, str) else [each])]
    parts = tuple(_part(each, told["element"], coded) for each in said)
    element = path(told["element"])
    alone = all(part.marks is not None for part in parts)
    return Row(
        tags=(tags,) if isinstance(tags, str) else tuple(tags),
        room=told.get("in", ""),
        element=element,
        parts=parts,
        when=told.get("when", {}),
        shared=told.get("shared", False),
        once=told.get("once", False),
        apart=told.get("apart", False),
        linked=told.get("linked", False),
        codes=frozenset(code for part in parts for code in part.codes),
        several=next((part for part in parts if (part.each or part.chunk) and not part.to), None),
        marks=marks(element[:-1]) if alone else None,
        fixed=all(part.text or part.ind for part in parts),
        reference=told.get("reference", ""),
        examples=tuple(Example(each["in"], tuple(each["out"])) for each in told.get("example", ())),
    )


def _part(told: dict[str, Any], element: str, coded: bool) -> Part:
    given = dict(told)
    to = given.pop("to", "")
    if "at" in given:
        first, end = given["at"]
        given["at"] = (first, end)
    if given.get("iri"):
        given = {"raw": True, "only": IRI, **given}
    if "form" in given:
        words = re.split(r"\\(\d)", given["form"])
        given["form"] = tuple(int(each) if at % 2 else each for at, each in enumerate(words))
    if "only" in given:
        given["only"] = re.compile(given["only"])
    where = "/".join(re.sub(r"\[[^\]]*\]|\*", "", each) for each in (element, to) if each)
    attribute = given.get("attribute", "")
    steps = path(to) if to else ()
    alone = not steps if attribute else all(step.new for step in steps[:-1])
    return Part(
        to=steps,
        marks=marks(steps) if alone else None,
        where=f"{where}/@{attribute}" if attribute else where,
        codes=frozenset(("",)) if coded and not given.keys() & {"text", "ind"} else frozenset(given.get("take", "")),
        plain=not given.keys() & {"chunk", "only", "map", "iri"},
        **given,
    )
