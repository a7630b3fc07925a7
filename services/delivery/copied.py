"""A record as another library may take it into its own catalogue: in its dialect, with pinyin, without anybody's copies
(pure).

Fields that belong to one library (905, 852 …) are those that the merge policy drops; whoever copies a record makes its
own. Pinyin that nobody has catalogued is supplied from our tables as the dialect wants it: $A behind $a (CALIS), $9
(NLC), a field of its own (UNIMARC $6 and $7, 880 of what becomes MARC 21).
"""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.model import Format, Published
from catalog.search import pinyin
from dms import merge_policy
from dms.crosswalk.marc import between, dialects
from dms.merge_policy import Rule
from protocols.marc import DELIMITER, Record, value
from services.delivery import render
from services.delivery.forms import Going

CALIS = "cnmarc-calis"  # pinyin stands beside what it spells, so it can be moved wherever another dialect wants it
NAMES = ("700", "701", "702")
SPELLED = ("200", *NAMES)
LONGEST = 300  # characters that are spelled
_HAN = re.compile("[\u3400-\u9fff]")
_SPELLING = re.compile(r"9[A-Za-z][\x20-\x7eü]*")


def copied(published: Published, dialect: str) -> Going:
    """The record in a dialect of `between.FORMATS`. Raises `render.Tombstone`."""
    own, fmt = render.record(published), published.format
    rules = merge_policy.builtin().formats[fmt].rules
    shared = [each for each in own.fields if rules[each[0]] is not Rule.DROP or each[0] in render.OURS]
    record = Record(own.leader, tuple(shared))
    target = between.FORMATS[dialect]
    if target is Format.MARC21:
        turned = record if fmt is target else _named(between.to(spelled_out(record), fmt, dialect).record, published.id)
    else:
        if fmt is not target:
            record = between.to(record, fmt, CALIS).record
        turned, _ = dialects.turned(spelled_out(record), dialect)
    return Going(published.id, turned, target)


def _named(record: Record, ident: str) -> Record:
    """A converted record without the agency whose number the crosswalk takes ours for (003 and 035)."""
    kept = (
        (tag, text)
        for tag, text in record.fields
        if tag != "003" and not (tag == "035" and value(text, "a").endswith(f"){ident}"))
    )
    return Record(record.leader, tuple(kept))


def spelled_out(record: Record) -> Record:
    """A CNMARC record with pinyin beside its title and its names where nobody has written any."""
    if any(DELIMITER + "7" in text for tag, text in record.fields if tag in SPELLED):
        return record  # fields of their own in the other script
    fields = ((tag, _with_pinyin(text, tag in NAMES) if tag in SPELLED else text) for tag, text in record.fields)
    return Record(record.leader, tuple(fields))


@lru_cache(maxsize=4096)
def _with_pinyin(text: str, name: bool) -> str:
    """The field's text with $A behind its first $a."""
    parts = text.split(DELIMITER)
    if any(part[:1] == "A" or _SPELLING.fullmatch(part) for part in parts[1:]):
        return text
    at = next((n for n, part in enumerate(parts[1:], 1) if part[:1] == "a"), 0)
    if not at or not _HAN.search(parts[at]):
        return text
    said = parts[at][1 : LONGEST + 1]
    spelling = " ".join(pinyin.streams(pinyin.name_readings(said) if name else pinyin.readings(said))[0])
    return DELIMITER.join((*parts[: at + 1], f"A{spelling}", *parts[at + 1 :])) if spelling else text
