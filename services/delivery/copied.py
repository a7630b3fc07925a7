"""A record as another library may take it into its own catalogue: in its dialect, with pinyin, without anybody's copies
(pure).

Fields that belong to one library (905, 852 …) are those that the merge policy drops; whoever copies a record makes its
own. Pinyin that nobody has catalogued is supplied from our tables as the dialect wants it: $A behind $a (CALIS), $9
(NLC), a field of its own (UNIMARC $6 and $7, 880 of MARC 21).
"""

from __future__ import annotations

from catalog.model import Format, Published
from dms import merge_policy
from dms.crosswalk.marc import between, dialects
from dms.merge_policy import Rule
from protocols.marc import Record, value
from services.delivery import render, spelling
from services.delivery.forms import Going

CALIS = "cnmarc-calis"  # pinyin stands beside what it spells, so it can be moved wherever another dialect wants it


def copied(published: Published, dialect: str) -> Going:
    """The record in a dialect of `between.FORMATS`. Raises `render.Tombstone`."""
    own, fmt = render.record(published), published.format
    rules = merge_policy.builtin().formats[fmt].rules
    shared = [each for each in own.fields if rules[each[0]] is not Rule.DROP or each[0] in render.OURS]
    record = Record(own.leader, tuple(shared))
    target = between.FORMATS[dialect]
    if target is Format.MARC21:
        turned = _marc21(record, fmt, published.id)
    else:
        if fmt is not target:
            record = between.to(record, fmt, CALIS).record
        turned, _ = dialects.turned(spelling.beside(record), dialect)
    return Going(published.id, turned, target)


def _marc21(record: Record, fmt: Format, ident: str) -> Record:
    if fmt is Format.MARC21:
        return spelling.linked(record)
    return _named(between.to(spelling.beside(record), fmt, between.MARC21).record, ident)


def _named(record: Record, ident: str) -> Record:
    """A converted record without the agency whose number the crosswalk takes ours for (003 and 035)."""
    kept = (
        (tag, text)
        for tag, text in record.fields
        if tag != "003" and not (tag == "035" and value(text, "a").endswith(f"){ident}"))
    )
    return Record(record.leader, tuple(kept))
