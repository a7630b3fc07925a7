"""The named functions of crosswalk tables: what a row can't say (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Function = Callable[[str], str]
# The source's indicators and subfields → an indicator; without marks of filing in them it is always the same one.
Reckoned = Callable[[str, list[tuple[str, str]]], str]

_OPEN, _CLOSE = "\x88\x98", "\x89\x9c"  # NSB and NSE as systems write them (ISO 6630)
_TITLES = ("a", "t", "200a", "500a")  # subfields that titles begin with, in links too
_MARKED = re.compile(f"[{_OPEN}]([^{_OPEN}{_CLOSE}]*)[{_CLOSE}]")


def without_marks(value: str) -> str:
    """Without the characters around words that do not file (MARC 21 has an indicator instead)."""
    if "\x88" not in value and "\x98" not in value:
        return value
    return _MARKED.sub(r"\1", value)


def bracketed(value: str) -> str:
    """In square brackets, as a general material designation is (MARC 21: 245 $h)."""
    return value if value.startswith("[") else f"[{value}]"


def unbracketed(value: str) -> str:
    """Without the square brackets of a general material designation (MARC 21: 245 $h)."""
    return value.strip().removeprefix("[").removesuffix("]")


def unparenthesised(value: str) -> str:
    """Without the parentheses around a manufacturer (MARC 21: 260 $e-$g) or a qualifier."""
    return value.strip().removeprefix("(").removesuffix(")")


def without_equals(value: str) -> str:
    """Without the equals sign before a parallel title, which some systems keep in the subfield (ISBD, A.3.2)."""
    return value.removeprefix("=").lstrip()


def parenthesised(value: str) -> str:
    """In parentheses, as the qualifier of a name is."""
    return value if value.strip().startswith("(") else f"({value})"


def edition(value: str) -> str:
    """Of a scheme with its edition the edition (084 $2 `clc/5`)."""
    return value.partition("/")[2]


def nonfiling(_indicators: str, pairs: list[tuple[str, str]]) -> str:
    """How many characters at the beginning do not file, of which NSB and NSE tell (MARC 21: 245, indicator 2)."""
    value = next((value for key, value in pairs if key in _TITLES), "")
    if value[:1] and value[0] in _OPEN:
        for at, character in enumerate(value):
            if character in _CLOSE:
                skip = at - 1 + len(value[at + 1 :]) - len(value[at + 1 :].lstrip())
                return str(skip) if skip < 10 else "0"
    return "0"


FUNCTIONS: Mapping[str, Function] = {
    "bracketed": bracketed,
    "unbracketed": unbracketed,
    "unparenthesised": unparenthesised,
    "edition": edition,
    "parenthesised": parenthesised,
    "without_equals": without_equals,
}
RECKONED: Mapping[str, Reckoned] = {"nonfiling": nonfiling}
