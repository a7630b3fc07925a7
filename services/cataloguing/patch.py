"""A correction as a person writes it: the text to find in a field, and the text to put there (pure).

`$a` stands for the beginning of subfield a, as people write MARC; `$$` is a dollar sign.
"""

from __future__ import annotations

import re

from config.errors import Conflict, NotFound
from protocols import marc
from protocols.marc import Record

_WRITTEN = re.compile(r"\$([$0-9A-Za-z])")


def patch(record: Record, tag: str, find: str, put: str) -> tuple[str, str]:
    """(text of the field as it is, as it shall be). NotFound if no field with this tag contains `find`, Conflict if it
    is found more than once.
    """
    old, new = _field_text(find), _field_text(put)
    if not old:
        raise NotFound("nothing to find: name the text that is wrong (--find)")
    there = record.all(tag)
    found = [text for text in there if old in text]
    if not found:
        have = "; ".join(map(shown, there)) or "no such field"
        raise NotFound(f"no field {tag} contains {find!r}: {have}")
    if len(found) > 1:
        raise Conflict(f"{len(found)} fields {tag} contain {find!r}: {'; '.join(map(shown, found))}; give more of one")
    if found[0].count(old) > 1:
        raise Conflict(f"field {tag} contains {find!r} more than once: {shown(found[0])}; give more of it")
    return found[0], found[0].replace(old, new)


def shown(text: str) -> str:
    """A field's text in the notation that `patch` reads."""
    return text.replace("$", "$$").replace(marc.DELIMITER, "$")


def _field_text(written: str) -> str:
    return _WRITTEN.sub(lambda found: "$" if found[1] == "$" else marc.DELIMITER + found[1], written)
