"""Codes of languages and of countries, wherever they stand (pure).

Tables: `codes.tsv`. A withdrawn code is right in a record of a place that is no more; it is told where another code has
taken its place, and mended to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from catalog.model import Format
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.numbers import narrow
from dms.rules.content.values import FINE, Verdict
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record

LANGUAGE_CODES = "abcdefghijkmn"  # of 041 and 101; $2 names another list
LANGUAGE_PLACES: Mapping[Format, values.Places] = {
    Format.MARC21: {"041": LANGUAGE_CODES},
    Format.CNMARC: {"101": LANGUAGE_CODES},
}
PLACE_PLACES: Mapping[Format, values.Places] = {Format.MARC21: {"044": "a"}}
COUNTRY_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"102": "a", "801": "a"}}
_NO_CODE = frozenset(("|||", "   ", "", "zxx", "und", "mul"))


@cache
def _lists() -> Mapping[str, Mapping[str, str]]:
    """By list: code -> "" in use, "-" withdrawn, or what took its place."""
    found: dict[str, dict[str, str]] = {}
    for line in (Path(__file__).parent / "codes.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, codes, *now = line.split("\t")
            found.setdefault(name, {}).update(dict.fromkeys(codes.split(" "), now[0] if now else ""))
    return found


def is_language(code: str) -> bool:
    """Whether a code of the list of languages is in use."""
    return _lists()["language"].get(code, "-") == ""


class _List(NamedTuple):
    """One list of codes as it stands in records."""

    name: str  # in the table
    rule: str  # stem of the rules' ids
    case: Callable[[str], str]  # how its codes are written


_LANGUAGES = _List("language", "language", str.lower)
_MARC_PLACES = _List("place", "place", str.lower)
_COUNTRIES = _List("country", "country", str.upper)


def _judged(code: str, of: _List) -> tuple[Verdict, ...]:
    known = _lists()[of.name]
    now = known.get(code)
    if now in ("", "-"):  # in use, or right in its time
        return FINE
    if now is not None:
        return (Verdict(f"{of.rule}-code-old", mended=now),)
    plain = of.case(narrow(code).strip(" .;,"))
    if plain in known:
        return (Verdict(f"{of.rule}-code-form", mended=plain),)
    return (Verdict(f"{of.rule}-code"),)


@lru_cache(maxsize=4096)
def language(text: str) -> tuple[Verdict, ...]:
    """A language code in a subfield; several in one were the habit until 2001 (MARC 21, 041)."""
    if not text.strip() or text in _NO_CODE:
        return FINE
    if len(text) > 3 and len(text) % 3 == 0:
        each = [text[at : at + 3] for at in range(0, len(text), 3)]
        if all(is_language(code) for code in each):
            return (Verdict("language-codes-together", wanted=" ".join(each)),)
    return _judged(text, _LANGUAGES)


@lru_cache(maxsize=1024)
def place(text: str) -> tuple[Verdict, ...]:
    """A MARC country code; blanks fill it to three."""
    plain = text.rstrip(" ")
    return FINE if not plain or plain == "|||" else _judged(plain, _MARC_PLACES)


@lru_cache(maxsize=1024)
def country(text: str) -> tuple[Verdict, ...]:
    """A country code of ISO 3166-1."""
    return FINE if not text.strip() or text in ("XX", "ZZ") else _judged(text, _COUNTRIES)


Coded = tuple[str, str, int, int, Callable[[str], tuple[Verdict, ...]]]  # tag, code ("" control), start, end, judge
CODED: Mapping[Format, tuple[Coded, ...]] = {
    Format.MARC21: (("008", "", 35, 38, language), ("008", "", 15, 18, place)),
    Format.CNMARC: (("100", "a", 22, 25, language),),
}


def _part(text: str, code: str) -> tuple[int, str]:
    """Where a coded subfield's value begins in a field's text, and the value."""
    if not code:
        return 0, text
    at = text.find(DELIMITER + code)
    return (at + 2, text[at + 2 :].partition(DELIMITER)[0]) if at >= 0 else (-1, "")


def _in_coded_data(seen: Look) -> Iterator[Finding]:
    """Codes that can be mended; that a code is not in its list is told by the definitions of fixed positions."""
    for tag, code, start, end, judge in CODED[seen.format]:
        for nth, text in enumerate(seen.texts(tag), 1):
            stands = _part(text, code)[1][start:end]
            for verdict in judge(stands) if len(stands) == end - start else ():
                if verdict.mended is not None:
                    yield Finding(verdict.rule, tag, nth, code, start, stands, verdict.mended)


def _in_coded_among(columns: Columns, fmt: Format) -> Bools:
    texts, found = columns.texts, list[int]()
    for tag, code, start, end, judge in CODED[fmt]:
        for field in columns.tagged(bulk.of_tags((tag,))).tolist():
            stands = _part(texts[field], code)[1][start:end]
            if len(stands) == end - start and judge(stands):
                found.append(field)
    return columns.rows_of(found)


def _other_list(text: str) -> bool:
    """$2 or second indicator 7 of 041: the codes are not of the MARC list."""
    return text[1:2] == "7" or DELIMITER + "2" in text


_find_languages = values.looker(LANGUAGE_PLACES, language)
_find_countries = values.looker(COUNTRY_PLACES, country)


def _countries(seen: Look) -> Iterator[Finding]:
    """The codes of 102 that are two letters have their list among the definitions; others and 801 have not."""
    for finding in _find_countries(seen):
        if finding.rule != "country-code" or finding.tag != "102" or len(finding.value) != 2:
            yield finding


def _languages(seen: Look) -> Iterator[Finding]:
    for finding in _find_languages(seen):
        if not _other_list(seen.fields[finding.tag][finding.nth - 1]):
            yield finding


def _fix(rule: str, places: Mapping[Format, values.Places], judge: Callable[[str], tuple[Verdict, ...]]) -> Fix:
    def right(stands: str) -> str:
        return next((v.mended for v in judge(stands) if v.rule == rule and v.mended is not None), stands)

    def mend(record: Record, fmt: Format) -> Mended:
        coded = {tag: (code, start, end) for tag, code, start, end, known in CODED[fmt] if known is judge}
        listed = places.get(fmt, {})

        def change(tag: str, text: str) -> str:
            if tag in listed and not (judge is language and _other_list(text)):
                return values.each(text, listed[tag], right)
            if tag not in coded:
                return text
            code, start, end = coded[tag]
            at, value = _part(text, code)
            stands = value[start:end]
            if len(stands) < end - start:
                return text
            return text[: at + start] + right(stands).ljust(end - start) + text[at + end :]

        return edit.fields(record, rule, change, {*coded, *listed}) if coded or listed else Mended(record, ())

    return mend


def _apart(record: Record, fmt: Format) -> Mended:
    """Codes that stand together, each in a subfield of its own."""

    def change(tag: str, text: str) -> str:
        del tag
        if _other_list(text):
            return text
        head, *parts = text.split(DELIMITER)
        out = [head]
        for part in parts:
            verdicts = language(part[1:]) if part[:1] in LANGUAGE_CODES and part else FINE
            together = next((v.wanted for v in verdicts if v.rule == "language-codes-together"), "")
            out += [part[0] + code for code in together.split(" ")] if together else [part]
        return DELIMITER.join(out)

    return edit.fields(record, "language-codes-together", change, LANGUAGE_PLACES[fmt].keys())


_IN_CODED = tuple(f"{stem}-code{end}" for stem in ("language", "place") for end in ("-old", "-form"))

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("language-code", "language-code-old", "language-code-form", "language-codes-together"),
        look=_languages,
        among=values.among(LANGUAGE_PLACES, language),
        tags=values.tags(LANGUAGE_PLACES),
    ),
    ContentRule(
        ids=("country-code", "country-code-old", "country-code-form"),
        look=_countries,
        among=values.among(COUNTRY_PLACES, country),
        tags=values.tags(COUNTRY_PLACES),
        formats=frozenset((Format.CNMARC,)),
    ),
    ContentRule(
        ids=("place-code", "place-code-old", "place-code-form"),
        look=values.looker(PLACE_PLACES, place),
        among=values.among(PLACE_PLACES, place),
        tags=values.tags(PLACE_PLACES),
        formats=frozenset((Format.MARC21,)),
    ),
    ContentRule(ids=_IN_CODED, look=_in_coded_data, tags=frozenset(("008", "100")), among=_in_coded_among),
)
FIXES: Mapping[str, Fix] = {
    f"{stem}-code{end}": _fix(f"{stem}-code{end}", places, judge)
    for stem, places, judge in (
        ("language", LANGUAGE_PLACES, language),
        ("place", PLACE_PLACES, place),
        ("country", COUNTRY_PLACES, country),
    )
    for end in ("-old", "-form")
} | {"language-codes-together": _apart}
