"""Holdings: 905 of CNMARC, and 852, 853-855 and 863-865 of MARC 21 with their links (pure).

853 names the parts of an enumeration and chronology, 863 gives their values; $8 of 863 is the number of its 853, a
point, and a sequence number (MARC 21 Holdings, 853-855 and 863-865).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from catalog.model import Format
from dms.rules.content import dialects
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.model import Finding, Kind
from protocols.marc import DELIMITER, subfields, value

_LINK = re.compile(r"(\d+)(?:\.(\d+))?(?:\\[apru])?")
_PAIRS = (("853", "863"), ("854", "864"), ("855", "865"))
_ENUMERATION = frozenset("abcdefghijklm")
_WHERE = re.compile(r"\x1f[abcdhijklm]")  # of 852: who has it, or where it stands
_BOTH_KINDS = frozenset((Kind.BIBLIOGRAPHIC, Kind.HOLDINGS))


def _codes(text: str) -> str:
    return "".join([part[0] for part in text.split(DELIMITER)[1:] if len(part) > 1])


def _905(seen: Look) -> Iterator[Finding]:
    """What a 905 lacks, by its dialect; where that isn't told, a call number of any form."""
    dialect = dialects.of(seen)
    groups = dialect.held if dialect else ("dfsb",)
    for nth, text in enumerate(seen.texts("905"), 1):
        codes = _codes(text)
        lacking = [group for group in groups if not set(group) & set(codes)]
        if lacking and codes:
            wanted = " ".join("$" + "/$".join(group) for group in lacking)
            yield Finding(
                "copy-incomplete", "905", nth, lacking[0][0], -1, text[2:].replace(DELIMITER, " ‡")[:200], wanted
            )


def _852(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("852"), 1):
        if not _WHERE.search(text):
            yield Finding("location-missing", "852", nth, "a", -1, text[2:].replace(DELIMITER, " ‡")[:200], "$a / $b")


def _captions(seen: Look) -> Iterator[Finding]:
    for caption_tag, value_tag in _PAIRS:
        captions: dict[str, str] = {}
        for nth, text in enumerate(seen.texts(caption_tag), 1):
            found = _LINK.fullmatch(value(text, "8").strip())
            if found is None:
                yield Finding("link8-form", caption_tag, nth, "8", -1, value(text, "8")[:40], "N")
            else:
                captions[found[1]] = text
        taken: set[str] = set()
        for nth, text in enumerate(seen.texts(value_tag), 1):
            link = value(text, "8").strip()
            found = _LINK.fullmatch(link)
            if found is None or not found[2]:
                yield Finding("link8-form", value_tag, nth, "8", -1, link[:40], "N.N")
                continue
            if link in taken:
                yield Finding("link8-twice", value_tag, nth, "8", -1, link)
            taken.add(link)
            caption = captions.get(found[1])
            if caption is None:
                yield Finding("caption-missing", value_tag, nth, "8", -1, link, f"{caption_tag}$8 {found[1]}")
            else:
                yield from _unnamed(value_tag, nth, text, set(_codes(caption)))


def _unnamed(tag: str, nth: int, text: str, named: set[str]) -> Iterator[Finding]:
    """Levels of enumeration or chronology that have a value and no caption."""
    for code, held in subfields(text):
        if code in _ENUMERATION and code not in named:
            yield Finding("caption-level", tag, nth, code, -1, held[:40])


_MARC21 = frozenset((Format.MARC21,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(ids=("copy-incomplete",), look=_905, tags=frozenset(("905",)), formats=frozenset((Format.CNMARC,))),
    ContentRule(ids=("location-missing",), look=_852, tags=frozenset(("852",)), formats=_MARC21, kinds=_BOTH_KINDS),
    ContentRule(
        ids=("link8-form", "link8-twice", "caption-missing", "caption-level"),
        look=_captions,
        tags=frozenset(tag for pair in _PAIRS for tag in pair),
        formats=_MARC21,
        kinds=_BOTH_KINDS,
    ),
)
FIXES: Mapping[str, Fix] = {}
