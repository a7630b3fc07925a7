"""A record that came back as people see it: its fields, what is wrong where, what a fix changes (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from catalog import bodies
from dms.quality_texts import place
from dms.rules import catalogue
from dms.rules.model import LEADER, Finding, Receipt
from protocols import landed, marc
from protocols.marc import Record

LONGEST = 2000  # characters of a field that are shown


class Line(NamedTuple):
    """A field: indicators with # for blanks, subfields as $a text. `wrong`: something was found in it."""

    tag: str
    indicators: str
    text: str
    wrong: bool


class Problem(NamedTuple):
    """A finding in words, and where it stands."""

    rule: str
    place: str  # 010 $a
    text: str


def where(case: Mapping[str, Any], lang: str) -> str:
    """Where in its input a case (a row of `catalog.quarantine` with its bytes) stood: sheet and row of a table, else
    which record and byte; "" of what was no input.
    """
    if found := landed.places(bodies.grow(case["body"])):
        return rows(found, lang)
    if not case["ordinal"]:
        return ""
    if lang == "zh":
        return f"第 {case['ordinal']:,} 条，字节 {case['position']:,}"
    return f"record {case['ordinal']:,}, byte {case['position']:,}"


def rows(places: Sequence[landed.Place], lang: str) -> str:
    """Rows of a table, by sheet."""
    told = []
    for sheet, some in groupby(places, key=lambda place: place[0]):
        numbers = [f"{row:,}" for _, row in some]
        if lang == "zh":
            told.append((f"工作表 {sheet} " if sheet else "") + f"第 {'、'.join(numbers)} 行")
        else:
            word = "row" if len(numbers) == 1 else "rows"
            told.append((f"sheet {sheet}, " if sheet else "") + f"{word} {', '.join(numbers)}")
    return ("；" if lang == "zh" else "; ").join(told)


def heading(rule: str, lang: str) -> str:
    """What a rule looks for, without a case of it."""
    if rule not in catalogue.rules():
        return rule
    return catalogue.text(Finding(rule, tag="…", code="…", value="…", wanted="…"), lang)


def mendable(rule: str) -> bool:
    """Whether what it finds can be mended."""
    return rule in catalogue.rules() and catalogue.rule(rule).fix


def problems(findings: Iterable[Finding], lang: str) -> list[Problem]:
    """In words."""
    return [Problem(each.rule, place(each), catalogue.text(each, lang)) for each in findings]


def lines(record: Record, findings: Iterable[Finding] = ()) -> list[Line]:
    """The leader and the fields in record order."""
    wrong = {(each.tag, each.nth) for each in findings}
    told = [Line(LEADER, "", record.leader.replace(" ", "#"), (LEADER, 1) in wrong or (LEADER, 0) in wrong)]
    seen: dict[str, int] = {}
    for tag, text in record.fields:
        nth = seen[tag] = seen.get(tag, 0) + 1
        told.append(Line(tag, *_field(tag, text), (tag, nth) in wrong))
    return told


def change(receipt: Receipt) -> tuple[str, str]:
    """A field before and after, as one line each; "" = there is none."""
    return _one_line(receipt.tag, receipt.before), _one_line(receipt.tag, receipt.after)


def _one_line(tag: str, text: str) -> str:
    if not text or tag == LEADER:
        return text.replace(" ", "#")
    return " ".join(filter(None, _field(tag, text)))


def _field(tag: str, text: str) -> tuple[str, str]:
    if marc.is_control(tag):
        return "", text[:LONGEST]
    pairs = " ".join(f"${code} {value}" for code, value in marc.subfields(text))
    return text[:2].replace(" ", "#"), pairs[:LONGEST]
