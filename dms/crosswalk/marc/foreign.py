"""Fields that a conversion kept as foreign, put back when the record returns to its own format (pure).

MARC 21 and UNIMARC, 886: first indicator 1 a control field, 2 a data field; $2 the format, $a the tag, $b the value or
the indicators, then the field's own subfields.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs

from dms.crosswalk.marc.recipe import Made
from protocols import marc
from protocols.marc import DELIMITER

_CONTROL, _DATA = "1", "2"
_LINK = re.compile(r"\x1f6(\d{3})-\d\d([^\x1f]*)")
_HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")


class Kept(NamedTuple):
    """What a field for foreign data holds."""

    tag: str
    text: str


def held(text: str, formats: Collection[str]) -> Kept | None:
    """The field that an 886 holds, if it is of one of `formats` and is whole; else None."""
    head = marc.subfields(text)
    if len(head) < 3 or [code for code, _ in head[:3]] != ["2", "a", "b"] or head[0][1] not in formats:
        return None
    tag, rest = head[1][1], text.split(DELIMITER)[4:]
    if len(tag) != 3:
        return None
    if text[:1] == _CONTROL and marc.is_control(tag):  # of a system that puts delimiters there, too
        return Kept(tag, head[2][1] + "".join(DELIMITER + part for part in rest))
    if text[:1] == _DATA and not marc.is_control(tag) and len(head[2][1]) == 2:
        return Kept(tag, head[2][1] + "".join(DELIMITER + part for part in rest))
    return None


def rejoined(made: Sequence[Made], returned: Sequence[Made], order: Mapping[str, str]) -> tuple[list[Made], list[Made]]:
    """The fields, and those of the returned ones that are still to be put among them.

    Subfields that had no place in the other format stood there as a field of their own: they go back to the field of
    their tag and indicators that has none of their codes, if there is one such field, or the first such one of a tag in
    `order`, the order of whose subfields is known.
    """
    told, alone = list(made), []
    for one in returned:
        codes = {code for code, _ in marc.subfields(one.text)} if not marc.is_control(one.tag) else set()
        fitting = [
            place
            for place, each in enumerate(told)
            if codes
            and each.tag == one.tag
            and each.text[:2] == one.text[:2]
            and codes.isdisjoint(code for code, _ in marc.subfields(each.text))
        ]
        if len(fitting) == 1 or (fitting and one.tag in order):
            place = fitting[0]
            pairs = marc.subfields(told[place].text + one.text[2:])
            if one.tag in order:
                pairs.sort(key=lambda pair: order[one.tag].find(pair[0]))
            told[place] = structs.replace(told[place], text=marc.field(one.text[:2], pairs))
        else:
            alone.append(one)
    return told, alone


def twinned(made: Sequence[Made], returned: Sequence[Made], twins: str) -> list[Made]:
    """The fields with those that returned; a field in another script (`twins`) is linked to the one that it belongs to.

    Which that is the numbers no longer tell: where more than one may be it, the field stays without a link (MARC 21,
    appendix A: occurrence number 00).
    """
    told = list(made)
    for one in returned:
        link = _LINK.search(one.text) if twins and one.tag == twins else None
        if not link:
            told.append(one)
            continue
        bare = _LINK.sub("", one.text)
        in_han = bool(_HAN.search(bare))
        fitting = [
            place
            for place, each in enumerate(told)
            if each.tag == link[1] and not each.twin and (in_han or _HAN.search(each.text))
        ]
        if len(fitting) == 1:
            told[fitting[0]] = structs.replace(told[fitting[0]], twin=bare)
        else:
            told.append(Made(twins, f"{bare[:2]}{DELIMITER}6{link[1]}-00{link[2]}{bare[2:]}"))
    return told
