"""ISBN, ISSN and EAN: form, length, check digit, hyphens, and what else stands beside an ISBN (pure).

ISBN: ISO 2108:2017 (annex C check digits, annex A parts). ISSN: ISO 3297:2022, annex A. A wrong check digit is told and
never mended: which of the digits is wrong, only the book knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from catalog.model import Format
from dms.rules import edit
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import FINE, Verdict
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, subfields

ISBN_PLACES: Mapping[Format, values.Places] = {Format.MARC21: {"020": "a"}, Format.CNMARC: {"010": "a"}}
ISSN_PLACES: Mapping[Format, values.Places] = {
    Format.MARC21: {
        "022": "a", "440": "x", "490": "x", "760": "x", "762": "x", "765": "x", "767": "x", "770": "x", "772": "x",
        "773": "x", "775": "x", "776": "x", "777": "x", "780": "x", "785": "x", "786": "x", "787": "x", "800": "x",
        "810": "x", "811": "x", "830": "x",
    },
    Format.CNMARC: dict.fromkeys(("011",), "a") | dict.fromkeys(("225", "410", "430", "440", "451", "452"), "x"),
}  # fmt: skip
EAN_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"073": "a"}}

_WIDE = {c + 0xFEE0: c for c in range(0x21, 0x7F)} | {0x3000: 0x20} | dict.fromkeys(map(ord, "‐‑–—−﹣"), 0x2D)
_LIKE_X = {0x425: 0x58, 0x445: 0x58}  # a Cyrillic Ha typed for the check digit looks the same
_NARROW = _WIDE | _LIKE_X
_FORM = re.compile(r"\s*(ISBN(?:-1[03])?[:\s]*)?(\d[\d\- ]*\d[- ]?[Xx]?|\d)(?![\w])\s*(.*?)([\s:;,.]*)$", re.I | re.S)
_PRICE = re.compile(r"[:：]?\s*\(?\s*(?:CNY|RMB|USD|HKD|TWD|NT\$|HK\$|US\$|GBP|EUR|[￥¥$£€])\s*\d|\d+(?:\.\d+)?\s*元")
_ISSN = re.compile(r"[\s(]*(?:ISSN[:=\s(]*)?(\d{4})([\s\-]*)(\d{3}[\dXx])(?![\dXx])\)*", re.I)


class Number(NamedTuple):
    """An $a of 010 or 020 taken apart."""

    label: str  # "ISBN " before it
    digits: str  # without hyphens, X in capitals
    written: str  # as it stands, hyphens and all
    rest: str  # qualifier or price behind it
    tail: str  # ISBD mark at the end


def narrow(text: str) -> str:
    """Full-width letters, digits and dashes in ASCII, and the Cyrillic letter that looks like an X."""
    return text if text.isascii() else text.translate(_NARROW)


def number(text: str) -> Number | None:
    """The number at the start of a text; None if there is none."""
    found = _FORM.match(narrow(text))
    if found is None or not found[2]:
        return None
    written = found[2].strip()
    digits = written.replace("-", "").replace(" ", "").upper()
    return Number(found[1] or "", digits, written, found[3].strip(), found[4])


def check_digit(digits: str) -> str:
    """The check digit that 9 or 12 digits ask for; "" for other lengths."""
    if len(digits) == 9:
        rest = -sum(map(lambda w, d: w * int(d), range(10, 1, -1), digits)) % 11
        return "X" if rest == 10 else str(rest)
    if len(digits) == 12:
        return str(-(sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10)
    return ""


@cache
def _ranges() -> Mapping[str, tuple[tuple[str, str], ...]]:
    found = {}
    for line in (Path(__file__).parent / "isbn_ranges.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            element, _, ranges = line.partition("\t")
            found[element] = tuple((low, high or low) for low, _, high in (r.partition("-") for r in ranges.split(",")))
    return found


def _cut(element: str, digits: str) -> int:
    """How many digits the element after `element` has, by the range message; 0 where it doesn't say."""
    for low, high in _ranges().get(element, ()):
        if low <= digits[: len(low)] <= high:
            return len(low)
    return 0


