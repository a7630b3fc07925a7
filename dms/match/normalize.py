"""Years, pages, publishers and identifiers as numbers and bare words."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from catalog.search import fold
from dms.match import numerals, words

_YEAR = re.compile(r"(?<!\d)(1[0-9]\d\d|20\d\d)(?!\d)")
_HAN_YEAR = re.compile(rf"[{numerals.HAN}]{{4}}(?=年|\.|$|\s|版)")
_REPUBLIC = re.compile(rf"(?:民国|中华民国)\s*(\d+|[{numerals.HAN}]+|元)\s*年?|^\s*民\s*(\d+|[{numerals.HAN}]+)")
_SHOWA = re.compile(r"(昭和|大正|平成|令和|明治)\s*(\d+|元)")
_ERAS = {"昭和": 1925, "大正": 1911, "平成": 1988, "令和": 2018, "明治": 1867}
_PRINTING = re.compile(
    r"[(\[（［]?[^()\[\]]*(?:重印|印刷|第\d+次印|次印|\bprinting|\bprinted|\breprint)[^()\[\]]*[)\]]?"
)
# A sequence and the sign behind it: `xiv p.`, `3 p. l.` (preliminary leaves), `315页`, `5-94 S.`
_NO_LEAF = r"(?!\s*[.,]?\s*[l1ℓ]\b)"
_SEQUENCE = re.compile(
    rf"([^;]*?)(?:(?P<page>页|面|叶|\bp\b\.?{_NO_LEAF}|\bpp\b\.?|\d\s?p\b\.?{_NO_LEAF}|\bpages?\b|\bs\.|\bseiten\b|\bstr\b|"
    r"\bс\.|\bpaginas\b|\bpag\b\.?)|(?P<leaf>\bp\b\.?\s*[.,]?\s*[l1ℓ]\b\.?|\bleaves\b|\bl\.|\bℓ\.?|\bfolios?\b|\bff?\.|"
    r"\bblatt\b|\bbl\.))"
)
_PLATES = re.compile(
    r"(?:\d+|\[\d+\])?\s*(?:leaves|l\.|p\.|pages|页)?\s*(?:of )?(?:plates|图版|插页|彩图|照片)\s*\[?\d*\]?\s*"
    r"(?:页|p\.|叶|幅)?"
)
_PLATES_WORD = re.compile("plates|图版|插页|彩图|照片")
_PAGES_ONLY = re.compile(r"(?:[ivxlc]+, )?(\d{1,5}) ?(?:p\.?|pages) ?[:;+]?")  # nearly every Western extent
_THOUSAND = re.compile(r"(?<!\d)(\d),(\d{3})(?=\]? ?p)")
_COUNT = re.compile(r"\d+")
_PIECES = re.compile(
    rf"(?:全|共)?\s*(?<![-\d第])(\d+|[{numerals.HAN}]+|<?\d+>?)\s*(?:册|卷|辑|本|函|集|分册|部|种|帙|v(?:ols?)?\b\.?|volumes?\b|bde?\b\.?|baende|tomes?\b|t\.|vols?\b|pts\.|parts\b|v\.)"
)
_OPEN = re.compile(r"^\s*(?:v\.|vols?\.|volumes|册|bde?\.|t\.|v)\s*(?:<|$|[:;(]|1-)|^\s*<?\d*-\s*>?\s*v|v\. *<|\bv\.,")
_PUBLISHER_ENDS = re.compile(f"(?:{words.either(words.folded(words.TABLE['publishers']['ends']))})$")
_UNKNOWN = frozenset(fold.squeeze(word) for word in words.TABLE["publishers"]["unknown"].split())
_INSIDE = {fold.fold(long): fold.fold(short) for long, short in words.TABLE["publishers"]["inside"].items()}
_ALIASES = {
    fold.squeeze(other): fold.squeeze(line.split()[0])
    for line in words.TABLE["publishers"]["aliases"]
    for other in line.split()
}
_WESTERN = frozenset(words.folded(words.TABLE["publishers"]["western"]))
_REFERRING = frozenset(words.folded(words.TABLE["publishers"]["referring"]))
_PRINTER = words.pattern("publishers", "printer")
_PRIVATE = words.pattern("publishers", "private")
_LOCAL = words.pattern("publishers", "local")
_AFTER_TOWN = re.compile(r"[,:;=(]")
VAGUE = "~"  # before a Western publisher's name that contradicts none


_BLAKE = hashlib.blake2b(digest_size=8)  # to be copied: cheaper than a new one


def h64(text: str) -> int:
    """A signed 64-bit number for a text (blake2b), the form of keys and tokens."""
    whole = _BLAKE.copy()
    whole.update(text.encode())
    return int.from_bytes(whole.digest(), "big", signed=True)


@lru_cache(maxsize=32768)
def years(text: str) -> tuple[int, ...]:
    """Years in a transcribed date, the year of publication first: `2012 (2015重印)` is 2012, 2015."""
    if text.isdecimal() and len(text) == 4:
        return (int(text),)
    folded = fold.fold(text)
    printing = _PRINTING.findall(folded)
    plain = _PRINTING.sub(" ", folded)
    found = [int(year) for year in _YEAR.findall(plain)]
    if not folded.isascii():
        found += [number for year in _HAN_YEAR.findall(plain) if (number := numerals.han(year)) and number < 2100]
        for one, other in _REPUBLIC.findall(plain):
            if number := _regnal(one or other):
                found.append(1911 + number)
        found += [_ERAS[era] + (_regnal(n) or 0) for era, n in _SHOWA.findall(plain)]
    found += [int(year) for part in printing for year in _YEAR.findall(part)]
    return tuple(dict.fromkeys(found))


def _regnal(text: str) -> int | None:
    if text == "元":
        return 1
    return int(text) if text.isdecimal() else numerals.han(text)


@lru_cache(maxsize=32768)
def pages(text: str) -> int:
    """The main sequence of an extent: the highest number before a page sign; 0 where only volumes are counted."""
    if text.endswith("页") and text[:-1].isdecimal():
        return int(text[:-1])
    folded = fold.fold(text)
    if found := _PAGES_ONLY.fullmatch(folded):
        return int(found[1])
    pages = leaves = 0
    end = 0
    bare = _PLATES.sub(" ", folded) if _PLATES_WORD.search(folded) else folded
    bare = _THOUSAND.sub(r"\1\2", bare)
    for found in _SEQUENCE.finditer(bare):
        end = found.end()
        highest = max((int(number) for number in _COUNT.findall(found[0]) if len(number) < 6), default=0)
        if found["page"]:
            pages = max(pages, highest)
        else:
            leaves = max(leaves, highest)
    if not pages and end and (left := _COUNT.findall(bare[end:])):
        return max(int(number) for number in left if len(number) < 6) if len(left) < 4 else 0  # `p. [759]-773`
    if not end and bare != folded:  # 422,图版[40]页: one sign for both
        return max((int(number) for number in _COUNT.findall(bare) if len(number) < 5), default=0)
    return pages or leaves


@lru_cache(maxsize=32768)
def pieces(text: str) -> int:
    """How many volumes an extent counts: 12册 is 12, `v.` (open) is 99, 312页 is 0."""
    folded = fold.fold(text)
    if _PAGES_ONLY.fullmatch(folded):
        return 0
    if found := _PIECES.search(folded):
        number = found[1].strip("<>")
        return int(number) if number.isdecimal() else numerals.han(number) or 0
    return 99 if _OPEN.search(folded) else 0


@lru_cache(maxsize=32768)
def publisher(text: str, town: str = "") -> str:
    """A publisher's bare name: 人民文学出版社 is 人民文学; `Otis, Broaders and Co.` is `otis broaders`.

    `The University Press` is the one of the town (as `place` gives it). A government's printer and `The Society`, whose
    name stands elsewhere in the record, are VAGUE: they contradict no other name.
    """
    folded = fold.fold(text)
    if town and _LOCAL.fullmatch(folded.strip(" .,[]")):
        return town
    if not words.is_han(folded):
        return _western(folded)
    squeezed = fold.squeeze(folded)
    if squeezed in _UNKNOWN:
        return ""
    for long, short in _INSIDE.items():
        squeezed = squeezed.replace(long, short)
    bare = squeezed
    while (cut := _PUBLISHER_ENDS.sub("", bare)) != bare and len(cut) >= 2:
        bare = cut
    return _ALIASES.get(bare, bare)


def host_place(text: str) -> str:
    """Volume, issue and pages in a host as their numbers: `1999, no. 2` and `1999年第2期` are 1999.2."""
    return ".".join(_COUNT.findall(numerals.arabic(fold.fold(text))))


@lru_cache(maxsize=16384)
def place(text: str) -> str:
    """The town of a place of publication: `Hartford, Conn.` and `[Hartford]` are hartford, 北京市 is 北京."""
    bare = fold.squeeze(_AFTER_TOWN.split(text.strip(" [("), 1)[0])
    return "" if bare in _UNKNOWN else bare.removesuffix("dc").removesuffix("市") if len(bare) > 2 else bare


def _western(folded: str) -> str:
    if _PRINTER.search(folded):
        return f"{VAGUE}printer"
    if _PRIVATE.search(folded):
        return ""
    found = [word for word in re.findall(r"\w+", folded.replace("'", "")) if len(word) > 1 or word.isdigit()]
    if "".join(found) in _UNKNOWN:
        return ""
    if len(found) == 2 and found[0] == "the" and found[1] in _REFERRING:
        return f"{VAGUE}{found[1]}"
    return " ".join([word for word in found if word not in _WESTERN] or found)
