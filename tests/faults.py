"""Faults as cataloguers and programs make them, put into sound records: what to find afterwards is known beforehand.

Nothing here knows how a rule is written: a fault is a change of a text, and the rule, field and subfield that must name
it. A change gives None where the record has nothing to spoil in this way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from protocols import marc
from protocols.marc import DELIMITER, Record

Change = Callable[[str], str | None]


class Place(NamedTuple):
    """Where a fault has to be found."""

    rule: str
    tag: str
    nth: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault. `tags` are tried in turn, the first field that has the subfield is spoilt."""

    rule: str
    tags: tuple[str, ...]
    code: str  # subfield, "ind1", or "" for a control field or a field as a whole
    change: Change
    restores: bool = True  # mending it gives back the very text
    encodings: tuple[str, ...] = ()  # of the files in which it can be written; empty: all
    beside: str = ""  # a tag that the record must have: 022 is no ISSN in CNMARC

    def spoil(self, record: Record) -> tuple[Record, Place] | None:
        """The record with this fault in it, and where that is."""
        for tag in self.tags:
            for at, (each, text) in enumerate(record.fields):
                if each == tag and (worse := self._worse(text)) is not None and worse != text:
                    nth = sum(1 for other, _ in record.fields[: at + 1] if other == tag)
                    fields = (*record.fields[:at], (tag, worse), *record.fields[at + 1 :])
                    return Record(record.leader, fields), Place(self.rule, tag, nth, self.code)
        return None

    def _worse(self, text: str) -> str | None:
        if not self.code or self.code.startswith("ind"):
            return self.change(text)
        head, *parts = text.split(DELIMITER)
        for at, part in enumerate(parts):
            if part[:1] == self.code and (worse := self.change(part[1:])) is not None:
                return DELIMITER.join([head, *parts[:at], self.code + worse, *parts[at + 1 :]])
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added(Fault):
    """A kind of fault that is a field more."""

    def spoil(self, record: Record) -> tuple[Record, Place] | None:
        """The record with the new field behind the last one of its tag or of a smaller one."""
        (tag,) = self.tags
        text = self.change("")
        if text is None or (self.beside and record.first(self.beside) is None):
            return None
        at = max((n for n, (other, _) in enumerate(record.fields, 1) if other <= tag), default=0)
        fields = (*record.fields[:at], (tag, text), *record.fields[at:])
        nth = sum(1 for other, _ in fields[: at + 1] if other == tag)
        return Record(record.leader, fields), Place(self.rule, tag, nth, self.code)


def _within(text: str, extra: str) -> str | None:
    """With something in the middle, between two letters."""
    at = len(text) // 2
    return text[:at] + extra + text[at:] if text[at - 1 : at + 1].isalnum() and len(text) > 5 else None


def _isbn(text: str) -> bool:
    return len(text) == 13 and text.isdigit()


def _blank(text: str, instead: str) -> str | None:
    """With its first blank replaced, if it stands between two words."""
    at = text.find(" ")
    if at < 1 or not (text[at - 1].isalnum() and text[at + 1 : at + 2].isalnum()):
        return None
    return text[:at] + instead + text[at + 1 :]


UNICODE = ("utf-8", "gb18030")
TITLES = ("200", "245")
NUMBERS = ("010", "020")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")

KINDS: tuple[Fault, ...] = (
    Fault(rule="space-double", tags=TITLES, code="a", change=lambda text: _blank(text, "  ")),
    Fault(rule="space-edge", tags=("210", "260", "264"), code="a", change=lambda text: f" {text}"),
    Fault(
        rule="space-no-break", tags=TITLES, code="a", change=lambda text: _blank(text, "\u00a0"), encodings=("utf-8",)
    ),
    Fault(
        rule="space-wide", tags=("200",), code="a", change=lambda text: _within(text, "\u3000"), restores=False,
        encodings=UNICODE,
    ),
    Fault(
        rule="character-invisible", tags=TITLES, code="a", change=lambda text: _within(text, "\u200b"),
        encodings=UNICODE,
    ),
    Fault(
        rule="character-entity", tags=("210", "260", "264"), code="a",
        change=lambda text: text.replace(text[0], f"&#x{ord(text[0]):X};", 1) if text.isalpha() else None,
        encodings=("utf-8",),
    ),
    Fault(rule="isbn-wide", tags=("010",), code="a", change=lambda text: text.translate(WIDE) if _isbn(text) else None),
    Fault(rule="isbn-label", tags=NUMBERS, code="a", change=lambda text: f"ISBN {text}" if _isbn(text) else None),
    Fault(
        rule="isbn-qualifier", tags=("020",), code="a", change=lambda text: f"{text} (pbk.)" if _isbn(text) else None,
        restores=False,
    ),
    Fault(
        rule="isbn-price", tags=("010",), code="a", change=lambda text: f"{text} CNY12.00" if _isbn(text) else None,
        restores=False,
    ),
    Fault(
        rule="price-currency", tags=("010",), code="d",
        change=lambda text: text.replace("CNY", "￥") if text.startswith("CNY") else None,
    ),
    Added(
        rule="issn-hyphen", tags=("022",), code="a", restores=False, beside="245",
        change=lambda _: marc.field("  ", [("a", "03178471")]),
    ),
    Fault(rule="clc-form", tags=("690",), code="a", change=lambda text: text.lower() if text[:1].isupper() else None),
    Fault(rule="clc-edition", tags=("690",), code="v", change=lambda text: f"第{text}版" if text in "45" else None),
    Fault(rule="language-code-form", tags=("101",), code="a", change=lambda text: text.upper()),
    Fault(rule="country-code-form", tags=("102",), code="a", change=lambda text: text.lower()),
    Fault(
        rule="agency-date-form", tags=("801",), code="c",
        change=lambda text: f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else None,
    ),
    Added(
        rule="url-scheme", tags=("856",), code="u", restores=False,
        change=lambda _: marc.field("4 ", [("u", "www.example.org/a")]),
    ),
    Added(
        rule="url-blanks", tags=("856",), code="u", restores=False,
        change=lambda _: marc.field("40", [("u", "http:// www.example.org/a")]),
    ),
    Fault(
        rule="indicator-undefined", tags=("215", "300"), code="ind1",
        change=lambda text: "7" + text[1:] if text[:2] == "  " else None,
    ),
    Fault(rule="subfield-empty", tags=("215", "300"), code="c", change=lambda text: text[:0], restores=False),
)  # fmt: skip
