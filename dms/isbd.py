"""Reading transcribed text: ISBD marks off the ends, brackets off names, years out of dates.

In MARC 21 a subfield ends with the mark that introduces the next one (ISBD consolidated edition, A.3); shown alone it
has to go. A final full stop stays where it belongs to an abbreviation or an initial.
"""

from __future__ import annotations

import re

_DIRECTIONS = (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))  # invisible: they hide the marks
_CONTROLS = dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFEFF, *_DIRECTIONS))
_TAIL = " \t\r\n/:;,=\u3000"
# Words whose full stop is their own, in the languages that use them in catalogues.
_ABBREVIATED = """
    abr al aufl augm b bd bros c ca calif capt cia cie co col colo conn corp d d.c dept dr ed eds esq etc f fl fla gen
    hrsg ill inc jr ltd mass md mich minn mr mrs ms n.j n.y no nos ph.d pp print prof pt pts repr rev s.l s.n ser sr st
    suppl t tex u.s univ va vol vols vt wash wis wm вып изд илл ред сост т
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_BRACKETS = frozenset("[]()")
_INITIALS = re.compile(r"\w\.\w+$")
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d\d)(?!\d)")
_HAN_YEAR = re.compile(r"[〇零○一二三四五六七八九]{4}")
_HAN_DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_ERA = re.compile(r"(民国|民國|明治|大正|昭和|平成|令和)\s*(元|\d{1,2}|[一二三四五六七八九十廿卅]{1,4})\s*年?")
_ERA_START = {"民国": 1911, "民國": 1911, "明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_TENS = {"十": 10, "廿": 20, "卅": 30}


def plain(text: str) -> str:
    """The text without control characters, doubled blanks and the ISBD marks at its end."""
    printable = text.isprintable()
    if printable and text[:1].isalnum() and text[-1:].isalnum() and "  " not in text:
        return text  # nearly every value: nothing at its ends, and no printable character but the blank is a space
    if not printable:
        text = text.translate(_CONTROLS)
    text = " ".join(text.split()).rstrip(_TAIL)
    if text[-1:] == "." and text[-2:] != "..":
        text = _without_stop(text)
    return _balanced(text) if text[:1] in _BRACKETS or text[-1:] in _BRACKETS else text


def _without_stop(text: str) -> str:
    word = text[:-1].rpartition(" ")[2].strip("([\"'").lower()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()) or _INITIALS.search(word):
        return text
    return text[:-1].rstrip(_TAIL)


def _balanced(text: str) -> str:
    """A bracket that opens and never closes came from the next subfield or the one before: `[London :` and `s.n.]`."""
    for opening, closing in ("[]", "()"):
        if text.startswith(opening) and closing not in text:
            text = text[1:]
        elif text.endswith(closing) and opening not in text:
            text = text[:-1]
    return text.strip()


def unbracketed(text: str) -> str:
    """A name without the brackets of the cataloguer: `[Beijing]` is Beijing."""
    return plain(text.replace("[", "").replace("]", ""))


def year(text: str) -> int:
    """The first year of a transcribed date, in Arabic or Chinese digits or by a modern era (民国 … 令和); 0 if none."""
    found = _YEAR.search(text)
    if found:
        return int(found[1])
    han = _HAN_YEAR.search(text)
    if han:
        value = int(han[0].translate(_HAN_DIGITS))
        return value if 1000 <= value < 2100 else 0
    era = _ERA.search(text)
    return _ERA_START[era[1]] + _small_number(era[2]) if era else 0


def _small_number(text: str) -> int:
    """1-99 in Arabic or Chinese figures; 元 is the first year of an era."""
    if text == "元":
        return 1
    if text.isascii():
        return int(text)
    total = unit = 0
    for character in text:
        if character in _TENS:
            total += (unit or 1) * _TENS[character]
            unit = 0
        else:
            unit = int(character.translate(_HAN_DIGITS))
    return total + unit
