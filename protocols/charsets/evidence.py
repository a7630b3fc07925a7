"""How likely bytes above 7F are text in each encoding: tables of byte patterns with points, no trained model.

A `Scorer` walks the bytes from left to right; at each place the first of its patterns that matches takes those bytes
and gives its points (0-100); a high byte that nothing else takes gives none. The score is the mean over all matches.
Points are set so that real text in its own encoding scores 80-100 and any other reading of it well below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from protocols.charsets import marc8

SAMPLE = 400  # high bytes looked at in one record


class _Characters(dict[bytes, int]):
    """Points of each sequence of bytes that patterns have taken: without looking around they always take it so."""

    def __init__(self, pattern: re.Pattern[bytes], points: tuple[int, ...], known: Mapping[bytes, int]) -> None:
        super().__init__(known)
        self._pattern = pattern
        self._points = points
        self._all = re.compile(pattern.pattern.replace(b"(", b"(?:"), re.DOTALL).findall

    def __missing__(self, taken: bytes) -> int:
        match = self._pattern.fullmatch(taken)
        points = self._points[match.lastindex - 1] if match and match.lastindex else 0
        if len(taken) < 4:  # four bytes are rare and many
            self[taken] = points
        return points

    def score(self, sample: bytes) -> float:
        """See `Scorer.score`."""
        found = self._all(sample)
        return sum(map(self.__getitem__, found)) / len(found) if found else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Patterns of one encoding as one alternation; the n-th group gives `points[n - 1]`."""

    name: str
    pattern: re.Pattern[bytes]
    points: tuple[int, ...]
    characters: _Characters | None  # where no pattern looks around itself

    def score(self, sample: bytes) -> float:
        """Mean points, 0-100, of the high bytes in `sample`; 0 if there are none."""
        if self.characters is not None:
            return self.characters.score(sample)
        total = count = 0
        for match in self.pattern.finditer(sample):
            total += self.points[(match.lastindex or 1) - 1]
            count += 1
        return total / count if count else 0.0


def _scorer(name: str, rows: list[tuple[bytes, int]], known: Mapping[bytes, int]) -> Scorer:
    rows = [*rows, (rb"[\x80-\xff]", 0)]
    alternation = b"|".join(b"(" + pattern + b")" for pattern, _ in rows)
    # Where patterns look behind, all of them would be tried at every ASCII character too.
    guarded = rb"(?=[\x80-\xff])(?:" + alternation + b")" if b"(?" in alternation else alternation
    pattern, points = re.compile(guarded, re.DOTALL), tuple(points for _, points in rows)
    characters = None if b"(?" in alternation else _Characters(pattern, points, known)
    return Scorer(name=name, pattern=pattern, points=points, characters=characters)


