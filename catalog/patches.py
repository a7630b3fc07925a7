"""Patches: what is to become of some fields of one record, and what must still stand there (pure).

A change of a field is (tag, text that must stand there, text instead); "" = no such field: a field is put in, or goes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence

import msgspec

from config.errors import BadRecord
from protocols import marc

FieldChange = tuple[str, str, str]

LONGEST = 9_999  # bytes of a field (ISO 2709)
MOST = 200  # fields of a patch
HOLDS, DONE, OVER = "holds", "done", "over"
_TAG = re.compile(r"[0-9A-Z]{3}")
_NUMBERS = ("001", "003", "005")  # not part of a merged record
_STRANGE = re.compile("[\0-\x1e\x7f\ud800-\udfff]")


class Unsound(BadRecord):
    """A patch that would leave something behind that is no field."""

    code = "unsound-correction"
    exit_code = 2  # whoever writes one gave a wrong argument


def check(tag: str, old: str, new: str) -> None:
    """Raise Unsound if a field with this tag can't have the new text, or the patch changes nothing."""
    if not _TAG.fullmatch(tag) or tag in _NUMBERS:
        raise Unsound(f"field {tag!r} is not one that can be corrected")
    if any(is_strange(text) for text in (old, new)):
        raise Unsound("a field can't hold control characters")
    if old == new:
        raise Unsound("the new text is the old one")
    if not new:
        return
    if len(new.encode()) > LONGEST:
        raise Unsound(f"a field has {LONGEST} bytes at most")
    if not marc.is_control(tag):
        _, *parts = new[2:].split(marc.DELIMITER)
        if new[2:3] != marc.DELIMITER or not all(len(part) > 1 for part in parts):
            raise Unsound("a field has two indicators and subfields with a code and a value")


def check_all(changes: Sequence[FieldChange]) -> None:
    """The same of several; none of them twice."""
    if not 0 < len(changes) <= MOST:
        raise Unsound(f"a correction has 1 to {MOST} fields")
    if len({(tag, old or new) for tag, old, new in changes}) < len(changes):
        raise Unsound("a correction can't change a field twice")
    for change in changes:
        check(*change)


def is_strange(text: str) -> bool:
    """Whether it has characters that no field holds."""
    return bool(_STRANGE.search(text))


def digest(changes: Sequence[FieldChange]) -> bytes:
    """SHA-256 of what must stand there: of one field its text, of several all of them."""
    if is_plain(changes):
        return hashlib.sha256(changes[0][1].encode()).digest()
    return hashlib.sha256(msgspec.json.encode([(tag, old) for tag, old, _ in changes])).digest()


def is_plain(changes: Sequence[FieldChange]) -> bool:
    """Whether one field gets another text: all that a correction of before could say."""
    return len(changes) == 1 and bool(changes[0][1]) and bool(changes[0][2])


def state(fields: Collection[tuple[str, str]], changes: Sequence[FieldChange]) -> tuple[str, str]:
    """(holds, done or over; the tags that are not as expected): whether the patch can be made of a record."""
    if all((not new or (tag, new) in fields) and (not old or (tag, old) not in fields) for tag, old, new in changes):
        return DONE, ""
    other = sorted({tag for tag, old, _ in changes if old and (tag, old) not in fields})
    return (OVER, ", ".join(other)) if other else (HOLDS, "")
