"""Records of other metadata formats as MARC 21, by a table with a row an element (pure).

A row says of which child of the record's element (`element`, with attributes it must have; `[type=]` = it has none) a
field is made: tag, indicators, and of which of its descendants the subfields are. Rows are tried in their order; the
first that gives something takes the element, but for rows with `also`. A row with `limit` takes so many and no more.

    [[row]]
    element = "identifier[type=isbn]"
    tag = "020"
    ind = "  "                                     # or "name": 1 where the value has the form Surname, Forename
    parts = [{ code = "a", read = "isbn" }]        # `from` a path below the element; without it its own text
    reference = "…"

What is no field has a name instead of a tag: LDR06 and LDR07 (one letter, by a `map`), YEAR, LANG, COUNTRY, ENTERED go
into leader and 008. What no row takes is a finding.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from protocols.marc import DELIMITER, Record, is_control
from protocols.xmlparse import Finding, content, local

CODED = frozenset(("LDR06", "LDR07", "YEAR", "LANG", "COUNTRY", "ENTERED"))
_STEP = re.compile(r"(\*|[A-Za-z]\w*)(?:\[([^\]]*)\])?")
_ISBN = re.compile(r"(?i)(?:urn:)?(?:isbn)?(?:-1[03])?[\s:]*((?:97[89][- ]?)?(?:[0-9][- ]?){9}[0-9X])")
_ISSN = re.compile(r"(?i)(?:urn:)?(?:e|p)?(?:issn)?[\s:]*([0-9]{4}-?[0-9]{3}[0-9X])")
_DOI = re.compile(r"(?i)(?:doi:|https?://(?:dx\.)?doi\.org/|info:doi/)?(10\.[0-9]{4,9}/\S+)")
_URL = re.compile(r"(?i)((?:https?|ftp)://\S+)")
_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})(?![0-9]{3})")
_DIGITS = re.compile(r"[0-9]{14}(?:\.[0-9])?")
_MIME = re.compile(r"((?:application|audio|image|text|video|model|multipart)/[\w.+-]+)")
_CODE = re.compile(r"([a-z]{3})")


def _isbn(text: str) -> str:
    found = _ISBN.fullmatch(text)
    digits = re.sub(r"[- ]", "", found.group(1)) if found else ""
    return found.group(1) if found and len(digits) in (10, 13) else ""


def _matched(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        found = pattern.fullmatch(text)
        return found.group(1) if found else ""

    return read


def _stamp(text: str) -> str:
    """A date and time as 005 has it, or ""."""
    plain = re.sub(r"[-:TZ ]", "", text)
    return plain[:14] + ".0" if _DIGITS.match(plain) else ""


def _day(text: str) -> str:
    """A day as 008/0-5 has it, or "": systems also write the century."""
    return text[-6:] if text.isdigit() and len(text) in (6, 8) else ""


def _year(text: str) -> str:
    found = _YEAR.search(text)
    return found.group(1) if found else ""


READERS: Mapping[str, Callable[[str], str]] = {
    "": str,
    "isbn": _isbn,
    "issn": _matched(_ISSN),
    "doi": _matched(_DOI),
    "url": _matched(_URL),
    "mime": _matched(_MIME),
    "code": _matched(_CODE),
    "year": _year,
    "stamp": _stamp,
    "day": _day,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of what a subfield is made."""

    code: str = "a"
    source: tuple[tuple[str, dict[str, str]], ...] = ()  # path below the element
    read: str = ""
    map: str = ""  # a table of the file; a value that it lacks is left out, or stays if it has "*"
    text: str = ""  # a fixed text, if another subfield has one
    attribute: str = ""  # of the element, instead of text
    join: str = ""  # several become one subfield


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What an element becomes."""

    element: tuple[tuple[str, dict[str, str]], ...]
    tag: str
    ind: str
    parts: tuple[Part, ...]
    also: bool
    limit: int
    joined: bool  # its subfields go into the field of this tag and indicators that is there already


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A crosswalk to MARC 21."""

    rows: tuple[Row, ...]
    maps: Mapping[str, Mapping[str, str]]
    ignored: frozenset[str]


