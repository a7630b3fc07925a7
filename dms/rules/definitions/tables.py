"""The tables of definitions and what is read from them (pure).

A table is a list of rows whose parts are set off by tabs; a later table replaces or extends rows of an earlier one.
`_` stands for a blank, `*` alone for anything, `!` before a code for one that was legal once.

    field   tag  R or N  indicator 1  indicator 2  subfields (`a` once, `a*` repeatable)  label  [source]
    add     tag or *  subfields  source                      subfields that another table's field has too
    like    tag  other tag  word                             as another field, whose label begins with another word
    must    tag …                                            a record has each of these
    needs   tag  codes                                       a field of the tag has one of these subfields
    length  place  selector  lengths                         of a control field, a leader or a coded subfield
    code    place  selector  start  width  codes  label     of a position; `@name`: a list; `#digits`, `#year`, `#stamp`
    list    name  codes

A place is a tag, `LDR` or `tag$code`; a selector is `*`, a material (`MATERIALS`) or a field's first character.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from catalog.model import Format
from dms.rules.model import Kind
from protocols.marc import Record

FOLDER = Path(__file__).parent
ANY = "*"
FILL = "|"  # "no attempt to code", legal at every coded position of UNIMARC (manual, 3.2.1)
TABLES: dict[tuple[Format, Kind], tuple[str, ...]] = {
    (Format.MARC21, Kind.BIBLIOGRAPHIC): ("marc21_bibliographic", "marc21_bibliographic_own"),
    (Format.MARC21, Kind.AUTHORITY): ("marc21_authority", "marc21_authority_own"),
    (Format.MARC21, Kind.HOLDINGS): ("marc21_holdings",),
    (Format.CNMARC, Kind.BIBLIOGRAPHIC): ("unimarc_bibliographic", "unimarc_bibliographic_own", "cnmarc_own"),
    (Format.CNMARC, Kind.AUTHORITY): ("unimarc_authority",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The values a place may have: now, and in former times."""

    legal: frozenset[str]
    former: frozenset[str] = frozenset()

    def __contains__(self, value: str) -> bool:
        return value in self.legal or value in self.former


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field. Indicators and subfields are None where anything goes; a control field has neither."""

    repeatable: bool
    indicators: tuple[Codes | None, Codes | None]
    subfields: Codes | None
    once: frozenset[str]  # subfields that do not repeat
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Characters of a fixed field; `pattern` is "digits", "year", "stamp" or, where codes are listed, ""."""

    start: int
    width: int
    codes: Codes
    pattern: str
    label: str
    step: int = 1  # characters of a code; several may stand side by side


@dataclass(frozen=True, slots=True)
class Fixed:
    """A leader, control field or coded subfield, by selector."""

    lengths: dict[str, frozenset[int]] = field(default_factory=dict)
    positions: dict[str, dict[int, Position]] = field(default_factory=dict)

    def of(self, selector: str) -> list[Position]:
        """Positions that hold for a selector, those of `*` among them."""
        found = self.positions.get(ANY, {}) | self.positions.get(selector, {})
        return [found[start] for start in sorted(found)]

    def lengths_of(self, selector: str) -> frozenset[int]:
        """Legal lengths, none if any will do."""
        return self.lengths.get(selector) or self.lengths.get(ANY) or frozenset()


@dataclass(frozen=True, slots=True)
class Definitions:
    """What one kind of record of one format may hold."""

    fields: dict[str, Field] = field(default_factory=dict)
    fixed: dict[str, Fixed] = field(default_factory=dict)
    must: list[str] = field(default_factory=list)
    needs: dict[str, str] = field(default_factory=dict)
    lists: dict[str, Codes] = field(default_factory=dict)


@cache
def definitions(fmt: Format, kind: Kind) -> Definitions | None:
    """The definitions of a kind of record; None where there are no tables."""
    if (fmt, kind) not in TABLES:
        return None
    found = Definitions()
    rows = [row for name in TABLES[fmt, kind] for row in _rows(name)]
    found.lists.update(_lists(fmt))
    for row in rows:
        _take(found, row, fmt)
    for row in rows:
        if row[0] == "add":
            _add(found, row[1], row[2].split())
    return found


def label(fmt: Format, kind: Kind, tag: str, lang: str) -> str:
    """A field's name in "zh" or "en"; "" where the tables have no such field."""
    known = definitions(fmt, kind)
    if known is None or tag not in known.fields:
        return ""
    return _labels_zh().get((TABLES[fmt, kind][0], tag), "") if lang == "zh" else known.fields[tag].label


