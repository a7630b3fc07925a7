"""Class numbers: 中国图书馆分类法 (690 of CNMARC), and lightly DDC and LCC (pure).

CLC: one letter (T has a second), digits with a point after every third, then auxiliary signs
(《中国图书馆分类法》第五版使用手册, 2012: 类号的编号制度). Its classes are A-K, N-V, X and Z.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from catalog.model import Format
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.numbers import narrow
from dms.rules.content.values import FINE, Verdict
from dms.rules.model import Finding
from protocols.marc import DELIMITER

CLC_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"690": "a"}}
EDITION_PLACES: Mapping[Format, values.Places] = {Format.CNMARC: {"690": "v"}}
DDC_PLACES: Mapping[Format, values.Places] = {Format.MARC21: {"082": "a"}, Format.CNMARC: {"676": "a"}}
LCC_PLACES: Mapping[Format, values.Places] = {Format.MARC21: {"050": "a"}, Format.CNMARC: {"680": "a"}}

_CLC = re.compile(
    r"(?:T[A-V]?|[A-KN-SUVXZ])([\d.]*a?)"
    r"((?:(?<=TP312)[A-Z][A-Za-z+#]{0,3})?(?:[-=:+/<>(){}\[\]\"'·∶&,.][^\s]*)?)"  # TP312JA: by programming language
)
_CLC_OLD_LETTER = re.compile(r"[LMWY]")
_EDITION = re.compile(r"\s*第?\s*([1-6一二三四五六])\s*版?\s*")
_EDITIONS = dict(zip("一二三四五六", "123456", strict=True))
# Standing beside Dewey numbers: [E], [Fic], B, juvenile j, prime marks (MARC 21, 082).
_DDC = re.compile(
    r"\s*(?:[A-Z]{2}(?=\d))?"
    r"(?:\[?(?:E|Fic|B|j?B|Ed|\d{3}(?:/?'?\.\d[\d/'’]*)?[\d/'’]*)\]?|[jJ]?\s?\d{3}(?:[./'’]\d*)*.*)",
    re.S,
)
_LCC = re.compile(r"\s*[A-Z]{1,3}[\s']?\d")
# Shelving schemes and words that the Library of Congress writes in 050$a instead of a class number.
_LCC_WORDS = re.compile(r"\s*(?:[A-Z]{4,}|[A-Z][a-z]+|ISSN|IN PROCESS|CD|PAR|\[|[A-Z]{1,3}$|[A-Z]{1,3}[ .-])")


def pointed(digits: str) -> str:
    """Digits of a class number with a point after every third."""
    plain = digits.replace(".", "")
    return ".".join(plain[at : at + 3] for at in range(0, len(plain), 3))


@lru_cache(maxsize=8192)
def clc(text: str) -> tuple[Verdict, ...]:
    """What is wrong with a class number of CLC."""
    found = _CLC.fullmatch(text)
    if found is None:
        if not text.strip():
            return FINE
        plain = narrow(text).replace(" ", "")
        plain = plain[:1].upper() + plain[1:]
        if plain[:1] == "T":
            plain = plain[:1] + plain[1:2].upper() + plain[2:]
        if _CLC.fullmatch(plain):
            return (Verdict("clc-form", mended=plain),)
        if _CLC_OLD_LETTER.match(text):
            return (Verdict("clc-class", wanted="A-K, N-V, X, Z"),)
        return (Verdict("clc-syntax"),)
    digits = found[1]
    if digits.isascii() and digits.strip("."):
        end = digits[-1:] if digits[-1:] in "a." else ""
        right = pointed(digits[:-1] if end else digits) + ("a" if end == "a" else "")
        if right != digits:
            return (Verdict("clc-point", mended=text[: found.start(1)] + right + text[found.end(1) :]),)
    return FINE


@lru_cache(maxsize=256)
def clc_edition(text: str) -> tuple[Verdict, ...]:
    """690$v: the edition as one digit."""
    if len(text) == 1 and text in "123456":
        return FINE
    found = _EDITION.fullmatch(narrow(text))
    if found:
        return (Verdict("clc-edition", mended=_EDITIONS.get(found[1], found[1])),)
    return (Verdict("clc-edition-unknown", wanted="1-6"),)


@lru_cache(maxsize=8192)
def ddc(text: str) -> tuple[Verdict, ...]:
    """Lightly: three digits stand first."""
    return FINE if not text.strip() or _DDC.match(text) else (Verdict("ddc-form", wanted="NNN.N"),)


@lru_cache(maxsize=8192)
def lcc(text: str) -> tuple[Verdict, ...]:
    """Lightly: one to three capitals and a number, or a word of the shelving schemes."""
    return FINE if not text.strip() or _LCC.match(text) or _LCC_WORDS.match(text) else (Verdict("lcc-form"),)


def _without_edition(seen: Look) -> Iterator[Finding]:
    for nth, text in enumerate(seen.texts("690"), 1):
        if DELIMITER + "a" in text and DELIMITER + "v" not in text:
            yield Finding("clc-edition-missing", "690", nth, "v")


def _without_source(seen: Look) -> Iterator[Finding]:
    """686 is any other class number, so $2 has to say whose."""
    for nth, text in enumerate(seen.texts("686"), 1):
        if DELIMITER + "a" in text and DELIMITER + "2" not in text:
            yield Finding("class-source-missing", "686", nth, "2", -1, text[2:].replace(DELIMITER, " $")[:200])


_CNMARC = frozenset((Format.CNMARC,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("clc-form", "clc-class", "clc-syntax", "clc-point"),
        look=values.looker(CLC_PLACES, clc),
        among=values.among(CLC_PLACES, clc),
        tags=frozenset(("690",)),
        formats=_CNMARC,
    ),
    ContentRule(
        ids=("clc-edition", "clc-edition-unknown"),
        look=values.looker(EDITION_PLACES, clc_edition),
        among=values.among(EDITION_PLACES, clc_edition),
        tags=frozenset(("690",)),
        formats=_CNMARC,
    ),
    ContentRule(ids=("clc-edition-missing",), look=_without_edition, tags=frozenset(("690",)), formats=_CNMARC),
    ContentRule(ids=("class-source-missing",), look=_without_source, tags=frozenset(("686",)), formats=_CNMARC),
    ContentRule(
        ids=("ddc-form",),
        look=values.looker(DDC_PLACES, ddc),
        among=values.among(DDC_PLACES, ddc),
        tags=values.tags(DDC_PLACES),
    ),
    ContentRule(
        ids=("lcc-form",),
        look=values.looker(LCC_PLACES, lcc),
        among=values.among(LCC_PLACES, lcc),
        tags=values.tags(LCC_PLACES),
    ),
)
FIXES: Mapping[str, Fix] = {
    "clc-form": values.fixer("clc-form", CLC_PLACES, clc),
    "clc-point": values.fixer("clc-point", CLC_PLACES, clc),
    "clc-edition": values.fixer("clc-edition", EDITION_PLACES, clc_edition),
}
