"""Edition statements read to a number and words; reproductions and ancient making told from notes and statements."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.search import fold
from dms.match import numerals, volume, words

# Words that say that the text was worked over; the others say for whom or in which form the text was made.
REVISIONS = frozenset(("revised", "enlarged", "new", "again"))
_WORD = {code: words.pattern("editions", code) for code in words.TABLE["editions"]}
_ANY = re.compile("|".join(pattern.pattern for pattern in _WORD.values()))
_N = rf"\d+|[{numerals.HAN}]+"
_ORDINAL = words.either(list(volume.ORDINALS))
_WORKED = "修订|增订|增补|订正|改订|修正|校订|全新|重订|补订"
_FORM = (
    "修订|增订|增补|修正|校订|新|重订|订正|改订|最新|珍藏|典藏|纪念|插图|注音|普及|试用|双语|学生|教师|青少|豪华|国际"
)
_EDITION = (
    r"(?:ed(?:s|n)?\b|edition|editie|edicion|edizione|ed\.|aufl|auflage|ausg|ausgabe|изд|oplage|uppl|udg|utg|vyd|wyd|"
    r"kiad|druk)"
)
_BETWEEN = r"(?:[\w.,\[\]-]+\s+){0,5}?"  # 3., neubearb. und verm. Aufl.
_NUMBER = re.compile(
    rf"(?:第|修订|增订|再版|增补|新)?\s*(?:第)?\s*(?P<han>{_N})\s*(?:次)?\s*(?:{_WORKED})*\s*(?:版|刷本)"
    rf"|(?P<digits>\d+)\s*(?:st|nd|rd|th|\.|e|eme|ere|er|de|a|o|ª|º|-?[еяй]+|-?oe)?\s*{_BETWEEN}{_EDITION}"
    rf"|(?:edition|ed\.|auflage|издание)\s+(?P<after>\d+|[ivx]+|{_ORDINAL})(?![a-z])"
    rf"|(?<![a-z])(?P<word>{_ORDINAL})(?![a-z])[,\s]+{_BETWEEN}{_EDITION}"
    rf"|初\s*(?P<first>版)"
)
_YEAR_EDITION = re.compile(r"((?:19|20)\d\d)\s*年?\s*(?:新|修订|增订)?\s*版")
_PRINTING = re.compile(
    rf"[,(（\s]*(?:19|20)?\d{{0,4}}年?\d*月?(?:第?\s*(?:{_N})\s*(?:次\s*(?:印刷|重印|印)|印|刷)(?!版)|重印)[)）]?"
    rf"|(?:(?<=版)\s*(?:{_N})次)"
    r"|\d+(?:st|nd|rd|th)? (?:printing|impression|print\b)|\bprinting\b|\bimpression\b"
)
TAIL = re.compile(
    rf"[\s.,:;·(\[〔【-]*(?:第?\s*(?:{_N})\s*(?:次)?\s*(?:修订|增订|增补)?版|"
    rf"(?:(?:最新|全新|新)?(?:{_FORM})+(?:第?(?:{_N}))?(?:版|本)))[)\]〕】\s]*$"
    rf"|[\s.,:;(\[]+(?:\d+(?:st|nd|rd|th)|{_ORDINAL}|rev(?:ised|\.)?|new)\s+(?:rev(?:ised|\.)?\s+|enl(?:arged|\.)?\s+)?"
    r"ed(?:ition|\.|n)?[)\]\s.]*$"
)
_REPRODUCTION = {code: words.pattern("reproduction", code) for code in words.TABLE["reproduction"]}
_REPRODUCED = re.compile("|".join(pattern.pattern for pattern in _REPRODUCTION.values()))
_REPRINT = re.compile(r"\breprint (?:of|from)\b|\breprinted from\b|\breprint\b.*\borig|\boriginally published")
_MAKING = words.pattern("ancient", "making")
_MODERN = words.pattern("ancient", "modern")
_ERAS = words.pattern("ancient", "eras")
_MANUSCRIPTS = words.pattern("ancient", "manuscripts")


@lru_cache(maxsize=16384)
def read(text: str) -> tuple[int, tuple[str, ...]]:
    """(number, words) of an edition statement; 0 where no number stands; a first edition is no edition.

    `第2版`, `2版`, `Second edition` are 2; `修订版` is (0, revised); `2019版` is (0, y2019), named by
    a year. Printings (第4次印刷) are no editions.
    """
    if not text:
        return 0, ()
    folded = _PRINTING.sub(" ", fold.fold(text))
    codes = [code for code, pattern in _WORD.items() if pattern.search(folded)] if _ANY.search(folded) else []
    number = 0
    if year := _YEAR_EDITION.search(folded):
        codes.append(f"y{year[1]}")
        folded = folded.replace(year[0], " ")
    if found := _NUMBER.search(folded):
        if found["first"]:
            number = 1
        else:
            word = found["han"] or found["digits"] or found["after"] or found["word"]
            number = _value(word)
    if number > 1500:
        codes.append(f"y{number}")
        number = 0
    return (0 if number == 1 else number), tuple(sorted(set(codes)))


def _value(word: str) -> int:
    if word.isdecimal():
        return int(word)
    if word in volume.ORDINALS:
        return int(volume.ORDINALS[word])
    return numerals.han(word) or numerals.roman(word) or 0


def reproduction(texts: tuple[str, ...], notes: tuple[str, ...]) -> tuple[str, ...]:
    """Codes of the reproductions that texts speak of: facsimile, reduced, large, thread, braille, reprint."""
    found: set[str] = set()
    for text in (*texts, *notes):
        if text:
            found |= _reproduced(text)
    return tuple(sorted(found)) if found else ()


@lru_cache(maxsize=16384)
def _reproduced(text: str) -> frozenset[str]:
    folded = fold.fold(text)
    found: set[str] = set()
    if _REPRODUCED.search(folded):
        found = {code for code, pattern in _REPRODUCTION.items() if pattern.search(folded)}
    if _REPRINT.search(folded):
        found.add("reprint")
    return frozenset(found)


@lru_cache(maxsize=16384)
def ancient_making(text: str) -> bool:
    """Whether a note or statement says that the thing itself was cut, written or rubbed: 刻本, 钞本, 拓片."""
    folded = fold.fold(text)
    return _MAKING.search(folded) is not None and _MODERN.search(folded) is None


@lru_cache(maxsize=16384)
def manuscript(text: str) -> bool:
    """Whether a statement names a manuscript or a rubbing, which are single things whenever they were made."""
    folded = fold.fold(text)
    return _MANUSCRIPTS.search(folded) is not None and _MODERN.search(folded) is None


@lru_cache(maxsize=16384)
def old_date(text: str) -> bool:
    """Whether a date names a reign before 1912: 清光绪间."""
    return not text.isascii() and _ERAS.search(fold.fold(text)) is not None
