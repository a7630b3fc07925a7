"""Dates: when a record was entered and changed, and the coded dates against the written ones (pure).

MARC 21: 005, 008/00-05, 008/06-14 against 260$c and 264$c. UNIMARC and CNMARC: 005, 100$a/00-16 against 210$d and
214$d. Years are compared only where both sides write one in four digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from catalog.model import Format
from dms import isbd
from dms.rules import edit
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import each, where
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import Record, subfields, value, values

_CHANGED = re.compile(r"(\d{8})(\d{6})\.\d")
_DIGITS = re.compile(r"\d+")
# Days and times beyond doubt; the last days of months are looked at.
_MONTH_AND_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])"
_SURELY_CHANGED = re.compile(f"20[0-9]{{2}}{_MONTH_AND_DAY}(?:[01][0-9]|2[0-3])[0-5][0-9]{{3}}\\.[0-9]")
_SURELY_ENTERED = re.compile(f"[0-9]{{2}}{_MONTH_AND_DAY}")
_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
# In a field, what may be no year of ours, c for copyright before it or the code of its subfield.
_PERHAPS_ODD = re.compile(r"(?:(?<!\w)|(?<=\x1f\w))c?(?!(?:1[0-9]{3}|20[0-9]{2})(?!\w))[\dOolI]{4}(?!\w)")
_PART_OF_YEAR = re.compile(r"\d{2,3}[-?u]|\[\d{3}\]")
EARLIEST, LATEST = 1960, 2100  # nobody entered a machine-readable record before, and nobody will have by then

# 008/06: what the two dates hold. "9": digits or u; " ": blank; "*": anything.
_MARC21_TYPES: Mapping[str, tuple[str, str]] = {
    "b": (" ", " "), "c": ("9", "9"), "d": ("9", "9"), "e": ("9", "*"), "i": ("9", "9"), "k": ("9", "9"),
    "m": ("9", "9"), "n": ("*", "*"), "p": ("9", "9"), "q": ("9", "9"), "r": ("9", "9"), "s": ("9", " "),
    "t": ("9", "9"), "u": ("9", "9"),
}  # fmt: skip
_ONE_YEAR = frozenset("serptd")  # types whose date 1 is the year of publication: of a UNIMARC d or h below
_UNIMARC_YEAR = frozenset("deh")
_SERIAL_TYPES = frozenset("abc")
_FILL = frozenset(" |#-^u?")
_WRITTEN: Mapping[Format, Mapping[str, str]] = {
    Format.MARC21: {"260": "c", "264": "c"},
    Format.CNMARC: {"210": "dh", "214": "d"},
}
_WRITTEN_TAGS = ("260", "264", "210", "214")
_FOUR = re.compile(r"(?<!\w)c?([\dOolI]{4})(?!\w)")  # what may have been meant as a year, c for copyright
_LETTERS = str.maketrans("OolI", "0011")
_CNMARC_ONLY = frozenset((Format.CNMARC,))
_MARC21_ONLY = frozenset((Format.MARC21,))
_EVERY_KIND = frozenset(Kind)


def is_day(digits: str) -> bool:
    """Whether eight digits are a day of the years in which records are made."""
    try:
        return EARLIEST <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year < LATEST
    except ValueError:
        return False


def _day_of_six(digits: str) -> bool:
    """yymmdd, of either century."""
    return is_day("20" + digits) or is_day("19" + digits)


def changed(text: str) -> str:
    """005 in its form where only blanks, the time or its tenth of a second are amiss; else the text."""
    if _CHANGED.fullmatch(text.strip()):
        return text.strip()
    digits = text.strip().rstrip(".")
    if _DIGITS.fullmatch(digits) and len(digits) in (8, 12, 14) and is_day(digits[:8]):
        return digits.ljust(14, "0") + ".0"
    return text


def _control(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("005"), 1):
        found = _CHANGED.fullmatch(text)
        if found is None:
            wanted = changed(text)
            rule = "changed-form" if wanted != text else "changed-unreadable"
            yield Finding(rule, "005", nth, "", 0, text[:40], wanted if wanted != text else "yyyymmddhhmmss.f")
        elif not is_day(found[1]) or found[2] > "240000" or found[2][2:4] > "59":
            yield Finding("changed-unreadable", "005", nth, "", 0, text, "yyyymmddhhmmss.f")


def odd_year(text: str) -> tuple[str, str]:
    """The first thing in a written date that can't be a year, and the year that it means; "" where nobody can say.

    Years of other calendars are left alone: Buddhist ones (25..), Jewish ones (5...).
    """
    for four in _FOUR.findall(text):
        meant = four.translate(_LETTERS)
        if four.isdecimal():
            if ("2100" <= four < "2400" or "2600" <= four < "3000") and not _YEAR.search(text):
                return four, ""
        elif sum(map(str.isdecimal, four)) >= 2 and _YEAR.fullmatch(meant):
            return four, meant
    return "", ""


def _written(seen: Look) -> Iterator[Finding]:
    for tag, codes in _WRITTEN[seen.format].items():
        for nth, text in enumerate(seen.texts(tag), 1):
            for code, stands in subfields(text):
                if code in codes and (odd := odd_year(stands))[0]:
                    rule = "year-letters" if odd[1] else "year-impossible"
                    yield Finding(rule, tag, nth, code, -1, stands[:200], odd[1])


def _mend_written(record: Record, fmt: Format) -> Mended:
    def put(stands: str) -> str:
        while (odd := odd_year(stands))[1]:
            stands = stands.replace(odd[0], odd[1], 1)
        return stands

    places = _WRITTEN[fmt]
    return edit.fields(record, "year-letters", lambda tag, text: each(text, places[tag], put), places.keys())


def _mend_changed(record: Record, fmt: Format) -> Mended:
    del fmt
    return edit.fields(record, "changed-form", lambda tag, text: changed(text) if tag else text, ("005",))


def _fits(digits: str, form: str) -> bool:
    if form == "*" or digits == "||||":
        return True
    if form == " ":
        return digits in ("    ", "####")
    return all(c.isdecimal() or c == "u" for c in digits)


def _entered_008(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("008"), 1):
        if len(text) >= 6 and text[:6].isdecimal() and not _day_of_six(text[:6]):
            yield Finding("entered-impossible", "008", nth, "", 0, text[:6], "yymmdd")


def _marc21(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("008"), 1):
        if len(text) < 15:
            continue
        kind, one, two = text[6], text[7:11], text[11:15]
        if kind in _MARC21_TYPES:
            forms = _MARC21_TYPES[kind]
            if kind == "t" and _fits(one, "9") and two == "    ":
                yield Finding("date-type-single", "008", nth, "", 6, kind, "s")
            elif not _fits(one, forms[0]) or not _fits(two, forms[1]):
                yield Finding("date-type", "008", nth, "", 6, text[6:15], f"{kind}{_told(forms)}")
            elif kind in "cdikmqu" and one.isdecimal() and two.isdecimal() and two < one:
                yield Finding("dates-order", "008", nth, "", 7, f"{one}-{two}")
        if kind in _ONE_YEAR and kind != "d" and one.isdecimal():
            written = [v for tag in ("260", "264") for t in seen.texts(tag) for v in values(t, "c")]
            yield from _compared(written, {one, two}, one, "008", nth, "", 7)


def _told(forms: tuple[str, str]) -> str:
    return "".join({"9": "9999", " ": "####", "*": "****"}[form] for form in forms)


def _compared(
    written: list[str], coded: set[str], one: str, tag: str, nth: int, code: str, at: int
) -> Iterator[Finding]:
    """The coded year among the written ones; silent where one of these is written in part or in another way."""
    text = " ".join(written)
    years = _YEAR.findall(text)
    if years and not coded.intersection(years) and not _PART_OF_YEAR.search(text):
        if any(str(isbd.year(one_text)) in coded for one_text in written):
            return
        yield Finding("dates-differ", tag, nth, code, at, one, " / ".join(dict.fromkeys(years)))


def _cnmarc(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("100"), 1):
        data = value(text, "a")
        if len(data) < 17:
            continue
        if not is_day(data[:8]) and not set(data[:8]) <= _FILL:
            yield Finding("entered-impossible", "100", nth, "a", 0, data[:8], "yyyymmdd")
        kind, one, two = data[8], data[9:13], data[13:17]
        if kind.isupper():
            yield Finding("coded-case", "100", nth, "a", 8, kind, kind.lower())
            kind = kind.lower()
        serial = seen.record.leader[7:8] in ("s", "i")
        if (kind in _SERIAL_TYPES) != serial and kind in "abcdefghij" and seen.record.leader[7:8] in "ms":
            yield Finding("date-type-level", "100", nth, "a", 8, kind, "a b c" if serial else "d e f g h i j")
        if kind in "bgf" and one.isdecimal() and two.isdecimal() and two < one:
            yield Finding("dates-order", "100", nth, "a", 9, f"{one}-{two}")
        if kind in _UNIMARC_YEAR and one.isdecimal():
            written = [v for tag in ("210", "214") for t in seen.texts(tag) for v in values(t, "dh")]
            yield from _compared(written, {one, two}, one, "100", nth, "a", 9)


def _mend_case(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())

    def change(tag: str, text: str) -> str:
        at = text.find("\x1fa")
        if tag != "100" or at < 0 or len(value(text, "a")) < 17:
            return text
        return text[: at + 10] + text[at + 10].lower() + text[at + 11 :]

    return edit.fields(record, "coded-case", change, ("100",))


def _mend_single(record: Record, fmt: Format) -> Mended:
    """Two dates are said and one is given: it is a single date (008/06 s)."""
    if fmt != Format.MARC21:
        return Mended(record, ())

    def change(tag: str, text: str) -> str:
        del tag
        single = len(text) >= 15 and text[6] == "t" and text[11:15] == "    " and _fits(text[7:11], "9")
        return text[:6] + "s" + text[7:] if single else text

    return edit.fields(record, "date-type-single", change, ("008",))


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("year-letters", "year-impossible"),
        look=_written,
        tags=frozenset(_WRITTEN_TAGS),
        among=where(_WRITTEN_TAGS, _PERHAPS_ODD.search),
    ),
    ContentRule(
        ids=("changed-form", "changed-unreadable"),
        look=_control,
        tags=frozenset(("005",)),
        kinds=_EVERY_KIND,
        among=where(("005",), lambda text: not _SURELY_CHANGED.fullmatch(text)),
    ),
    ContentRule(
        ids=("entered-impossible",),
        look=_entered_008,
        tags=frozenset(("008",)),
        formats=_MARC21_ONLY,
        kinds=_EVERY_KIND,
        among=where(("008",), lambda text: not _SURELY_ENTERED.match(text)),
    ),
    ContentRule(
        ids=("date-type", "date-type-single", "dates-order", "dates-differ"),
        look=_marc21,
        tags=frozenset(("008",)),
        formats=_MARC21_ONLY,
    ),
    ContentRule(
        ids=("entered-impossible", "coded-case", "date-type-level", "dates-order", "dates-differ"),
        look=_cnmarc,
        tags=frozenset(("100",)),
        formats=_CNMARC_ONLY,
    ),
)
FIXES: Mapping[str, Fix] = {
    "year-letters": _mend_written,
    "changed-form": _mend_changed,
    "coded-case": _mend_case,
    "date-type-single": _mend_single,
}
