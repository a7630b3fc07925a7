"""Pinyin in CNMARC: where it stands, and whether it sounds like the text that it stands beside (pure).

A reading is right if every character can be read so, in any of its readings: who catalogued knows whether 长 is chang
or zhang, and we don't.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from string import ascii_letters

import numpy as np

from catalog.model import Format
from catalog.search import pinyin
from catalog.search.fold import fold, is_cjk, words
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns, Ints
from dms.rules.content import dialects, values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Mended
from protocols.marc import DELIMITER, Record, value

TAGS = ("200", "225", "500", "510", "517", "600", "601", "606", "607", "700", "701", "702", "710", "711", "712")
_NAMES = frozenset(("600", "700", "701", "702"))
_TABLE = bulk.of_tags(TAGS)
_CAPITALS = {"A": "a", "E": "e", "F": "f", "G": "g", "H": "h", "I": "i"}
_NUMBERS = re.compile(r"\d+")
_LETTERS = re.compile(r"[a-z0-9]+")
_HAN = re.compile("[\u4e00-\u9fff]")


def _letters(text: str) -> str:
    """Letters and digits of a spelling, without tones, blanks and marks; ü and v are u."""
    return pinyin.plain("".join(_LETTERS.findall(fold(text))))


@cache
def _rare() -> Mapping[str, frozenset[str]]:
    """Readings of characters besides those that search knows."""
    found: dict[str, set[str]] = {"儿": {"r"}}  # 这儿 is zher
    for line in (Path(__file__).parent / "readings.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            reading, characters = line.split("\t")
            for character in characters:
                found.setdefault(character, set()).add(reading)
    return {character: frozenset(readings) for character, readings in found.items()}


def _readings(text: str, name: bool) -> list[frozenset[str]] | None:
    """What each character or Latin word of a text may sound like; None where one can't be told. A name has no rare
    readings but its surname's."""
    found: list[frozenset[str]] = []
    rare: Mapping[str, frozenset[str]] = {} if name else _rare()
    likely = iter(pinyin.readings(text))
    for word in words(text):
        if not is_cjk(word):
            plain = _letters(word)
            # A number is spelled out, or left out; c++ was folded to cplusplus.
            found.append(frozenset((plain, plain.removesuffix("plusplus").removesuffix("sharp"), "")))
            next(likely, None)
            continue
        for character in word:
            known = pinyin.CHARACTERS.get(character)
            if known is None:
                return None
            more = (*next(likely, ()), *pinyin.SURNAMES.get(character, ()), *rare.get(character, ()))
            found.append(frozenset((*known, *more)))
    return found


def _sounds(found: list[frozenset[str]], letters: str) -> bool:
    """Whether letters can be read off the readings from end to end."""
    reached = {0}
    for choices in found:
        reached = {at + len(sound) for at in reached for sound in choices if letters.startswith(sound, at)}
        if not reached:
            return False
    return len(letters) in reached


@lru_cache(maxsize=8192)
def right(text: str, spelled: str, name: bool) -> str:
    """The spelling as it should be: itself where it can be read so, or where nobody can say; "" where it is no slip
    in a syllable but the sound of another text."""
    if not _HAN.search(text) or _HAN.search(spelled):
        return spelled
    found = _readings(text, name)
    letters = _letters(spelled)
    if not found or not letters or _sounds(found, letters):
        return spelled
    if _NUMBERS.findall(fold(text)) != _NUMBERS.findall(letters):
        return spelled  # spelled out in words, or one of them is wrong, and who knows which
    return _respelled(text, spelled, found, name)


def _respelled(text: str, spelled: str, found: list[frozenset[str]], name: bool) -> str:
    """A spelling with its wrong syllables by our readings; "" where it is another text's, or can't be taken apart."""
    ours = pinyin.streams(pinyin.name_readings(text) if name else pinyin.readings(text))[0]
    olds = spelled.split()
    if len(olds) != len(found):
        olds = [cut for word in olds for cut in (pinyin.cuts(_letters(word)) or ((word,),))[0]]
    if not len(olds) == len(ours) == len(found):
        return ""
    kept = [old if _letters(old) in choices else new for old, new, choices in zip(olds, ours, found, strict=True)]
    wrong = sum(1 for old, new in zip(olds, kept, strict=True) if old is not new)
    wanted = " ".join(
        [_cased(word, old[:1].isupper() or spelled[:1].isupper()) for word, old in zip(kept, olds, strict=True)]
    )
    return wanted if wrong * 2 <= len(kept) and _sounds(found, _letters(wanted)) else ""


def _cased(word: str, capital: bool) -> str:
    return word[:1].upper() + word[1:] if capital else word


