"""Who made a record and what they call it: 001, 003, 035, and 801 of CNMARC (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from catalog.model import Format
from dms.rules import edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content import dates, values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.numbers import narrow
from dms.rules.content.values import FINE, Verdict
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import Record

SYSTEM_PLACES: Mapping[Format, values.Places] = {fmt: {"035": "az"} for fmt in Format}
DATE_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"801": "c"}}
_CNMARC_ONLY = frozenset((Format.CNMARC,))

_SYSTEM = re.compile(r"\([^()\s]+\)\S.*", re.S)
_SURELY_SYSTEM = re.compile(r"[^\x1f]*(?:\x1f[az]\([^()\s\x1f]+\)[^\s\x1f][^\x1f]*)+")  # as a whole field
_LOOSE = re.compile(r"\s*\(\s*([^()]+?)\s*\)\s*(.*?)\s*", re.S)
_NUMBER = re.compile(r"[ -~]+")  # LCCNs have blanks inside
_AGENCY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/.-]{0,15}")


@lru_cache(maxsize=8192)
def system_number(text: str) -> tuple[Verdict, ...]:
    """035: the agency in parentheses, then its number, without blanks between."""
    if _SYSTEM.fullmatch(text) or not text.strip():
        return FINE
    found = _LOOSE.fullmatch(narrow(text))
    mended = f"({found[1]}){found[2]}" if found else ""
    if _SYSTEM.fullmatch(mended):
        return (Verdict("system-number-form", mended=mended),)
    return (Verdict("system-number-agency", wanted="(…)…"),)


@lru_cache(maxsize=4096)
def agency_date(text: str) -> tuple[Verdict, ...]:
    """801$c: the day of the transaction in eight digits (a year and month do in life)."""
    if dates.is_day(text) or not text.strip():
        return FINE
    digits = re.sub(r"[-./年月日\s]", "", narrow(text))
    if digits != text and dates.is_day(digits):
        return (Verdict("agency-date-form", mended=digits),)
    return (Verdict("agency-date", wanted="yyyymmdd"),)


def _control(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("001"), 1):
        if text.strip() and not _NUMBER.fullmatch(text):
            yield Finding("control-number-signs", "001", nth, "", 0, text[:60])
    if seen.format != Format.MARC21:
        return
    for nth, text in enumerate(seen.texts("003"), 1):
        if not _AGENCY.fullmatch(text):
            stripped = text.strip()
            rule = "agency-code-blank" if stripped != text and _AGENCY.fullmatch(stripped) else "agency-code"
            yield Finding(rule, "003", nth, "", 0, text[:40], stripped if rule == "agency-code-blank" else "")


_odd_number = values.where(("001",), lambda text: not _NUMBER.fullmatch(text))
_odd_agency = values.where(("003",), lambda text: not _AGENCY.fullmatch(text))


def _control_among(columns: Columns, fmt: Format) -> Bools:
    return _odd_number(columns, fmt) | _odd_agency(columns, fmt)


def _mend_blank(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    return edit.fields(
        record,
        "agency-code-blank",
        lambda tag, text: text.strip() if tag and _AGENCY.fullmatch(text.strip()) else text,
        ("003",),
    )


def _ordered(texts: list[str]) -> list[str]:
    """801 fields with the original cataloguing agency (second indicator 0) first."""
    return sorted(texts, key=lambda text: text[1:2] != "0")


def _order(seen: Look) -> Iterator[Finding]:
    texts = list(seen.texts("801"))
    originals = [text for text in texts if text[1:2] == "0"]
    if len(originals) > 1:
        yield Finding("agency-originals", "801", texts.index(originals[1]) + 1, "ind2", -1, str(len(originals)), "1")
    if _ordered(texts) != texts:
        yield Finding("agency-order", "801", texts.index(originals[0]) + 1, "ind2", -1, "0")


def _mend_order(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())
    left = iter(_ordered(record.all("801")))
    return edit.fields(record, "agency-order", lambda tag, text: next(left) if tag else text, ("801",))


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("system-number-form", "system-number-agency"),
        look=values.looker(SYSTEM_PLACES, system_number),
        tags=frozenset(("035",)),
        kinds=frozenset(Kind),
        among=values.where(("035",), lambda text: not _SURELY_SYSTEM.fullmatch(text)),
    ),
    ContentRule(
        ids=("control-number-signs", "agency-code", "agency-code-blank"),
        look=_control,
        tags=frozenset(("001", "003")),
        kinds=frozenset(Kind),
        among=_control_among,
    ),
    ContentRule(
        ids=("agency-date", "agency-date-form"),
        look=values.looker(DATE_PLACES, agency_date),
        among=values.among(DATE_PLACES, agency_date),
        tags=frozenset(("801",)),
        formats=_CNMARC_ONLY,
        kinds=frozenset(Kind),
    ),
    ContentRule(
        ids=("agency-order", "agency-originals"),
        look=_order,
        tags=frozenset(("801",)),
        formats=_CNMARC_ONLY,
        kinds=frozenset(Kind),
    ),
)
FIXES: Mapping[str, Fix] = {
    "system-number-form": values.fixer("system-number-form", SYSTEM_PLACES, system_number),
    "agency-date-form": values.fixer("agency-date-form", DATE_PLACES, agency_date),
    "agency-code-blank": _mend_blank,
    "agency-order": _mend_order,
}