@cache
def _labels_zh() -> dict[tuple[str, str], str]:
    return {(row[0], row[1]): row[2] for row in _rows("labels_zh")}


def definitions_of(record: Record, fmt: Format, kind: Kind) -> Definitions | None:
    """The definitions of a record; classification and community information of MARC 21 (w, q) have no tables."""
    if kind is Kind.AUTHORITY and fmt is Format.MARC21 and record.leader[6:7] != "z":
        return None
    return definitions(fmt, kind)


@cache
def _lists(fmt: Format) -> dict[str, Codes]:
    """Lists of codes, which all tables of a format share."""
    names = [name for (each, _), names in TABLES.items() if each == fmt for name in names]
    return {row[1]: _codes(row[2]) for name in names for row in _rows(name) if row[0] == "list"}


def _rows(name: str) -> Iterator[list[str]]:
    for line in (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def _take(found: Definitions, row: list[str], fmt: Format) -> None:
    match row:
        case ["field", tag, repeat, one, two, subfields, label, *_]:
            codes = subfields.split()
            found.fields[tag] = Field(
                repeatable=repeat == "R",
                indicators=(_codes_or_any(one), _codes_or_any(two)),
                subfields=_codes_or_any(subfields.replace(ANY, "")) if codes != [ANY] else None,
                once=frozenset(code for code in codes if len(code) == 1),
                label=label,
            )
        case ["like", tag, other, word]:
            known = found.fields[other]
            label = f"{word} {known.label.partition(' ')[2]}"
            found.fields[tag] = replace(known, repeatable=True, label=label)
        case ["must", *tags]:
            found.must[:] = tags
        case ["needs", tag, codes_]:
            found.needs[tag] = codes_.replace(" ", "")
        case ["length", place, selector, lengths]:
            found.fixed.setdefault(place, Fixed()).lengths[selector] = frozenset(map(int, lengths.split()))
        case ["code", place, selector, start, width, codes_, label, *_]:
            position = _position(found, int(start), int(width), codes_, label)
            if fmt == Format.CNMARC and place != "LDR" and not position.pattern:
                legal = position.codes.legal | {FILL * position.step}
                position = replace(position, codes=replace(position.codes, legal=legal))
            found.fixed.setdefault(place, Fixed()).positions.setdefault(selector, {})[int(start)] = position
        case ["add" | "list", *_]:
            pass
        case _:
            raise ValueError(f"no row of a table of definitions: {row}")


def _position(found: Definitions, start: int, width: int, codes: str, label: str) -> Position:
    pattern = codes[1:] if codes.startswith("#") and len(codes) > 1 else ""
    legal, former = set[str](), set[str]()
    for code in codes.split() if not pattern else ():
        if code.startswith("@"):
            legal |= {each.ljust(width) for each in found.lists[code[1:]].legal}
            former |= {each.ljust(width) for each in found.lists[code[1:]].former}
        else:
            one = _codes(code)
            legal |= _ranged(one.legal)
            former |= one.former
    listed = Codes(legal=frozenset(legal), former=frozenset(former))
    step = max((len(code) for code in legal), default=1)
    return Position(start=start, width=width, codes=listed, pattern=pattern, label=label, step=step)


def _ranged(codes: frozenset[str]) -> set[str]:
    """Codes with ranges of numbers ("001-999") written out."""
    found: set[str] = set()
    for code in codes:
        first, dash, last = code.partition("-")
        if dash and first.isdigit() and last.isdigit():
            found.update(str(number).rjust(len(first), "0") for number in range(int(first), int(last) + 1))
        else:
            found.add(code)
    return found


def _codes_or_any(text: str) -> Codes | None:
    return None if text == ANY else _codes(text)


def _codes(text: str) -> Codes:
    codes = [each.replace("_", " ") for each in text.split()]
    former = frozenset(code[1:] for code in codes if len(code) > 1 and code[0] == "!")
    return Codes(legal=frozenset(code for code in codes if len(code) == 1 or code[0] != "!"), former=former)


def _add(found: Definitions, tag: str, codes: list[str]) -> None:
    """Let fields have more subfields; what was once legal or did not repeat is now as added."""
    added = frozenset(code[0] for code in codes)
    for each in found.fields if tag == ANY else (tag,):
        known = found.fields[each]
        if known.subfields is not None and not each.startswith("00"):
            new = added if tag != ANY else added - known.subfields.legal
            subfields = Codes(legal=known.subfields.legal | new, former=known.subfields.former - new)
            once = (known.once - new) | {code for code in codes if len(code) == 1 and code in new}
            found.fields[each] = replace(known, subfields=subfields, once=once)
