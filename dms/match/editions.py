"""Edition statements read to a number and words; reproductions and ancient making told from notes and statements."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.search import fold
from dms.match import numerals, volume, words

_WORDS = {
    "revised": r"修订|修正|修改|重修|校订|重订|订正|改订|\brev(?:ised|isited|\.)?\b|revision|\bcorr(?:ected|\.)?\b|uberarb|verb(?:esserte|\.)|durchges|neubearb|bearb|revue|corrigee|revisada|corregida|riveduta|испр|пересмотр|amended|updated",
    "enlarged": r"增订|增补|增修|增广|扩充|扩大|补订|增编|补充|增刊|enl(?:arged|\.)?\b|expanded|augmented|augm|erw(?:eiterte|\.)|verm(?:ehrte|\.)|augmentee|aumentada|ampliada|доп",
    "new": r"新版|新一版|新1版|新订|新修|最新|新编版|\bnew\b|neue\b|nouv(?:elle|\.)|nueva|nuova",
    "again": r"再版|重版|重印版|重排|再刊",
    "abridged": r"节本|节录|节选|缩写|简写|缩编|节译|删节|洁本|简本|简明版|精简|abridged|condensed|concise ed|gekurzt|abregee",
    "complete": r"足本|全本|全译|未删节|unabridged|complete ed",
    "phonetic": r"注音|拼音",
    "illustrated": r"插图|图文|彩图|彩绘|绘图本|绘画本|连环画|图解版|illustrated ed|ill\. ed",
    "bilingual": r"双语|对照|bilingual|dual language",
    "young": r"青少|少儿|儿童|学生版|少年版|student ed|young readers|juvenile",
    "teacher": r"教师版|teacher'?s'? ed|instructor'?s'? ed|annotated instructor",
    "collector": r"珍藏|典藏|纪念|豪华|特装|limited ed|collector|deluxe|anniversary|commemorative|luxury",
    "trial": r"试用|试行|征求意见|讨论稿|送审|初稿|油印|preliminary|trial|draft|preprint|provisional|advance",
    "international": r"国际版|海外版|international (?:student )?ed|asian ed|export ed|indian ed",
    "simplified": r"简体",
    "traditional": r"繁体",
    "pocket": r"袖珍|口袋|pocket|taschenbuch",
    "popular": r"普及|大众|通俗|popular ed|book club",
    "upper": r"文科|文史类",
    "lower": r"理科|理工类",
}
# Words that say that the text was worked over; the others say for whom or in which form the text was made.
REVISIONS = frozenset(("revised", "enlarged", "new", "again"))
_WORD = {code: re.compile(pattern) for code, pattern in _WORDS.items()}
_ANY = re.compile("|".join(_WORDS.values()))
_N = rf"\d+|[{numerals.HAN}]+"
_NUMBER = re.compile(
    rf"(?:第|修订|增订|再版|增补|新)?\s*(?:第)?\s*(?P<han>{_N})\s*(?:次)?\s*(?:修订|增订|增补|订正|改订|修正|校订|全新|重订|补订)*\s*(?:版|刷本)"
    rf"|(?P<digits>\d+)\s*(?:st|nd|rd|th|\.|e|eme|ere|er|de|a|o|ª|º|-?[еяй]+|-?oe)?\s*(?:[\w.,\[\]-]+\s+){{0,5}}?(?:ed(?:s|n)?\b|edition|editie|edicion|edizione|ed\.|aufl|auflage|ausg|ausgabe|изд|oplage|uppl|udg|utg|vyd|wyd|kiad|druk)"
    rf"|(?:edition|ed\.|auflage|издание)\s+(?P<after>\d+|[ivx]+|{words.either(list(volume.ORDINALS))})(?![a-z])"
    rf"|(?<![a-z])(?P<word>{words.either(list(volume.ORDINALS))})(?![a-z])[,\s]+(?:[\w.,\[\]-]+\s+){{0,5}}?(?:ed\b|edition|edicion|edizione|aufl|auflage|ausgabe|издание)"
    rf"|初\s*(?P<first>版)"
)
_YEAR_EDITION = re.compile(r"((?:19|20)\d\d)\s*年?\s*(?:新|修订|增订)?\s*版")
_PRINTING = re.compile(
    rf"[,(（\s]*(?:19|20)?\d{{0,4}}年?\d*月?(?:第?\s*(?:{_N})\s*(?:次\s*(?:印刷|重印|印)|印|刷)(?!版)|重印)[)）]?|(?:(?<=版)\s*(?:{_N})次)|\d+(?:st|nd|rd|th)? (?:printing|impression|print\b)|\bprinting\b|\bimpression\b"
)
TAIL = re.compile(
    rf"[\s.,:;·(\[〔【-]*(?:第?\s*(?:{_N})\s*(?:次)?\s*(?:修订|增订|增补)?版|(?:(?:最新|全新|新)?(?:修订|增订|增补|修正|校订|新|重订|订正|改订|最新|珍藏|典藏|纪念|插图|注音|普及|试用|双语|学生|教师|青少|豪华|国际)+(?:第?(?:{_N}))?(?:版|本)))[)\]〕】\s]*$"
    rf"|[\s.,:;(\[]+(?:\d+(?:st|nd|rd|th)|{words.either(list(volume.ORDINALS))}|rev(?:ised|\.)?|new)\s+(?:rev(?:ised|\.)?\s+|enl(?:arged|\.)?\s+)?ed(?:ition|\.|n)?[)\]\s.]*$"
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

    `第2版`, `2版`, `Second edition` are 2; `修订版` is (0, revised); `2019版` is (0, y2019): an edition named by a year. Printings
    (第4次印刷) are no editions.
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