@lru_cache(maxsize=8192)
def hyphenated(digits: str) -> str:
    """A valid ISBN with its hyphens by the range message; "" where its group or registrant is not in it."""
    prefix, body = ("978", digits) if len(digits) == 10 else (digits[:3], digits[3:])
    group = _cut(prefix, body)
    registrant = _cut(f"{prefix}-{body[:group]}", body[group:]) if group else 0
    at = group + registrant
    if not registrant or at >= len(body) - 1:
        return ""
    parts = [body[:group], body[group:at], body[at:-1], body[-1]]
    return "-".join(parts if len(digits) == 10 else [prefix, *parts])


@lru_cache(maxsize=8192)
def isbn(text: str) -> tuple[Verdict, ...]:
    """What is wrong with an ISBN as it stands."""
    if not text.strip():
        return FINE
    found = number(text)
    if found is None:
        return (Verdict("isbn-none"),)
    told: list[Verdict] = []
    if not text.isascii() and any(c in text for c in _wide_in_codes(text)):
        told.append(Verdict("isbn-wide", mended=_narrow_number(text)))
    if found.label:
        told.append(Verdict("isbn-label", mended=re.sub(r"^\s*ISBN(?:-1[03])?[:\s：]*", "", text, flags=re.I)))
    if found.rest:
        rule = "isbn-price" if _PRICE.match(found.rest) else "isbn-qualifier"
        told.append(Verdict(rule, wanted=found.written))
    digits = found.digits
    if len(digits) not in (10, 13) or not digits[:-1].isdigit() or (len(digits) == 13 and digits[-1] == "X"):
        told.append(Verdict("isbn-length", wanted="10 / 13"))
    elif len(digits) == 13 and digits[:3] not in ("978", "979"):
        told.append(Verdict("isbn-prefix", wanted="978 / 979"))
    elif (wanted := check_digit(digits[:-1])) != digits[-1]:
        told.append(Verdict("isbn-check-digit", wanted=wanted))
    elif not text.isascii() and told and told[0].rule == "isbn-wide":
        pass  # hyphens are looked at when they are hyphens
    elif "-" in found.written or " " in found.written:
        right = hyphenated(digits)
        if right and right != found.written.upper():
            told.append(Verdict("isbn-hyphens", right, text.replace(found.written, right, 1)))
    if found.written.endswith("x") and not any(v.rule in ("isbn-hyphens", "isbn-length", "isbn-wide") for v in told):
        told.append(Verdict("isbn-small-x", mended=text.replace(found.written, found.written[:-1] + "X", 1)))
    return tuple(told)


def _wide_in_codes(text: str) -> str:
    """The full-width signs within the number at the start of a text."""
    found = _FORM.match(narrow(text))
    return "".join([c for c in text[: found.end(2)] if not c.isascii() and ord(c) in _NARROW]) if found else ""


def _narrow_number(text: str) -> str:
    found = _FORM.match(narrow(text))
    end = found.end(2) if found else 0
    return narrow(text[:end]) + text[end:]


@lru_cache(maxsize=8192)
def issn(text: str) -> tuple[Verdict, ...]:
    """What is wrong with an ISSN as it stands."""
    plain = narrow(text)
    found = _ISSN.match(plain)
    if found is None:
        return (Verdict("issn-form", wanted="NNNN-NNNX"),) if text.strip() else FINE
    digits = (found[1] + found[3]).upper()
    rest = -sum((8 - at) * int(digit) for at, digit in enumerate(digits[:7])) % 11
    wanted = "X" if rest == 10 else str(rest)
    if wanted != digits[7]:
        return (Verdict("issn-check-digit", wanted=wanted),)
    right = f"{digits[:4]}-{digits[4:]}"
    if text[: found.end()] != right:
        return (Verdict("issn-hyphen", right, right + text[found.end() :]),)
    return FINE


@lru_cache(maxsize=4096)
def ean(text: str) -> tuple[Verdict, ...]:
    """An EAN of thirteen digits with a wrong check digit; other forms are not judged."""
    digits = text.strip().replace("-", "").replace(" ", "")
    if len(digits) == 13 and digits.isascii() and digits.isdigit() and check_digit(digits[:-1]) != digits[-1]:
        return (Verdict("ean-check-digit", wanted=check_digit(digits[:-1])),)
    return FINE


