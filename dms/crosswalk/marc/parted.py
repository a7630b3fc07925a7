"""MARC 21 fields without the marks of ISBD: values taken apart where a mark parts them, the marks taken off (pure).

In MARC 21 a subfield closes with the mark of what comes next (ISBD consolidated edition, A.3) and some hold several
elements with marks between them; UNIMARC writes no marks and gives each element a subfield. Here a field becomes pieces
with keys: the subfield's code, with the mark before the piece where that says more (`b=`, a parallel title in $b).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dms import isbd
from protocols import marc

_QUALIFIED = re.compile(r"\s*\((?=[^()]*\)\s*$)")
_MARK = re.compile(r"\s+([:;=/])\s+")
_ENDS = ":;/=+,."  # of what may have a mark at its end
_NAME = re.compile(r",\s+")
_NSB, _NSE = "\x88", "\x89"  # ISO 6630: non-sorting characters begin and end


class Parts(NamedTuple):
    """The pieces of a field, side by side."""

    keys: list[str]
    codes: list[str]  # of the subfields that they were in
    values: list[str]


@dataclass(frozen=True, slots=True)
class Parting:
    """How the fields of a tag are taken apart."""

    cut: Mapping[str, str]  # code → marks that part its value
    ind1: str  # first indicators of the fields that are cut; empty = all
    filing: int  # the indicator that counts the characters of $a that do not file; 0 = none
    keys: frozenset[str]  # keys with marks that have a rule
    qualified: frozenset[str]  # codes of values that may end with words in parentheses


def partings(told: list[dict[str, Any]], keys: Mapping[str, frozenset[str]]) -> dict[str, Parting]:
    """The partings of a table by tag; `keys`: by tag, what its rows have rules for."""
    found = {}
    for each in told:
        for tag in each["tags"]:
            known = keys.get(tag, frozenset())
            qualified = frozenset(key[0] for key in known if key[1:] == "(")
            found[tag] = Parting(each.get("cut", {}), each.get("ind1", ""), each.get("filing", 0), known, qualified)
    return found


def parts(text: str, how: Parting) -> Parts:
    """The pieces of a data field, in order, without marks."""
    keys: list[str] = []
    codes: list[str] = []
    values: list[str] = []
    before = ""
    cuts = how.cut if not how.ind1 or text[:1] in how.ind1 else {}
    for code, value in marc.subfields(text):
        bare, after = _closed(value)
        marks = cuts.get(code.lower(), "") if cuts else ""
        for mark, piece in _cut(bare, marks, before) if marks else ((before, bare),):
            keys.append(f"{code}{mark}" if mark and f"{code}{mark}".lower() in how.keys else code)
            codes.append(code)
            values.append(piece)
        if code in how.qualified and (found := _qualified(values[-1])):
            values[-1], words = found
            keys.append(f"{code}(")
            codes.append(code)
            values.append(words)
        before = after
    if how.filing and values and text[how.filing - 1].isdigit() and (skip := int(text[how.filing - 1])):
        values[0] = _marked(values[0], skip)
    return Parts(keys, codes, values)


def _marked(value: str, skip: int) -> str:
    """The value with its first characters marked as such that do not file."""
    return f"{_NSB}{value[:skip]}{_NSE}{value[skip:]}" if len(value) > skip else value


def _closed(value: str) -> tuple[str, str]:
    """The value without the mark at its end, and that mark; a full stop that belongs to a word stays."""
    bare = value.rstrip()
    last = bare[-1:]
    if last not in _ENDS:
        return bare, ""
    if last in ",;" or (last in ":/=+" and bare[-2:-1].isspace()):
        return bare[:-1].rstrip(), last
    if last == "." and not bare.endswith("..") and _is_mark(bare.rpartition(" ")[2]):
        return bare[:-1], "."
    return bare, ""


def _cut(value: str, marks: str, before: str) -> list[tuple[str, str]]:
    """(mark before it, piece) of a value."""
    if marks == ",":
        first, *rest = _NAME.split(value, maxsplit=1)
        return [("", first), *((",", each) for each in rest)]
    if not (":" in value or ";" in value or "=" in value or "/" in value):
        return [(before, value)]
    first, *rest = _MARK.split(value)
    found = [(before, first)]
    for mark, piece in zip(rest[::2], rest[1::2], strict=True):
        if mark in marks:
            found.append((mark, piece))
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]} {mark} {piece}")
    return found


def _qualified(value: str) -> tuple[str, str] | None:
    """A number and the words in parentheses behind it; None where there are no such words."""
    found = _QUALIFIED.search(value)
    if not found or not value[: found.start()].strip():
        return None
    return value[: found.start()], value[found.end() :].rstrip().removesuffix(")")


def _is_mark(word: str) -> bool:
    """Whether the full stop at the end of a field's last word is the mark of ISBD, and not the word's own."""
    return "\u2e80" <= word[-2:-1] <= "\u9fff" or not isbd.plain(f"- {word}").endswith(".")