UTF8 = [
    (rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}", 100),
]
GB18030 = [
    (rb"[\xb0-\xd7][\xa1-\xfe]", 100),  # GB 2312 level 1: the 3,755 commonest characters
    (rb"[\xa1-\xa3][\xa1-\xfe]", 90),  # punctuation and full-width letters
    (rb"[\xd8-\xf7][\xa1-\xfe]", 40),  # GB 2312 level 2
    (rb"\xa7[\xa1-\xf1]|\xa8[\xa1-\xc0]", 95),  # Cyrillic; letters of pinyin
    (rb"[\xa4-\xa6\xa8\xa9][\xa1-\xfe]", 50),  # kana, Greek, bopomofo, box drawing
    (rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]", 80),  # GB 18030, four bytes: letters of all other scripts
    (rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", 10),  # GBK
]
BIG5 = [
    (rb"(?:\xa7[\xa1-\xf1]){2,}", 10),  # Cyrillic words in GB 2312
    (rb"(?<=[^\x1f][A-Za-z])(?:[\xa1-\xf9][\x40-\x7e\xa1-\xfe](?=[a-z])|\xa8[\xa1-\xc0])", 15),  # in a Western word
    (rb"(?<=[\x1f ])[\xa1-\xf9][\x40-\x7e](?=[\x1f-\x7e])", 20),  # a word of one character between ASCII ones
    (rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]", 100),  # level 1: 5,401 common characters
    (rb"[\xa1-\xa3][\x40-\x7e\xa1-\xfe]", 90),
    (rb"[\xc9-\xf9][\x40-\x7e\xa1-\xfe]", 30),
]
_LOWER, _UPPER = rb"\xdf-\xf6\xf8-\xff", rb"\xc0-\xd6\xd8-\xde"
_VOWEL = rb"[aeiouyAEIOUY]"
LATIN1 = [
    (rb"[\xc0-\xff]{4,}", 5),  # no Western word has four such letters in a row
    (rb"(?<=[^\x1f][a-z" + _LOWER + rb"])[" + _UPPER + rb"](?=[a-z])", 10),  # a capital inside a word
    # What Western words don't have and MARC-8 is full of: grave, acute, diaeresis, circumflex, macron before a vowel.
    (rb"[\xe1\xe2\xe8](?=" + _VOWEL + rb")", 15),
    (rb"\xe3(?=[aeiu]|o[a-z])|\xe5(?=" + _VOWEL + rb")", 30),
    (rb"(?<=[aeiou])\xe4(?=n)|\xf0(?=[cs])|\xeb(?=[A-Za-z]\xec)|\xec(?=[A-Za-z])(?<=\xeb[A-Za-z]\xec)", 15),
    (rb"(?<=[0-9])\xc0|[\xc2\xc3](?=[0-9]{4})", 5),  # degree, phonogram, copyright of MARC-8
    (rb"\xa9(?= ?[0-9]{4})|(?<=[0-9nN])[\xb0\xba]|\xa3(?=[0-9])", 90),
    (rb"(?<=[A-Za-z])[\x8a\x8e\x9a\x9c\x9e](?=[a-z])", 75),  # of code page 1252
    (rb"(?<=[A-Za-z])[" + _LOWER + rb"]|[" + _LOWER + rb"](?=[a-z])", 88),
    (rb"(?<=[A-Z])[" + _UPPER + rb"]|[" + _UPPER + rb"](?=[A-Za-z])", 85),
    (rb"[" + _LOWER + rb"]", 50),
    (rb"[" + _UPPER + rb"]", 25),
    (rb"(?<=[\x1f ])\xa4(?=[a-z])", 60),  # begins the part that is sorted by, in Denmark
    (rb"[\x88\x89\xa0\xa7\xa9\xab\xae\xb0\xb7\xba\xbb\xaa\x91-\x94\x96\x97]", 60),
]


def _cyrillic(codec: str) -> list[tuple[bytes, int]]:
    def members(text: str) -> bytes:
        return re.escape(text.encode(codec))

    small, big = "абвгдежзийклмнопрстуфхцчшщъыьэюяё", "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁ"
    lower, upper = members(small), members(big)
    return [
        (rb"(?<=[^\x1f][A-Za-z])[\x80-\xff]|[\x80-\xff](?=[A-Za-z])", 0),  # one word, two scripts
        (rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", 20),  # hardly any word has one letter
        (rb"(?<=[" + lower + rb"])[" + upper + rb"]", 0),
        (rb"[" + members("оеаинтсрвлкмдпу") + rb"]", 100),  # nine in ten letters of Russian text
        (rb"[" + lower + rb"]", 75),
        (rb"(?<![" + upper + rb"])[" + upper + rb"](?=[" + lower + rb" .,])", 90),
        (rb"[" + upper + rb"]", 45),
        (rb"[" + members("№«»" if codec == "cp1251" else "№" if codec == "cp866" else "°") + rb"]", 60),
    ]


# Letters with a mark that exist but hardly occur: ligature-like carons of Slovak, Latvian cedillas, Esperanto.
_UNUSUAL = {"\u030c": "dltDLT", "\u0327": "gklnrGKLNR", "\u0301": "lrLR", "\u0302": "cghjsCGHJS", "\u0303": "iuIU"}
_VIETNAMESE = "\u0309\u0323"  # hook above; dot below, which romanized Indian and Arabic have too
_TWO = ("\u0302\u0306\u0304", "\u0300\u0301\u0303\u0309\u0323")  # marks that share a letter: its shape and its tone
_LETTERS = "ŁØĐÞÆŒłøđþæœıðƠƯơưßĲĳ"


def _rank(row: tuple[int, tuple[str, bool]]) -> int:
    """Place among the marks: the commonest are tried first."""
    return ("\u0301\u0300\u0308\u0302\u0327\u0303\u030c\u0304" + row[1][0]).index(row[1][0])


def _marks_first(upper: str) -> list[tuple[bytes, int]]:
    """MARC-8's ANSEL or ISO 5426: a mark comes before a letter with which it exists as one character."""
    common: list[bytes] = []
    carons: list[bytes] = []
    rare: list[bytes] = []
    letters: list[bytes] = []
    signs: list[bytes] = []
    marks: list[bytes] = []
    named: list[tuple[str, bytes]] = []
    caron, ogonek, capitals = b"", b"", b""
    for code, (character, mark) in sorted(marc8.table(upper).items(), key=_rank):
        byte = re.escape(bytes([code | 0x80]))
        if not mark:
            (letters if character in _LETTERS else signs).append(byte)
            capitals += byte if character in _LETTERS and character.isupper() else b""
            continue
        marks.append(byte)
        named.append((character, byte))
        caron = byte if character == "\u030c" else caron
        ogonek = byte if character == "\u0328" else ogonek
        composed = {chr(base): unicodedata.normalize("NFC", chr(base) + character) for base in range(0x41, 0x7B)}
        made = {base for base, whole in composed.items() if len(whole) == 1}
        end = 0x2000 if character in _VIETNAMESE else 0x180
        usual = {base for base in made if ord(composed[base]) < end and base not in _UNUSUAL.get(character, "")}
        if usual:
            (carons if byte == caron else common).append(byte + b"[" + "".join(sorted(usual)).encode() + b"]")
        if made - usual:
            rare.append(byte + b"[" + "".join(sorted(made - usual)).encode() + b"]")
    shape, tone = (b"[" + b"".join(bytes_ for name, bytes_ in named if name in which) + b"]" for which in _TWO)
    mark_set, sign_set = b"[" + b"".join(marks) + b"]", b"[" + b"".join(signs) + b"]"
    letter_set = b"[" + b"".join(letters) + b"]"
    ligature = [(rb"\xeb[A-Za-z]\xec[A-Za-z]", 100)] if upper == marc8.ANSEL else []
    ansel = [(rb"(?<=[0-9])[\xa7\xb7\xc0]|[\xc2\xc3](?= ?[0-9]{4})|\xb9(?=[0-9])", 95)] if upper == marc8.ANSEL else []
    consonant = rb"(?<=[bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ])" + caron
    return [
        (rb"[\x80-\xff]{4,}", 0),  # no letter has so many marks
        (b"|".join(common), 100),
        *ligature,
        (consonant + rb"[cszrn](?![A-Za-z\x80-\xff])", 25),  # a syllable without a vowel
        # Czech and Polish; or the commonest letters of French and Spanish in Latin-1.
        (consonant + rb"[cszrn]|" + caron + rb"e(?![A-Za-z\x80-\xff])", 77),
        (rb"(?<=[aeiou])" + ogonek + rb"[aeiou]", 35),
        (b"|".join(carons), 100),
        (b"|".join(rare), 55),
        (b"(?:" + shape + tone + b"|" + tone + shape + b")[AEIOUaeiou]", 90),
        (mark_set + mark_set + b"[A-Za-z]", 50),
        (mark_set + b"[A-Za-z]", 30),
        *ansel,
        (rb"[\xa4\xb4](?=[bcdfghklmnpqstwxz])" if upper == marc8.ANSEL else rb"(?!)", 5),  # thorn, before a vowel or r
        (rb"(?<=[a-z])[" + capitals + rb"]", 10),
        (b"(?<=[A-Za-z])" + letter_set + b"|" + letter_set + b"(?=[A-Za-z])", 75),
        (b"(?<=[^\x1f][A-Za-z])" + sign_set + b"|" + sign_set + b"(?=[A-Za-z])", 75),
        (b"(?<![\x80-\xff])(?:" + sign_set + b"|" + letter_set + b")(?![\x80-\xff])", 40),
    ]


@cache
def scorers() -> dict[str, Scorer]:
    """Every scorer by the name of its encoding."""
    tables = {
        "utf-8": UTF8,
        "marc-8": _marks_first(marc8.ANSEL),
        "iso-5426": _marks_first(marc8.ISO5426),
        "gb18030": GB18030,
        "big5": BIG5,
        "koi8-r": _cyrillic("koi8-r"),
        "cp1251": _cyrillic("cp1251"),
        "cp866": _cyrillic("cp866"),
        "latin-1": LATIN1,
    }
    known = {"gb18030": _traditional()}
    return {name: _scorer(name, rows, known.get(name, {})) for name, rows in tables.items()}


def _traditional() -> dict[bytes, int]:
    """Points of GBK's codes of common traditional characters (level 1 of Big5), which GB 2312 lacks."""
    leads, trails = range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    common = bytes(byte for lead in leads for trail in trails for byte in (lead, trail)).decode("cp950", "ignore")
    codes = (character.encode("gbk", "ignore") for character in common)
    return {code: 60 for code in codes if len(code) == 2 and (code[0] < 0xB0 or code[1] < 0xA1) and code[0] != 0xA1}
