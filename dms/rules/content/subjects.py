"""Subject headings of CNMARC: 606, 607 and their subdivisions (pure).

606 $a heading, $x topical, $y geographical, $z chronological, $j form subdivision (UNIMARC Bibliographic, 606). MARC 21
has $y and $z the other way round, and records converted between the two often keep the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules import edit
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, value

TAGS = ("600", "601", "602", "605", "606", "607", "608")
_PERIOD = re.compile(
    r"[\[(（]?(?:公元前?)?\d{3,4}\s*年?(?:[-－–~～—/]\s*(?:\d{2,4}年?)?)?[\])）]?|\d{1,2}(?:st|nd|rd|th) century|"
    r"[\d一二三四五六七八九十]{1,3}(?:[-~～]\d{1,2})?世[纪紀].{0,4}|.{1,3}朝(?:时期)?|.{1,3}代|民国|民國|民国时期|"
    r"先秦时代|春秋(?:战国)?时代|战国时代|三国时代|魏晋南北朝时代|五代十国时期"
)
_STRING = re.compile(r"\S(?:--|－－|——)\S|[\u4e00-\u9fff] +[\u4e00-\u9fff]+ +[\u4e00-\u9fff\d]")


def _is_period(text: str) -> bool:
    return _PERIOD.fullmatch(text.strip()) is not None


def _look(seen: Look) -> Iterator[Finding]:
    for tag in TAGS:
        for nth, text in enumerate(seen.texts(tag), 1):
            if not (DELIMITER + "a" in text or DELIMITER + "b" in text or DELIMITER + "t" in text):
                if len(text) > 2:
                    yield Finding("subject-without-heading", tag, nth, "a", -1, text[2:].replace(DELIMITER, " ‡")[:200])
                continue
            if tag in ("606", "607"):
                heading = value(text, "a")
                if _STRING.search(heading):
                    yield Finding("subject-in-one", tag, nth, "a", -1, heading[:LONGEST_VALUE])
                for part in text.split(DELIMITER)[1:]:
                    if part[:1] == "y" and _is_period(part[1:]):
                        yield Finding("subject-period", tag, nth, "y", -1, part[1:], "$z")


def _mend_period(record: Record, fmt: Format) -> Mended:
    """A period in $y belongs into $z."""
    if fmt != Format.CNMARC:
        return Mended(record, ())

    def change(tag: str, text: str) -> str:
        del tag
        if not (DELIMITER + "a" in text or DELIMITER + "b" in text or DELIMITER + "t" in text):
            return text
        head, *parts = text.split(DELIMITER)
        return DELIMITER.join([head, *["z" + p[1:] if p[:1] == "y" and _is_period(p[1:]) else p for p in parts]])

    return edit.fields(record, "subject-period", change, ("606", "607"))


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("subject-without-heading", "subject-in-one", "subject-period"),
        look=_look,
        tags=frozenset(TAGS),
        formats=frozenset((Format.CNMARC,)),
    ),
)
FIXES: Mapping[str, Fix] = {"subject-period": _mend_period}
