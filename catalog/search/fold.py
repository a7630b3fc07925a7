"""Folding: one spelling for all the ways in which a text is typed, so that 歷史研究 finds 历史研究.

Folded together: full and half width and other compatibility forms (Unicode NFKC); traditional, simplified, Taiwan, Hong
Kong, Japanese and old printed forms of a Chinese character (fold.tsv, made by make_fold.py; variants.tsv says which
false friends stay apart and why); case; diacritics of Latin and Greek letters, which readers leave out. Kept: the
marks that make another letter (Japanese がか, Cyrillic йи) and everything that tells one surname from another (沈, 沉).

Folding works a character at a time and twice is the same as once. Folded texts are stored in signatures and indexes:
a change of the tables asks for both to be made again.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

# Letters that NFD does not take apart into a plain letter and a mark.
LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h",
    "ŧ": "t", "ŋ": "n", "ĸ": "k", "ɑ": "a", "ɡ": "g", "ə": "a", "ƀ": "b", "ɓ": "b", "ƙ": "k", "ɗ": "d",
    "ơ": "o", "ư": "u",
}  # fmt: skip
APOSTROPHES = "’‘‛′ʹʻʼʽˈʾʿ`´＇‵"  # typed for ' and, in romanized Arabic and Hebrew, for ʻayn and alif
HYPHENS = "‐‑‒–—―−﹣－⁃"
ALPHABETS = ((0x80, 0x590), (0x10A0, 0x1100), (0x13A0, 0x1400), (0x1C80, 0x2000), (0x2100, 0x2190), (0x2C00, 0x2E00))
ALPHABETS_FAR = ((0xA640, 0xA7FF), (0xAB30, 0xABC0), (0xFB00, 0xFB20), (0x10400, 0x10450))
COMBINING = ((0x300, 0x370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x20D0, 0x2100), (0xFE00, 0xFE10), (0xFE20, 0xFE30))
VARIATION_SELECTORS = (0xE0100, 0xE01F0)
COMMON_END = 0x3_0000  # code points up to here are remembered once seen: beyond are no living scripts

REMEMBERED = 4096  # texts: several rules look at one title or note in turn

TABLE_FILE = Path(__file__).with_name("fold.tsv")


class _Table(dict[int, "str | int | None"]):
    """A table for `str.translate` that remembers that a character stays (a miss costs ten times a hit)."""

    def __missing__(self, code: int) -> int:
        if code < COMMON_END:
            self[code] = code
        return code


class _BareTable(_Table):
    """The same, but what is no letter and no digit goes."""

    def __missing__(self, code: int) -> int | None:  # type: ignore[override]
        stays = code if chr(code).isalnum() else None
        if code < COMMON_END:
            self[code] = stays
        return stays


def _letter(character: str) -> str:
    """A letter in lower case, without marks where it is Latin or Greek."""
    plain = unicodedata.normalize("NFKC", character.casefold())
    parts = unicodedata.normalize("NFD", plain)
    if len(parts) > 1 and unicodedata.name(parts[0], "").startswith(("LATIN", "GREEK")):
        parts = "".join(part for part in parts if not unicodedata.category(part).startswith("M"))
        plain = parts
    return "".join(LETTERS.get(part, part) for part in plain)


def _characters() -> dict[int, str | int | None]:
    """What becomes of each character that does not stay as it is."""
    found: dict[int, str | int | None] = {}
    for start, end in ((0x41, 0x5B), *ALPHABETS, *ALPHABETS_FAR):
        for code in range(start, end):
            letter = _letter(chr(code))
            if letter != chr(code):
                found[code] = letter
    for start, end in (*COMBINING, VARIATION_SELECTORS):
        found |= dict.fromkeys(range(start, end))
    # C0 controls are blanks; C1 controls are the non-sorting marks of ISO 6630 and vanish, as do invisible characters.
    found |= dict.fromkeys(range(0x20), " ")
    found |= dict.fromkeys(range(0x7F, 0xA0))
    found |= {code: None for code in range(0xAD, 0x10000) if unicodedata.category(chr(code)) == "Cf"}
    found |= {ord(mark): "'" for mark in APOSTROPHES}
    found |= {ord(mark): "-" for mark in HYPHENS}
    for line in TABLE_FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            representative, others = line.split("\t")
            found |= dict.fromkeys(map(ord, others), representative)
    return found


_CHARACTERS = _characters()
_FOLD = _Table(_CHARACTERS)
_SQUEEZE = _BareTable({code: to if isinstance(to, str) and to.isalnum() else None for code, to in _CHARACTERS.items()})

# One capital with signs is the name of a language (C++, C#, F#): the signs make another word, so they stay.
_SIGNED = re.compile(r"(?<![a-z0-9])([a-z])(\+\+|[#♯])(?![a-z0-9])")
_SIGNS = {"++": "plusplus", "#": "sharp", "♯": "sharp"}

CJK = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7a3\U00020000-\U0003ffff"
)  # Han, kana, bopomofo, Hangul: scripts written without blanks, or whose words are cut in many ways
_WORDS = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_LATIN_WORDS = re.compile(r"[^\W_]+")
_CJK = re.compile(f"[{CJK}]")


def fold(text: str) -> str:
    """The text with every character folded; blanks and punctuation stay, apostrophes and hyphens are `'` and `-`."""
    return text.lower() if text.isascii() and text.isprintable() else _folded(text)


@lru_cache(maxsize=REMEMBERED)
def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_FOLD)
    # An invisible character that went may leave neighbours that compose.
    return folded if unicodedata.is_normalized("NFKC", folded) else fold(folded)


def squeeze(text: str) -> str:
    """Folded letters and digits only: the form in which titles are compared. C++ and C# stay apart from C."""
    return text.lower() if text.isascii() and text.isalnum() else _squeezed(text)


@lru_cache(maxsize=REMEMBERED)
def _squeezed(text: str) -> str:
    if "+" in text or "#" in text or "＋" in text or "＃" in text or "♯" in text:
        text = spell_signs(fold(text))
    squeezed = unicodedata.normalize("NFKC", text).translate(_SQUEEZE)
    return squeezed if unicodedata.is_normalized("NFKC", squeezed) else squeeze(squeezed)


def words(text: str) -> list[str]:
    """Runs of folded letters and digits in order; a run of Chinese, Japanese or Korean characters is one word."""
    folded = _signed(text)
    return _LATIN_WORDS.findall(folded) if folded.isascii() else _WORDS.findall(folded)


def _signed(text: str) -> str:
    """Folded, with the names of languages spelled."""
    folded = fold(text)
    return spell_signs(folded) if "+" in folded or "#" in folded or "♯" in folded else folded


def is_cjk(word: str) -> bool:
    """Whether a word of `words` is a run of Chinese, Japanese or Korean characters."""
    return word[:1] >= CJK[0] and _CJK.match(word) is not None  # most words are not, and begin before all of them


def has_cjk(text: str) -> bool:
    """Whether any character is Chinese, Japanese or Korean."""
    return _CJK.search(text) is not None


def spell_signs(folded: str) -> str:
    """A folded text with `c++` written as `cplusplus` and `c#` as `csharp`."""
    return _SIGNED.sub(lambda found: found[1] + _SIGNS[found[2]], folded)
