"""Diagnostics of SRU (info:srw/diagnostic/1, SRU Diagnostics List): the numbers that a query can get."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar

from config import errors
from protocols.query import Unanswerable, Why


class Sru(IntEnum):
    """Numbers by what they mean; details are what was not understood, of what is too long the bound."""

    SYNTAX = 10
    TOO_LONG = 12
    PARENTHESES = 13
    QUOTES = 14
    CONTEXT_SET = 15
    INDEX = 16
    RELATION = 19
    RELATION_MODIFIER = 20
    RELATION_OF_INDEX = 22
    TERM_TOO_LONG = 23
    EMPTY_TERM = 27
    MASKING = 28
    MASKED_TOO_SHORT = 29
    TOO_MANY_MASKS = 30
    ANCHOR = 31
    ANCHOR_PLACE = 32
    TERM_FORMAT = 36
    TOO_MANY_OPERATORS = 38
    PROXIMITY = 39
    PROXIMITY_RELATION = 40
    PROXIMITY_DISTANCE = 41
    PROXIMITY_UNIT = 42
    PROXIMITY_COMBINATION = 44
    PREFIX_TWICE = 45
    BOOLEAN_MODIFIER = 46
    FEATURE = 48
    NO_SUCH_SET = 51
    SORT_TOO_MANY = 83
    SORT_TOO_MANY_KEYS = 84
    SORT_PATH = 88


TEXTS: Mapping[int, str] = {
    10: "Query syntax error",
    12: "Too many characters in query",
    13: "Invalid or unsupported use of parentheses",
    14: "Invalid or unsupported use of quotes",
    15: "Unsupported context set",
    16: "Unsupported index",
    19: "Unsupported relation",
    20: "Unsupported relation modifier",
    22: "Unsupported combination of relation and index",
    23: "Too many characters in term",
    27: "Empty term unsupported",
    28: "Masking character not supported",
    29: "Masked words too short",
    30: "Too many masking characters in term",
    31: "Anchoring character not supported",
    32: "Anchoring character in unsupported position",
    36: "Term in invalid format for index or relation",
    38: "Too many boolean operators in query",
    39: "Proximity not supported",
    40: "Unsupported proximity relation",
    41: "Unsupported proximity distance",
    42: "Unsupported proximity unit",
    44: "Unsupported combination of proximity modifiers",
    45: "Prefix assigned to multiple identifiers",
    46: "Unsupported boolean modifier",
    48: "Query feature unsupported",
    51: "Result set does not exist",
    83: "Too many records to sort",
    84: "Too many sort keys to sort",
    88: "Unsupported path for sort",
}

DIAGNOSTICS: Mapping[Why, Sru] = {
    "query": Sru.SYNTAX, "complex": Sru.TOO_MANY_OPERATORS, "long": Sru.TOO_LONG, "index": Sru.INDEX,
    "relation": Sru.RELATION_OF_INDEX, "structure": Sru.RELATION_OF_INDEX, "truncation": Sru.MASKING,
    "position": Sru.ANCHOR, "completeness": Sru.ANCHOR, "combination": Sru.FEATURE, "empty": Sru.EMPTY_TERM,
    "term": Sru.TERM_FORMAT, "short": Sru.MASKED_TOO_SHORT, "masks": Sru.TOO_MANY_MASKS,
    "proximity": Sru.PROXIMITY, "distance": Sru.PROXIMITY_DISTANCE, "unit": Sru.PROXIMITY_UNIT,
    "set": Sru.NO_SUCH_SET, "sort": Sru.SORT_PATH, "keys": Sru.SORT_TOO_MANY,
}  # fmt: skip


class Diagnosed(errors.Refused):
    """A query that is answered by a diagnostic; `place` is the character of the query where it went wrong."""

    code = "cql-query"
    exit_code: ClassVar[int] = 2

    def __init__(self, number: Sru, details: str, place: int = 0) -> None:
        self.number = number
        self.details = details
        self.place = place
        super().__init__(f"{TEXTS[number]}: {details} (at character {place + 1})" if details else TEXTS[number])


def diagnosed(error: Unanswerable) -> Diagnosed:
    """What the catalogue could not answer."""
    return Diagnosed(DIAGNOSTICS[error.why], error.value)
