"""Links between records: 4XX of CNMARC with its embedded fields, 76X-78X and series of MARC 21 (pure).

225 is the series as the thing shows it; its heading is in 410 (CALIS) or 461/462 (NLC). In MARC 21 490 with first
indicator 1 has its heading in 8XX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from catalog.model import Format
from catalog.search.fold import fold
from dms.formats.statements import trim
from dms.match.volume import designation, relation
from dms.rules import edit
from dms.rules.content import dialects
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Mended
from protocols import embedded
from protocols.marc import DELIMITER, Record, value

LINKS = tuple(f"{tag}" for tag in range(410, 489))
_LINKS = frozenset(LINKS)
_SERIES_LINKS = ("410", "461", "462")
_TRACED = ("800", "810", "811", "830")
_TELLING = re.compile(r"\x1f[atslwxz0-9]")  # a title, an identifier, or a link of any kind
_MARC21_LINKS = frozenset(f"{tag}" for tag in range(760, 788))
_MARC21_TELLING = re.compile(r"\x1f[astwxzoruikn0]")


def _shown(text: str) -> str:
    return text[2:].replace(DELIMITER, " ‡").strip()[:LONGEST_VALUE]


def title_and_volume(text: str) -> tuple[str, str]:
    """Title and number of a 4XX field, embedded or in standard subfields."""
    title = volume = ""
    for tag, inner in embedded.fields(text):
        if tag == "200":
            title = title or value(inner, "a")
            volume = volume or value(inner, "v") or value(inner, "h")
        elif tag == embedded.OUTSIDE:
            title = title or value(inner, "t") or value(inner, "a")
            volume = volume or value(inner, "v") or value(inner, "h")
    return trim(title), trim(volume)


def _cnmarc(seen: Look) -> Iterator[Finding]:
    own = value((seen.texts("200") or ("",))[0], "a")
    named = value((seen.texts("200") or ("",))[0], "h")
    for tag in sorted(_LINKS & seen.fields.keys()):
        for nth, text in enumerate(seen.fields[tag], 1):
            if embedded.broken(text):
                yield Finding("link-embedded", tag, nth, "1", -1, _shown(text))
            if "\x1f1" in text and embedded.padded(text) != text:
                yield Finding("link-embedded-blank", tag, nth, "1", -1, _shown(text))
            if not _TELLING.search(text):
                yield Finding("link-empty", tag, nth, "", -1, _shown(text))
            elif tag in ("461", "462") and own:
                title, volume = title_and_volume(text)
                if title and fold(title) == fold(trim(own)):
                    if not volume and not named:
                        yield Finding("link-own-volume", tag, nth, "v", -1, title)
                    elif volume and named and _differ(volume, named):
                        yield Finding("link-volume-differs", tag, nth, "v", -1, volume, named)


def _differ(one: str, other: str) -> bool:
    """Whether two designations name different volumes, in whatever figures."""
    here, there = (designation((text,))[0] for text in (one, other))
    return bool(here and there) and relation(here, there) == "clash"


def _pairs(seen: Look) -> Iterator[Finding]:
    """225 that says it has a heading (first indicator 0 or 2) and its link, in the dialect's field."""
    linked = [tag for tag in _SERIES_LINKS if tag in seen.fields]
    dialect = dialects.of(seen)
    if not linked and dialect:
        for nth, text in enumerate(seen.texts("225"), 1):
            if text[:1] in "02" and value(text, "a"):
                wanted = " / ".join(dialect.series)
                yield Finding("series-link-missing", "225", nth, "", -1, value(text, "a")[:LONGEST_VALUE], wanted)
    known = dialects.by_agency(seen)
    told = {fold(trim(value(text, "a"))) for text in seen.texts("225")}
    for tag in linked if known and told else ():
        for nth, text in enumerate(seen.texts(tag), 1):
            if known and tag not in known.series and fold(title_and_volume(text)[0]) in told:
                yield Finding("series-link-dialect", tag, nth, "", -1, known.name.upper(), " / ".join(known.series))


def _marc21(seen: Look) -> Iterator[Finding]:
    for tag in sorted(_MARC21_LINKS & seen.fields.keys()):
        for nth, text in enumerate(seen.fields[tag], 1):
            if not _MARC21_TELLING.search(text):
                yield Finding("link-empty", tag, nth, "", -1, _shown(text))


def _wanted_490(fields: Mapping[str, int], text: str) -> str:
    """The first indicator of a 490: 0 where no heading stands in 8XX, 1 where each 490 has one; else as it is."""
    traced = sum(fields.get(tag, 0) for tag in _TRACED)
    if not traced and text[:1] == "1":
        return "0"
    return "1" if traced and text[:1] == "0" and traced == fields.get("490", 0) else text[:1]


def _series(seen: Look) -> Iterator[Finding]:
    counts = {tag: len(texts) for tag, texts in seen.fields.items()}
    for nth, text in enumerate(seen.texts("490"), 1):
        wanted = _wanted_490(counts, text)
        if wanted != text[:1]:
            yield Finding("series-traced", "490", nth, "ind1", -1, text[:1], wanted)


def _mend_series(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    counts = {tag: len(record.all(tag)) for tag in (*_TRACED, "490")}
    return edit.fields(record, "series-traced", lambda tag, text: _wanted_490(counts, text) + text[1:], ("490",))


def _mend_blank(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())
    return edit.fields(record, "link-embedded-blank", lambda tag, text: embedded.padded(text) if tag else text, LINKS)


_CNMARC = frozenset((Format.CNMARC,))
_MARC21 = frozenset((Format.MARC21,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("link-embedded", "link-embedded-blank", "link-empty", "link-own-volume", "link-volume-differs"),
        look=_cnmarc,
        tags=_LINKS,
        formats=_CNMARC,
    ),
    ContentRule(
        ids=("series-link-missing", "series-link-dialect"),
        look=_pairs,
        tags=frozenset(("225", *_SERIES_LINKS)),
        formats=_CNMARC,
    ),
    ContentRule(ids=("link-empty",), look=_marc21, tags=_MARC21_LINKS, formats=_MARC21),
    ContentRule(ids=("series-traced",), look=_series, tags=frozenset(("490",)), formats=_MARC21),
)
FIXES: Mapping[str, Fix] = {"link-embedded-blank": _mend_blank, "series-traced": _mend_series}