@cache
def table(name: str) -> Table:
    """The table `<name>.toml` of this folder. Raises ValueError with what is wrong in it."""
    told = tomllib.loads(files("protocols").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    rows = tuple(_row(each) for each in told["row"])
    return Table(rows=rows, maps=told.get("map", {}), ignored=frozenset(told.get("ignored", ())))


def _row(told: Mapping[str, Any]) -> Row:
    return Row(
        element=_path(told["element"]),
        tag=told["tag"],
        ind=told.get("ind", "  "),
        parts=tuple(_part(each) for each in told.get("parts", [{}])),
        also=told.get("also", False),
        limit=told.get("limit", 0),
        joined=told.get("joined", False),
    )


def _part(told: Mapping[str, str]) -> Part:
    given = dict(told)
    return Part(source=_path(given.pop("from", "")), **given)


def _path(told: str) -> tuple[tuple[str, dict[str, str]], ...]:
    steps = []
    for step in filter(None, told.split("/")):
        found = _STEP.fullmatch(step)
        if not found:
            raise ValueError(f"no step of a path: {step!r}")
        pairs = (pair.partition("=") for pair in (found.group(2) or "").split(",") if pair)
        steps.append((found.group(1), {name: value for name, _, value in pairs}))
    return tuple(steps)


@dataclass(slots=True)
class Made:
    """The record as far as it is made."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    coded: dict[str, str] = field(default_factory=dict)  # by the names of CODED
    left: dict[str, None] = field(default_factory=dict)  # names of elements that no row takes

    def record(self, ident: str, findings: list[Finding]) -> Record:
        """The record with leader, 001 and 008, its fields in the order of tags."""
        if self.left:
            findings.append(("crosswalk-left-out", f"no MARC field for: {' '.join(self.left)}"))
        coded = self.coded
        leader = f"00000n{coded.get('LDR06', 'a')}{coded.get('LDR07', 'm')} a22000003u 4500"
        year = coded.get("YEAR", "")
        date = f"s{year}    " if year else "nuuuuuuuu"
        entered, country = coded.get("ENTERED", "")[:6].ljust(6), coded.get("COUNTRY", "xx")[:3].ljust(3)
        own = [("001", ident)] if ident else []
        own.append(("008", f"{entered}{date}{country}{'|' * 17}{coded.get('LANG', 'und')} d"))
        fields = sorted((*own, *self.fields), key=lambda each: each[0])
        return Record(leader, tuple(fields))


def make(root: etree._Element, told: Table, made: Made) -> None:
    """Add to `made` what the rows make of the children of `root`."""
    used: dict[int, int] = {}
    seen: set[bytes] = set()  # what is said twice is made once
    for child in root:
        name = local(child.tag)
        same = etree.tostring(child, with_tail=False)
        if not name or name in told.ignored or same in seen:
            continue
        seen.add(same)
        taken = False
        for number, row in enumerate(told.rows):
            if taken and not row.also:
                continue
            if row.limit and used.get(number, 0) >= row.limit:
                continue
            if _is(child, *row.element[0]) and _apply(row, child, told, made):
                used[number] = used.get(number, 0) + 1
                taken = taken or not row.also
        if not taken and content(child).strip():
            made.left[name] = None


def _apply(row: Row, element: etree._Element, told: Table, made: Made) -> bool:
    """Whether the row gave something."""
    done = False
    for at in _below(element, row.element[1:]):
        pairs: list[tuple[str, str]] = []
        for part in row.parts:
            values = list(_values(part, at, told))
            pairs += [(part.code, part.join.join(values))] if part.join and values else [(part.code, v) for v in values]
        if not pairs:
            continue
        pairs += [(part.code, part.text) for part in row.parts if part.text]
        done = True
        if row.tag in CODED:
            made.coded.setdefault(row.tag, pairs[0][1])
        elif is_control(row.tag):
            if not any(tag == row.tag for tag, _ in made.fields):
                made.fields.append((row.tag, pairs[0][1]))
        else:
            _add(row, pairs, made)
    return done


def _add(row: Row, pairs: Sequence[tuple[str, str]], made: Made) -> None:
    signs = ("1 " if ", " in pairs[0][1] else "0 ") if row.ind == "name" else row.ind
    text = "".join(DELIMITER + code + value for code, value in pairs)
    if row.joined:
        for place, (tag, before) in enumerate(made.fields):
            if tag == row.tag and before[:2] == signs:
                made.fields[place] = (tag, before + text)
                return
    made.fields.append((row.tag, signs + text))


def _values(part: Part, element: etree._Element, told: Table) -> Iterator[str]:
    if part.text:
        return
    for at in _below(element, part.source):
        raw = at.get(part.attribute) or "" if part.attribute else content(at)
        value = READERS[part.read](" ".join(raw.split()))
        if part.map and value:
            names = told.maps[part.map]
            value = names.get(value.casefold(), value if "*" in names else "")
        if value:
            yield value


def _below(element: etree._Element, steps: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[etree._Element]:
    if not steps:
        yield element
        return
    (name, attributes), *rest = steps
    for child in element:
        if _is(child, name, attributes):
            yield from _below(child, rest)


def _is(element: etree._Element, name: str, attributes: Mapping[str, str]) -> bool:
    if name not in ("*", local(element.tag)) or not isinstance(element.tag, str):
        return False
    if not attributes:
        return True
    given = {local(key): str(value).rpartition(":")[2] for key, value in element.attrib.items()}
    return all(given.get(key, "").casefold() in wanted.casefold().split("|") for key, wanted in attributes.items())
