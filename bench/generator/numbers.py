"""ISBN, ISSN and volume numerals in the forms that catalogues show."""

from __future__ import annotations

from collections import Counter

from bench.generator.book import Volume
from bench.generator.draw import Draw

HAN = "零一二三四五六七八九"
CAPITAL_HAN = "零壹贰叁肆伍陆柒捌玖"
SIDES = {2: "上下", 3: "上中下"}
ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def isbn13(prefix: str, serial: int) -> str:
    """Hyphenated ISBN-13 of a group and publisher prefix like 7-301; a serial too long for the prefix wraps."""
    group, publisher = prefix.split("-")
    width = 9 - len(group) - len(publisher)
    title = str(serial % 10**width).rjust(width, "0")
    digits = f"978{group}{publisher}{title}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"978-{group}-{publisher}-{title}-{-total % 10}"


def isbn10(isbn: str) -> str:
    """The ten-digit form of a hyphenated 978 ISBN, hyphens kept (weights 10 … 2, X for ten)."""
    body = isbn[4:-2]
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(body.replace("-", "")))
    check = -total % 11
    return f"{body}-{'X' if check == 10 else check}"


def issn(serial: int) -> str:
    """A valid ISSN (ISO 3297: weights 8 … 2, X for ten)."""
    body = str(1_000_000 + serial % 9_000_000)
    check = -sum(int(digit) * (8 - place) for place, digit in enumerate(body)) % 11
    return f"{body[:4]}-{body[4:]}{'X' if check == 10 else check}"


def han(number: int) -> str:
    """1–99 in Han numerals: 十二, 三十."""
    tens, ones = divmod(number, 10)
    front = "" if tens == 0 else "十" if tens == 1 else f"{HAN[tens]}十"
    return front + (HAN[ones] if ones else "")


def roman(number: int) -> str:
    """1–39 in Roman numerals."""
    text = ""
    for value, letters in ROMAN:
        while number >= value:
            text += letters
            number -= value
    return text


def designation(volume: Volume) -> str:
    """The volume in its commonest form."""
    if volume.sided:
        return f"{SIDES[volume.of][volume.number - 1]}{volume.unit}"
    if not volume.unit:
        return f"v. {volume.number}"
    return f"第{han(volume.number)}{volume.unit}"


def another_designation(draw: Draw, volume: Volume) -> str:
    """The same volume in some form a cataloguer may choose."""
    n, unit = volume.number, volume.unit
    if volume.sided:
        side = SIDES[volume.of][n - 1]
        return draw.pick((side, f"{side}{unit}"))
    if not unit:
        return draw.pick((f"v. {n}", f"vol. {n}", f"Volume {n}", f"v.{n}", f"Vol. {roman(n)}"))
    forms = [f"第{n}{unit}", f"第{han(n)}{unit}", f"{unit}{han(n)}", str(n), han(n), f"第{n:02d}{unit}", f"v.{n}"]
    if n < 10:
        forms.append(f"第{CAPITAL_HAN[n]}{unit}")
    if n < 40:
        forms.append(roman(n))
    return draw.pick(forms)


class Registry:
    """Hands out ISBNs and ISSNs that nobody has yet; registry `turn` of `turns` takes every `turns`th number."""

    def __init__(self, turn: int = 0, turns: int = 1) -> None:
        self._last: Counter[str] = Counter()
        self._turn, self._turns = turn, turns

    def isbn(self, prefix: str) -> str:
        """The next ISBN-13 of a publisher, spread out a little as real ones are."""
        return isbn13(prefix, self._next(prefix) * 7)

    def issn(self) -> str:
        """The next ISSN."""
        return issn(self._next("issn") * 11)

    def _next(self, kind: str) -> int:
        self._last[kind] += 1
        return self._last[kind] * self._turns + self._turn
