"""Characters that no cataloguer meant to write: controls, private use, what an entity stood for, blanks in odd places,
marks alone, mojibake (pure).

A record is looked at as one string first; only one that holds something odd is taken apart.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from catalog.model import Format
from dms import garbled
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns, Ints, Octets
from dms.rules.content import values
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import DELIMITER, Record, is_control

EVERY_KIND = frozenset(Kind)

# Marks around words that are not sorted on (ISO 6630 NSB, NSE); Unicode keeps them as C1 controls.
NSB, NSE = "\x98", "\x9c"
# The same marks as ISO 6630 itself codes them; behind a letter with an accent they are what is left of UTF-8.
_OLD_NON_SORTING = re.compile("(?<![\xc2-\xf4])\x88([^\x80-\x9f]{1,40})(?<![\xc2-\xf4])\x89")
_BLANK_CONTROLS = dict.fromkeys(map(ord, "\t\n\r\x0b\x0c\u2028\u2029"), " ")
# C1 controls are left alone: they are what a wrong decoding made of letters, and tell which.
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0E, 0x1F), 0x7F)) | _BLANK_CONTROLS
_BLANKS = dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F), " ")
_INVISIBLE = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0xAD))
_ENTITY = re.compile(r"&(?:#[xX][0-9A-Fa-f]{1,6}|#[0-9]{1,7}|amp|lt|gt|quot|apos|nbsp);")
_COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010fffd"


def _class(table: Mapping[int, object]) -> str:
    return "[" + "".join(re.escape(chr(code)) for code in table) + "]"


def without_entities(text: str) -> str:
    """Character references and the five entities of XML as the characters they stand for, however deep."""
    while (plain := _ENTITY.sub(_character, text)) != text:
        text = plain
    return text


def _character(found: re.Match[str]) -> str:
    character = html.unescape(found[0])
    keeps = len(character) != 1 or character in "\x1d\x1e\x1f\ufffd" or unicodedata.category(character) in ("Cc", "Cs")
    return found[0] if keeps else character


def balanced(text: str) -> str:
    """A value without those marks of non-sorting words that have no partner."""
    kept: list[str] = []
    opened = -1
    for character in text:
        if character == NSB:
            if opened >= 0:
                kept[opened] = ""
            opened = len(kept)
        elif character == NSE:
            if opened < 0:
                continue
            opened = -1
        kept.append(character)
    if opened >= 0:
        kept[opened] = ""
    return "".join(kept)


def non_sorting(text: str) -> str:
    """NSB and NSE as Unicode has them (MARC 21: 88 and 89 hexadecimal become U+0098 and U+009C)."""
    return _OLD_NON_SORTING.sub(f"{NSB}\\1{NSE}", text)


class Sieve(NamedTuple):
    """A rule about characters: what it catches in a value, and what the value should be (None: nobody can say)."""

    rule: str
    caught: re.Pattern[str]
    mend: Callable[[str], str] | None = None


def _unmarked(text: str) -> str:
    return text.translate(_CONTROLS)


SIEVES: tuple[Sieve, ...] = (
    Sieve("character-entity", _ENTITY, without_entities),
    Sieve("character-control", re.compile(_class(_CONTROLS)), _unmarked),
    Sieve("character-invisible", re.compile(_class(_INVISIBLE)), lambda text: text.translate(_INVISIBLE)),
    Sieve("space-no-break", re.compile(_class(_BLANKS)), lambda text: text.translate(_BLANKS)),
    Sieve("character-lost", re.compile("\ufffd")),
    Sieve("character-private", re.compile(f"[{_PRIVATE}]")),
    Sieve("character-mark-alone", re.compile(f"(?:^|(?<=[ \u3000]))[{_COMBINING}]")),
    Sieve("character-non-sorting-code", _OLD_NON_SORTING, non_sorting),
    Sieve("character-non-sorting", re.compile(f"[{NSB}{NSE}]"), balanced),
)
_COMBINES = re.compile(f"[\ufffd{_COMBINING}]")  # what is in every such mark: to look for it alone costs a tenth
_MARK = re.compile(f"[\ufffd]|[ \u3000\x1f].?[{_COMBINING}]")


def _mojibake(text: str) -> bool:
    """Marks of a wrong decoding other than those that have rules of their own."""
    if "\x88" in text:
        text = non_sorting(text)
    return garbled.may_have_marks(text) and any(
        found[0] not in (NSB, NSE, "\ufffd") for found in garbled.MARKS.finditer(text)
    )


_HAN_ONLY = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\x00-\x7f]+")


@lru_cache(maxsize=1024)
def decoded(text: str) -> str:
    """UTF-8, or else GB 18030, that was read as Latin-1 or Windows-1252, read again; the text itself where it is
    something else. GB 18030 has characters for nearly all bytes, so they have to be common Han (GB 2312) throughout."""
    for charset in ("latin-1", "cp1252"):
        for meant in ("utf-8", "gb2312"):
            try:
                plain = text.encode(charset).decode(meant)
            except UnicodeError:
                continue
            if not _mojibake(plain) and (meant == "utf-8" or _HAN_ONLY.fullmatch(plain)):
                return plain
    return text


def _odd(seen: Look) -> tuple[tuple[Sieve, ...], bool]:
    """The sieves that catch something in a record, and whether there is mojibake in it."""
    whole = DELIMITER.join([text for _, text in seen.record.fields])
    plain = ("&" not in whole or not _ENTITY.search(whole)) and whole.replace(DELIMITER, "").isprintable()
    mojibake = False
    if not whole.isascii():
        letters = DELIMITER.join([text for _, text in seen.record.fields if not text.isascii()])
        mojibake = _mojibake(letters)
        plain = plain and not (_COMBINES.search(letters) and _MARK.search(letters))
    if plain:
        return (), mojibake
    whole = whole.replace(DELIMITER, " ")
    return tuple([sieve for sieve in SIEVES if sieve.caught.search(whole)]), mojibake


# Where a sieve or mojibake may begin, by what stands there: pairs of a first and a last code point.
_CAUGHT = np.array([
    (0x00, 0x1D), (0x7F, 0xA0), (0xAD, 0xAD), (0x2000, 0x200B), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x2060),
    (0xE000, 0xF8FF), (0xFEFF, 0xFEFF), (0xFFFD, 0xFFFD), (0xF0000, 0x10FFFD),
])  # fmt: skip
_MARKS = np.array(
    [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]
)  # _COMBINING
_IN_ENTITIES = np.zeros(256, np.bool_)
_IN_ENTITIES[list(b"#algqn")] = True  # what stands behind their &
_GBK = "锟斤拷".encode()
_FIRST_BYTES = (*range(0x1E), 0x26, 0x7F, 0xC2, 0xC3, 0xCC, 0xCD, 0xE1, 0xE2, 0xEE, 0xEF, 0xF3, 0xF4)
_BEGINS = np.isin(np.arange(256), _FIRST_BYTES)


def among(columns: Columns, fmt: Format) -> Bools:
    """Records that have what a sieve catches, and others with something like it."""
    del fmt  # characters are the same in all
    octets = columns.octets
    places = np.flatnonzero((octets < 0x1E) | (octets >= 0x7F) | (octets == ord("&")))
    places = places[_BEGINS[octets[places]]]
    points, behind = columns.points(places), octets[places + 1]
    found = bulk.within(points, _CAUGHT) | (points == ord("&")) & _IN_ENTITIES[behind]
    found |= bulk.within(points, _MARKS) & _blank_before(octets, places)
    latin = (points >= 0xC0) & (points <= 0xFF)
    found |= latin & ((octets[places + 2 * latin] & 0xFE) == 0xC2)
    rows = columns.rows_of(columns.fields_at(places[found]))
    at = columns.data.find(_GBK)
    while at >= 0:
        rows |= columns.rows_of(columns.fields_at(np.array([at])))
        at = columns.data.find(_GBK, at + 1)
    return rows


def _blank_before(octets: Octets, places: Ints) -> Bools:
    """Whether a blank, a delimiter or the beginning of a field stands before the places."""
    before = octets[places - 1]
    ideographic = (before == 0x80) & (octets[places - 2] == 0x80) & (octets[places - 3] == 0xE3)
    blank: Bools = ideographic | (before == 0x20) | (before == 0x1E) | (before == 0x1F)
    return blank


def look(seen: Look) -> Iterator[Finding]:
    """Every sieve over every value of a record in which something is odd."""
    odd, mojibake = _odd(seen)
    if odd or mojibake:
        for tag, nth, code, value in each_value(seen):
            for sieve in odd:
                if found := sieve.caught.search(value):
                    wanted = sieve.mend(value) if sieve.mend else ""
                    if wanted != value:
                        shown = value if found[0].isprintable() and sieve.mend else f"U+{ord(found[0][-1]):04X} {value}"
                        yield Finding(sieve.rule, tag, nth, code, -1, shown[:LONGEST_VALUE], wanted[:LONGEST_VALUE])
            if mojibake and _mojibake(value):
                wanted = decoded(value)
                rule = "mojibake" if wanted == value else "mojibake-decoded"
                yield Finding(rule, tag, nth, code, -1, value[:LONGEST_VALUE], wanted[:LONGEST_VALUE])


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def look_decomposed(seen: Look) -> Iterator[Finding]:
    """Letters and marks that have one character together."""
    for tag, nth, code, value in each_value(seen):
        if not value.isascii() and (wanted := _composed(value)) != value:
            yield Finding("character-decomposed", tag, nth, code, -1, value[:LONGEST_VALUE], wanted[:LONGEST_VALUE])


def each_value(seen: Look) -> Iterator[tuple[str, int, str, str]]:
    """(tag, nth, code, value) of all there is in a record; control fields have the code ""."""
    for tag, texts in seen.fields.items():
        for nth, text in enumerate(texts, 1):
            if is_control(tag):
                yield tag, nth, "", text
            else:
                for part in text.split(DELIMITER)[1:]:
                    if part:
                        yield tag, nth, part[0], part[1:]


def _fix(rule: str, change: Callable[[str], str]) -> Fix:
    def mend(record: Record, fmt: Format) -> Mended:
        del fmt  # characters are the same in all
        return edit.fields(record, rule, lambda tag, text: values.all_values(tag, text, change))

    return mend


RULES: tuple[ContentRule, ...] = (
    ContentRule(
        ids=(*(sieve.rule for sieve in SIEVES), "mojibake", "mojibake-decoded"),
        look=look,
        kinds=EVERY_KIND,
        among=among,
    ),
    ContentRule(ids=("character-decomposed",), look=look_decomposed, kinds=EVERY_KIND),
)
FIXES: Mapping[str, Fix] = {sieve.rule: _fix(sieve.rule, sieve.mend) for sieve in SIEVES if sieve.mend} | {
    "mojibake-decoded": _fix("mojibake-decoded", lambda text: decoded(text) if _mojibake(text) else text),
    "character-decomposed": _fix("character-decomposed", _composed),
}
