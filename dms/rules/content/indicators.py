"""Indicators that follow from the rest of a MARC 21 record (041, 245, links), and groups of codes in 008 (pure).

Each is what the format says of the indicator; a value that says something else is a slip or an older habit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules import edit
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record

_MAIN = ("100", "110", "111", "130")
_LINKS = tuple(f"{tag}" for tag in range(765, 788))

# Groups of 008 by kind of material (leader/06, and 07 for language material): start, end, whether its codes are in
# alphabetical order; otherwise the most important stands first (MARC 21 Bibliographic, 008: All materials by type).
_BOOKS = ((18, 22, True), (24, 28, True))
_SERIALS = ((25, 28, True),)
_MUSIC = ((24, 30, True), (30, 32, True))
_MAPS = ((18, 22, False), (33, 35, False))
_GROUPS = dict.fromkeys("cdij", _MUSIC) | dict.fromkeys("ef", _MAPS)
_LANGUAGE = re.compile(r"[a-z]{3}|[ |#]{3}")  # of 008/35-37; anything else, and the whole 008 may be shifted


def _groups(leader: str) -> tuple[tuple[int, int, bool], ...]:
    kind, level = leader[6:7], leader[7:8]
    if kind in ("a", "t"):
        return _SERIALS if level in ("b", "i", "s") else _BOOKS
    return _GROUPS.get(kind, ())


def ordered(group: str, alphabetical: bool) -> str:
    """Codes of a group to the left, in their order; fill characters go where there are codes."""
    codes = [code for code in group if code not in " |#"]
    if not codes or not all(code.isalnum() for code in codes):
        return group
    if alphabetical:
        codes.sort(key=lambda code: (code.isdecimal(), code))
    return "".join(codes).ljust(len(group))


def _in_place(text: str) -> bool:
    """Whether an 008's codes are where they belong; in one that is shifted a language would be put in order."""
    return len(text) != 40 or _LANGUAGE.fullmatch(text, 35, 38) is not None


def _ordered_008(leader: str, text: str) -> str:
    if not _in_place(text):
        return text
    for start, end, alphabetical in _groups(leader):
        if len(text) >= end:
            text = text[:start] + ordered(text[start:end], alphabetical) + text[end:]
    return text


def _look_008(seen: Look) -> Iterator[Finding]:
    groups = _groups(seen.record.leader)
    for nth, text in enumerate(seen.texts("008"), 1):
        for start, end, alphabetical in groups:
            stands = text[start:end]
            right = ordered(stands, alphabetical)
            if right != stands and len(stands) == end - start and _in_place(text):
                yield Finding("codes-order", "008", nth, "", start, stands, right)


def _mend_008(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21 or not _groups(record.leader):
        return Mended(record, ())
    return edit.fields(
        record, "codes-order", lambda tag, text: _ordered_008(record.leader, text) if tag else text, ("008",)
    )


def _title(seen: Look) -> Iterator[Finding]:
    """245, first indicator: 0 under title, 1 under a 1XX."""
    wanted = "1" if any(tag in seen.fields for tag in _MAIN) else "0"
    for nth, text in enumerate(seen.texts("245"), 1):
        if text[:1] != wanted:
            yield Finding("title-added-entry", "245", nth, "ind1", -1, text[:1], wanted)


def _mend_title(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    wanted = "1" if record.first(*_MAIN) is not None else "0"
    return edit.fields(record, "title-added-entry", lambda tag, text: wanted + text[1:] if tag else text, ("245",))


def _translation(text: str) -> str:
    """041 with the language of an original is of a translation."""
    return "1" + text[1:] if text[:1] == " " and DELIMITER + "h" in text else text


def _languages(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("041"), 1):
        if _translation(text) != text:
            yield Finding("translation-indicator", "041", nth, "ind1", -1, text[:1], "1")


def _mend_languages(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    return edit.fields(record, "translation-indicator", lambda tag, text: _translation(text) if tag else text, ("041",))


def _constant(text: str) -> str:
    """A link that brings its own words ($i) shows no display constant."""
    return f"{text[:1]}8{text[2:]}" if text[1:2] == " " and DELIMITER + "i" in text else text


def _links(seen: Look) -> Iterator[Finding]:
    for tag in _LINKS:
        for nth, text in enumerate(seen.texts(tag), 1):
            if _constant(text) != text:
                yield Finding("display-constant", tag, nth, "ind2", -1, text[1:2], "8")


def _mend_links(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    return edit.fields(record, "display-constant", lambda tag, text: _constant(text) if tag else text, _LINKS)


_MARC21 = frozenset((Format.MARC21,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(ids=("codes-order",), look=_look_008, tags=frozenset(("008",)), formats=_MARC21),
    ContentRule(ids=("title-added-entry",), look=_title, tags=frozenset(("245",)), formats=_MARC21),
    ContentRule(ids=("translation-indicator",), look=_languages, tags=frozenset(("041",)), formats=_MARC21),
    ContentRule(ids=("display-constant",), look=_links, tags=frozenset(_LINKS), formats=_MARC21),
)
FIXES: Mapping[str, Fix] = {
    "codes-order": _mend_008,
    "title-added-entry": _mend_title,
    "translation-indicator": _mend_languages,
    "display-constant": _mend_links,
}
