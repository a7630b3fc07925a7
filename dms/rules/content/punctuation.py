"""ISBD punctuation: doubled marks in MARC 21, marks that CNMARC leaves to the display (pure).

In MARC 21 the mark that introduces an area stands at the end of the subfield before it; UNIMARC writes none of them
(UNIMARC Bibliographic, 3.4: punctuation is made from the codes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from catalog.model import Format
from dms.rules import edit
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE, each, where
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record

MARC21_TAGS = ("245", "246", "250", "260", "264", "300", "440", "490", "830")
CNMARC_TAGS: Mapping[str, str] = {"200": "aehifg", "205": "abf", "210": "acd", "215": "acde", "225": "aehi"}

_DOUBLED = re.compile(r"([:;,/=])(?:\s*\1)+(?=\s*$)|(?<![\s.])\.\.$|(?<=\s)([:;/=])\s+\2(?=\s)")
_QUICK = re.compile(r"([:;,/=.])\s*(?:\x1f.\s*)?\1")  # what both of these have
_BOTH_SIDES = re.compile(r"(\s*)([:;,/])\s*$")
# What stands at an end of a CNMARC value and is an ISBD mark; a mark inside is the title's own.
_LEFT_BEHIND = re.compile(r"(?:\s+[:;/=]|[\s]*[,;:](?<=\S[,;:])|\s*[/=])\s*$")
_LEFT_BEFORE = re.compile(r"^\s*[:;/=]\s+")


@lru_cache(maxsize=8192)
def undoubled(text: str) -> str:
    """With one mark where one stood twice; three points are an ellipsis."""
    if "://" in text:
        return text
    while (plain := _DOUBLED.sub(lambda found: found[1] or found[2] or ".", text)) != text:
        text = plain
    return text


@lru_cache(maxsize=8192)
def unmarked(text: str) -> str:
    """A CNMARC value without the ISBD marks of its neighbours; a value of marks only stays."""
    plain = _LEFT_BEFORE.sub("", _LEFT_BEHIND.sub("", text))
    while plain != text and plain:
        text, plain = plain, _LEFT_BEFORE.sub("", _LEFT_BEHIND.sub("", plain))
    return plain or text


def _again(text: str) -> str:
    """A field of which no subfield begins with the mark that ends the one before."""
    parts = text.split(DELIMITER)
    for at in range(2, len(parts)):
        end = _BOTH_SIDES.search(parts[at - 1][1:])
        if end and parts[at][1:].lstrip().startswith(end[2] + " "):
            parts[at] = parts[at][:1] + parts[at][1:].lstrip()[1:].lstrip()
    return DELIMITER.join(parts)


def _single(text: str) -> str:
    return _again(each(text, "", undoubled))


def _marc21(seen: Look) -> Iterator[Finding]:
    for tag in MARC21_TAGS:
        for nth, text in enumerate(seen.texts(tag), 1):
            if _QUICK.search(text) and (wanted := _single(text)) != text:
                value = text[2:].replace(DELIMITER, " ‡").strip()
                yield Finding(
                    "punctuation-doubled", tag, nth, "", -1, value[:LONGEST_VALUE],
                    wanted[2:].replace(DELIMITER, " ‡").strip()[:LONGEST_VALUE],
                )  # fmt: skip


def _cnmarc(seen: Look) -> Iterator[Finding]:
    for tag, codes in CNMARC_TAGS.items():
        for nth, text in enumerate(seen.texts(tag), 1):
            for part in text.split(DELIMITER)[1:]:
                if part and part[0] in codes and not part[-1:].isalnum() and (wanted := unmarked(part[1:])) != part[1:]:
                    yield Finding("punctuation-left", tag, nth, part[0], -1, part[1:][:LONGEST_VALUE], wanted)


def _fix(rule: str, only: Format, tags: tuple[str, ...], change: Callable[[str, str], str]) -> Fix:
    def mend(record: Record, fmt: Format) -> Mended:
        return edit.fields(record, rule, change, tags) if fmt == only else Mended(record, ())

    return mend


def _unmarked_field(tag: str, text: str) -> str:
    return each(text, CNMARC_TAGS[tag], lambda value: unmarked(value) if not value[-1:].isalnum() else value)


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("punctuation-doubled",),
        look=_marc21,
        tags=frozenset(MARC21_TAGS),
        formats=frozenset((Format.MARC21,)),
        among=where(MARC21_TAGS, _QUICK.search),
    ),
    ContentRule(
        ids=("punctuation-left",),
        look=_cnmarc,
        tags=frozenset(CNMARC_TAGS),
        formats=frozenset((Format.CNMARC,)),
    ),
)
FIXES: Mapping[str, Fix] = {
    "punctuation-doubled": _fix(
        "punctuation-doubled", Format.MARC21, MARC21_TAGS, lambda tag, text: _single(text) if tag else text
    ),
    "punctuation-left": _fix("punctuation-left", Format.CNMARC, tuple(CNMARC_TAGS), _unmarked_field),
}
