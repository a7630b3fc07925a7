"""Who gave the fields of a merged record, for people and for programs (pure)."""

from __future__ import annotations

from typing import Any

from catalog.model import Format
from dms.contributors import Contribution, Contributions
from protocols.marc import Record, is_control, subfields
from services.delivery import render, rows

NAMED = 20  # records that a line for people names


def base(key: str, decided: str, lang: str) -> str:
    """Which record is the base, and why: `decided` is one of `merge_base.STEPS`."""
    return rows.name("giving", "base", lang).format(key=key, why=rows.name("decided", decided, lang))


def told(one: Contribution, lang: str) -> str:
    """Whose words a field has, and who has the value too."""
    first = one.wording or rows.name("giving", "nobody", lang)
    if not one.others:
        return first
    names = ", ".join(one.others[:NAMED])
    if (more := len(one.others) - NAMED) > 0:
        names += " " + rows.name("giving", "more", lang).format(count=more)
    return first + rows.name("giving", "others", lang).format(names=names)


def shown(one: Contribution) -> str:
    """The field as a line of the MARC view."""
    return render.as_lines(Record("", ((one.tag, one.text),))).splitlines()[1]


def values(found: Contributions, fmt: Format) -> dict[str, Any]:
    """For JSON."""
    return {
        "format": fmt.name,
        "base": found.base,
        "base_by": found.decided,
        "fields": [
            {
                "tag": one.tag,
                "indicators": "" if is_control(one.tag) else one.text[:2],
                "value": one.text if is_control(one.tag) else "",
                "subfields": [] if is_control(one.tag) else [list(pair) for pair in subfields(one.text)],
                "wording": one.wording,
                "others": list(one.others),
            }
            for one in found.fields
        ],
    }
