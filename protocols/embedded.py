"""Fields embedded in the 4XX fields of the UNIMARC family (UNIMARC Bibliographic, 4--: embedded fields technique).

`$1` opens an embedded field: its tag, then both indicators, then its subfields; after a control field's tag (`$1001`)
its value. Smaller systems write standard subfields ($t, $v, $x) without `$1`, or both.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from protocols.marc import DELIMITER, is_control

_TAG = re.compile(r"1[0-9]{3}")
OUTSIDE = ""  # stands for the tag of what is in no embedded field


class Inner(NamedTuple):
    """An embedded field as a record's own: text with indicators, delimiters and all."""

    tag: str
    text: str


def fields(text: str) -> list[Inner]:
    """The fields embedded in a 4XX field, in order. What stands outside them comes under the tag OUTSIDE, its
    subfields without indicators, first; it is left out where there is none."""
    outside: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for part in text.split(DELIMITER)[1:]:
        if part[:1] == "1":
            tag = part[1:4]
            found.append((tag, [part[4:] if is_control(tag) else part[4:6].ljust(2)]))
        elif part:
            inside = bool(found) and not is_control(found[-1][0])
            (found[-1][1] if inside else outside).append(DELIMITER + part)
    inner = [Inner(tag, "".join(parts)) for tag, parts in found]
    return [Inner(OUTSIDE, "".join(outside)), *inner] if outside else inner


def broken(text: str) -> bool:
    """Whether some `$1` opens no field: what follows is no tag of three digits."""
    return any(part[:1] == "1" and len(part) > 1 and not _TAG.match(part) for part in text.split(DELIMITER)[1:])


def padded(text: str) -> str:
    """The field with both indicators in every embedded one: writers that trim values lose blank ones."""
    head, *parts = text.split(DELIMITER)
    whole = [p.ljust(6) if _TAG.match(p) and len(p) < 6 and not is_control(p[1:4]) else p for p in parts]
    return DELIMITER.join([head, *whole])