def _pairs(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(index of the text's part, index of its pinyin's part, code of pinyin, code of text) in a field's parts."""
    parts = text.split(DELIMITER)
    last: dict[str, int] = {}
    waiting: dict[str, list[int]] = {}
    for at, part in enumerate(parts):
        if not at or not part:
            continue
        code = part[0]
        base = _CAPITALS.get(code) or ("a" if code == "9" and part[1:].isascii() and part[1:2].isalpha() else "")
        if base:
            before = waiting.get(base)
            if before:
                yield before.pop(0), at, code, base
        elif code in "aefghi":
            last[code] = at
            waiting.setdefault(code, []).append(at)


def _mismatches(seen: Look) -> Iterator[Finding]:
    for tag in TAGS:
        for nth, text in enumerate(seen.texts(tag), 1):
            if text.isascii() or not _has_pinyin(text):
                continue
            parts = text.split(DELIMITER)
            for base, at, code, _ in _pairs(text):
                spelled = parts[at][1:]
                wanted = right(parts[base][1:], spelled, tag in _NAMES)
                if _NUMBERS.search(spelled) and not _same_numbers(parts[base][1:], spelled):
                    yield Finding("pinyin-number", tag, nth, code, -1, f"{parts[base][1:]} ‡{code} {spelled}"[:200])
                elif wanted != spelled:
                    told = f"{parts[base][1:]} ‡{code} {spelled}"
                    rule = "pinyin-mismatch" if wanted else "pinyin-other"
                    yield Finding(rule, tag, nth, code, -1, told[:LONGEST_VALUE], wanted[:LONGEST_VALUE])


@lru_cache(maxsize=1024)
def _same_numbers(text: str, spelled: str) -> bool:
    """Whether both have the same numbers, unless the text writes its numbers in words."""
    here = _NUMBERS.findall(fold(text))
    return not here or here == _NUMBERS.findall(spelled)


_IS_CAPITAL, _IS_LETTER = np.zeros(256, np.bool_), np.zeros(256, np.bool_)
_IS_CAPITAL[list(map(ord, _CAPITALS))] = True
_IS_LETTER[list(map(ord, ascii_letters))] = True


def _pinyin_among(columns: Columns) -> Ints:
    """The fields that have pinyin, and others that look like it."""
    octets, marks = columns.octets, columns.marks
    codes = octets[marks + 1]
    capital, nine = _IS_CAPITAL[codes], codes == ord("9")
    nine &= _IS_LETTER[octets[marks + 2]]
    return columns.fields_at(marks[(capital | nine) & (octets[marks] == ord(DELIMITER))])


def _mismatches_among(columns: Columns, fmt: Format) -> Bools:
    del fmt  # the rule is of one
    fields = _pinyin_among(columns)
    return columns.rows_of(fields[_TABLE[columns.digits[fields]]])


def _places_among(columns: Columns, fmt: Format) -> Bools:
    """Those with pinyin, and those of agencies whose habits are known."""
    return columns.rows_of(_pinyin_among(columns)) | _of_agencies(columns, fmt)


_of_agencies = values.where(("801",), lambda text: dialects.is_agency(value(text, "b").strip()))


def _has_pinyin(text: str) -> bool:
    return any(f"\x1f{code}" in text for code in "AEF9HIG")


def _mend_mismatch(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())

    def change(tag: str, text: str) -> str:
        if not _has_pinyin(text):
            return text
        parts = text.split(DELIMITER)
        for base, at, code, _ in list(_pairs(text)):
            parts[at] = code + (right(parts[base][1:], parts[at][1:], tag in _NAMES) or parts[at][1:])
        return DELIMITER.join(parts)

    return edit.fields(record, "pinyin-mismatch", change, TAGS)


def _in_order(text: str) -> str:
    """A 200 with each pinyin straight behind what it spells."""
    parts = text.split(DELIMITER)
    behind = {base: at for base, at, _, _ in _pairs(text)}
    moved = set(behind.values())
    out: list[str] = []
    for at, part in enumerate(parts):
        if at in moved:
            continue
        out.append(part)
        if at in behind:
            out.append(parts[behind[at]])
    return DELIMITER.join(out)


def _places(seen: Look) -> Iterator[Finding]:
    """Pinyin that stands apart from its text, in two ways at once, where Han text should be, or not at all."""
    for nth, text in enumerate(seen.texts("200"), 1):
        if _has_pinyin(text):
            if _in_order(text) != text:
                yield Finding("pinyin-order", "200", nth, "A", -1, text[2:].replace(DELIMITER, " ‡")[:LONGEST_VALUE])
            for part in text.split(DELIMITER)[1:]:
                if part[:1] in _CAPITALS and part and _HAN.search(part):
                    yield Finding("pinyin-han", "200", nth, part[0], -1, part[1:][:LONGEST_VALUE])
    ways = dialects.by_pinyin(seen)
    if len(ways) > 1:
        yield Finding("pinyin-mixed", "200", 1, "A", -1, "$A, $9")
        return
    dialect = dialects.of(seen)
    if dialect is None:
        return
    if ways and dialect.pinyin not in ways:
        wanted = "$A" if dialect.pinyin == dialects.CAPITAL else f"${dialect.pinyin}"
        yield Finding("pinyin-dialect", "200", 1, wanted[1:], -1, dialect.name.upper(), wanted)
    elif not any(_has_pinyin(text) for text in seen.texts("200")):
        for nth, text in enumerate(seen.texts("200"), 1):
            if _HAN.search(text.partition(DELIMITER + "a")[2].partition(DELIMITER)[0]):
                yield Finding("pinyin-missing", "200", nth, "A" if dialect.pinyin == dialects.CAPITAL else "9")


def _mend_order(record: Record, fmt: Format) -> Mended:
    if fmt != Format.CNMARC:
        return Mended(record, ())
    return edit.fields(
        record, "pinyin-order", lambda tag, text: _in_order(text) if tag and _has_pinyin(text) else text, ("200",)
    )


_CNMARC = frozenset((Format.CNMARC,))

RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=("pinyin-mismatch", "pinyin-other", "pinyin-number"),
        look=_mismatches,
        among=_mismatches_among,
        tags=frozenset(TAGS),
        formats=_CNMARC,
    ),
    ContentRule(
        ids=("pinyin-order", "pinyin-han", "pinyin-mixed", "pinyin-dialect", "pinyin-missing"),
        look=_places,
        among=_places_among,
        tags=frozenset(("200",)),
        formats=_CNMARC,
    ),
)
FIXES: Mapping[str, Fix] = {"pinyin-mismatch": _mend_mismatch, "pinyin-order": _mend_order}
