"""Blanks at the ends of values, doubled blanks, and the ideographic blank (pure).

Only transcribed fields are looked at: in coded ones a blank is a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from catalog.model import Format
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import DELIMITER, Record

# Where blanks count: control numbers of other systems with their padding, coded data, links.
_CODED_MARC21 = frozenset(("010", "016", "035", "041", "044", "052", "533", "853", "854", "855", "863", "864", "865"))
_CODED_CODES = frozenset("01235678w")  # of these codes, whatever the field: links, identifiers, fixed-length codes
_DOUBLE = re.compile(r"(?<=\S) {2,}(?=\S)")
_ODD = re.compile("\u3000|  |^. | $", re.S)  # in a subfield with its code: what is in all that is mended
_ODD_IN_FIELD = re.compile("\u3000|  |\x1f. | (?:[\x1f\n]|\\Z)", re.S)  # the same in a field
_IDEOGRAPHIC = "\u3000".encode()


@lru_cache(maxsize=4096)
def _told(tag: str, fmt: Format) -> bool:
    """Whether a field is transcribed text: numeric, not local, not coded."""
    if not tag.isdecimal() or tag[0] == "9" or tag[:2] == "00" or tag[1:2] == "9":
        return False
    return tag not in _CODED_MARC21 if fmt == Format.MARC21 else tag[0] != "1"


_TOLD = {fmt: bulk.of_tags(f"{tag:03d}" for tag in range(1000) if _told(f"{tag:03d}", fmt)) for fmt in Format}
_IS_CODED = np.zeros(256, np.bool_)
_IS_CODED[list(map(ord, _CODED_CODES))] = True


def trimmed(value: str) -> str:
    """Without blanks at the ends; a value of blanks only is left to the rule of empty subfields."""
    return value.strip(" ") or value


def single(value: str) -> str:
    """With single blanks between words."""
    return _DOUBLE.sub(" ", value) if "  " in value else value


def narrow(value: str) -> str:
    """With a plain blank for the ideographic one."""
    return value.replace("\u3000", " ")


MENDS: Mapping[str, Callable[[str], str]] = {"space-wide": narrow, "space-edge": trimmed, "space-double": single}


def among(columns: Columns, fmt: Format) -> Bools:
    """Records with a blank at an end of a value, two together, or an ideographic one, where blanks count."""
    octets, marks = columns.octets, columns.marks
    blanks = np.flatnonzero(octets == 0x20)[:-2]  # those behind all fields count for nothing
    behind = octets[blanks + 1]
    odd = (behind == 0x20) | (behind & 0xFE == 0x1E) | (octets[blanks - 2] == 0x1F)
    wide_codes = marks[octets[marks + 1] >= 0x80]  # codes of several bytes, whatever is behind them
    places = np.concatenate((blanks[odd], wide_codes))
    if _IDEOGRAPHIC in columns.data:
        wide = (octets[:-2] == 0xE3) & (octets[1:-1] == 0x80) & (octets[2:] == 0x80)
        places = np.concatenate((places, np.flatnonzero(wide)))
    fields = columns.fields_at(places)
    counts = _TOLD[fmt][columns.digits[fields]] & (places - columns.starts[fields] >= 2)
    places, fields = places[counts], fields[counts]
    marks = columns.marks[np.searchsorted(columns.marks, places, side="right") - 1]
    return columns.rows_of(fields[~_IS_CODED[octets[marks + 1]]])


def look(seen: Look) -> Iterator[Finding]:
    """Blanks in the wrong places."""
    for tag, texts in seen.fields.items():
        if not _told(tag, seen.format):
            continue
        for nth, text in enumerate(texts, 1):
            for part in text.split(DELIMITER)[1:] if _ODD_IN_FIELD.search(text) else ():
                if part and part[0] not in _CODED_CODES and _ODD.search(part):
                    value = part[1:]
                    for rule, mend in MENDS.items():
                        if (wanted := mend(value)) != value:
                            yield Finding(rule, tag, nth, part[0], -1, value[:LONGEST_VALUE], wanted[:LONGEST_VALUE])


def _fix(rule: str, change: Callable[[str], str]) -> Fix:
    def mend(record: Record, fmt: Format) -> Mended:
        def put(tag: str, text: str) -> str:
            if not _told(tag, fmt):
                return text
            head, *parts = text.split(DELIMITER)
            put = [p if not p or p[0] in _CODED_CODES else p[0] + change(p[1:]) for p in parts]
            return DELIMITER.join([head, *put])

        return edit.fields(record, rule, put)

    return mend


RULES: tuple[ContentRule, ...] = (ContentRule(ids=tuple(MENDS), look=look, kinds=frozenset(Kind), among=among),)
FIXES: Mapping[str, Fix] = {rule: _fix(rule, change) for rule, change in MENDS.items()}