def _eans_of_marc21(seen: Look) -> Iterator[Finding]:
    """024 with first indicator 3 is an EAN (MARC 21, 024)."""
    for nth, text in enumerate(seen.texts("024"), 1):
        if text[:1] == "3":
            for code, value in subfields(text):
                if code == "a" and (told := ean(value)):
                    yield Finding("ean-check-digit", "024", nth, "a", -1, value[:200], told[0].wanted)


def _move(rule: str, to: Mapping[Format, str]) -> Fix:
    """Move what stands behind an ISBN into its own subfield: MARC 21 $q (repeatable), $c; CNMARC $b, $d."""

    def mend(record: Record, fmt: Format) -> Mended:
        def change(tag: str, text: str) -> str:
            head, *parts = text.split(DELIMITER)
            kept = [head]
            moved: list[str] = []
            for part in parts:
                if part[:1] == "a" and any(v.rule == rule for v in isbn(part[1:])):
                    found = number(part[1:])
                    assert found is not None  # a rest has a number before it
                    at = _end_of_number(part[1:])
                    moved.append(found.rest.lstrip(": ：") if rule == "isbn-price" else _unbracketed(found.rest))
                    part = part[: at + 1].rstrip()
                    if fmt == Format.MARC21:  # the sign before a price stays the last before it
                        before, behind = ("", found.tail) if rule == "isbn-qualifier" else (found.tail, "")
                        kept += [part + before, to[fmt] + moved.pop() + behind]
                    else:
                        kept.append(part + (found.tail if rule == "isbn-qualifier" else ""))
                else:
                    kept.append(part)
            return _joined(kept, to[fmt], moved)

        return edit.fields(record, rule, change, ISBN_PLACES[fmt].keys())

    return mend


def _end_of_number(text: str) -> int:
    found = _FORM.match(narrow(text))
    return found.end(2) if found else 0


def _unbracketed(text: str) -> str:
    """A qualifier without the one pair of brackets round it; $b and $q imply them."""
    inner = narrow(text[:1]) + text[1:-1] + narrow(text[-1:])
    if inner[:1] == "(" and inner[-1:] == ")" and not any(c in inner[1:-1] for c in "()（）"):
        return text[1:-1].strip()
    return text


def _joined(parts: list[str], code: str, moved: list[str]) -> str:
    """Parts of a field with `moved` in subfield `code`, which CNMARC does not repeat."""
    for text in moved:
        at = next((i for i, part in enumerate(parts[1:], 1) if part[:1] == code), 0)
        if not at:
            after = max(i for i, part in enumerate(parts) if i and part[:1] in "ab")
            parts.insert(after + 1, code + text)
        elif text not in parts[at]:
            parts[at] += f" ; {text}"
    return DELIMITER.join(parts)


_ISBN_IDS = (
    "isbn-check-digit", "isbn-length", "isbn-none", "isbn-prefix", "isbn-label", "isbn-wide", "isbn-hyphens",
    "isbn-small-x", "isbn-qualifier", "isbn-price",
)  # fmt: skip

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=_ISBN_IDS,
        look=values.looker(ISBN_PLACES, isbn),
        among=values.among(ISBN_PLACES, isbn),
        tags=values.tags(ISBN_PLACES),
    ),
    ContentRule(
        ids=("issn-check-digit", "issn-form", "issn-hyphen"),
        look=values.looker(ISSN_PLACES, issn),
        among=values.among(ISSN_PLACES, issn),
        tags=values.tags(ISSN_PLACES),
    ),
    ContentRule(
        ids=("ean-check-digit",),
        look=values.looker(EAN_PLACES, ean),
        among=values.among(EAN_PLACES, ean),
        tags=values.tags(EAN_PLACES),
        formats=frozenset((Format.CNMARC,)),
    ),
    ContentRule(
        ids=("ean-check-digit",), look=_eans_of_marc21, tags=frozenset(("024",)), formats=frozenset((Format.MARC21,))
    ),
)
FIXES: Mapping[str, Fix] = {
    id_: values.fixer(id_, ISBN_PLACES, isbn) for id_ in ("isbn-wide", "isbn-label", "isbn-hyphens", "isbn-small-x")
} | {
    "isbn-qualifier": _move("isbn-qualifier", {Format.MARC21: "q", Format.CNMARC: "b"}),
    "isbn-price": _move("isbn-price", {Format.MARC21: "c", Format.CNMARC: "d"}),
    "issn-hyphen": values.fixer("issn-hyphen", ISSN_PLACES, issn),
}
