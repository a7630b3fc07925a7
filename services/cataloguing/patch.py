"""A correction as a person writes it: the text to find in a field and the text to put there, a field to add or to take
away (pure).

`$a` stands for the beginning of subfield a, as people write MARC; `$$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog import patches
from catalog.corrections import Entry
from catalog.patches import FieldChange
from config.errors import Conflict, Misconfigured, NotFound
from protocols import marc
from protocols.marc import Record

_WRITTEN = re.compile(r"\$([$0-9A-Za-z])")


STATES = {"stale": "superseded"}  # the word for people


def changes(
    record: Record,
    replaced: Sequence[tuple[str, str, str]] = (),
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
) -> tuple[FieldChange, ...]:
    """The patch that all of it makes: `replaced` (tag, find, put), `added` `TAG ##$aText`, `removed` `TAG text in it`.
    NotFound if no field contains a text, Conflict if several do or the patch would change a field twice.
    """
    now: dict[tuple[str, str], str] = {}  # fields that are changed already, by what they were
    for tag, find, put in replaced:
        there = [now.get((tag, text), text) for text in record.all(tag)]
        old, new = _replaced(tag, there, find, put)
        first = next((text for text in record.all(tag) if now.get((tag, text), text) == old), old)
        now[tag, first] = new
    found: list[FieldChange] = [(tag, old, new) for (tag, old), new in now.items()]
    for written in removed:
        tag, _, find = written.partition(" ")
        found.append((tag, _one(tag, record.all(tag), find), ""))
    for written in added:
        tag, _, text = written.partition(" ")
        if not marc.is_control(tag):
            text = text[:2].replace("#", " ") + _field_text(text[2:])
        if not text:
            raise Misconfigured(f"write the field that is added as TAG ##$aText, not {written!r}")
        found.append((tag, "", text))
    if not found:
        raise Misconfigured("nothing to correct: say what is to be found and put, added or removed")
    patches.check_all(found)
    return tuple(found)


def patch(record: Record, tag: str, find: str, put: str) -> tuple[str, str]:
    """(text of the field as it is, as it shall be). NotFound if no field with this tag contains `find`, Conflict if it
    is found more than once.
    """
    return _replaced(tag, record.all(tag), find, put)


def _replaced(tag: str, there: Sequence[str], find: str, put: str) -> tuple[str, str]:
    found = _one(tag, there, find)
    old = _field_text(find)
    if found.count(old) > 1:
        raise Conflict(f"field {tag} contains {find!r} more than once: {shown(found)}; give more of it")
    return found, found.replace(old, _field_text(put))


def _one(tag: str, there: Sequence[str], find: str) -> str:
    """The one field that contains a text."""
    old = _field_text(find)
    if not old:
        raise NotFound("nothing to find: name the text that is wrong (--find)")
    found = [text for text in there if old in text]
    if not found:
        have = "; ".join(map(shown, there)) or "no such field"
        raise NotFound(f"no field {tag} contains {find!r}: {have}")
    if len(found) > 1:
        raise Conflict(f"{len(found)} fields {tag} contain {find!r}: {' | '.join(map(shown, found))}; give more of one")
    return found[0]


def state(kept: str) -> str:
    """The state of a correction, in the word for people."""
    return STATES.get(kept, kept)


def sides(symbol: str, entry: Entry) -> tuple[str, str]:
    """(who offers a correction, who decides on it), as symbols. `symbol`: of this node."""
    if entry.source is not None:
        return entry.offerer or symbol, entry.symbol
    return (entry.offerer or symbol, entry.symbol) if entry.outward else (entry.symbol, symbol)


def named(entry: Entry) -> str:
    """The record that a correction is about, as it can be asked for."""
    return f"{entry.source_name}/{entry.target}" if entry.source is not None else entry.target


def told(fields: Sequence[FieldChange]) -> dict[str, str]:
    """A patch for a line of a table: tags, what was and what shall be."""
    return {
        "field": " ".join(tag for tag, _, _ in fields),
        "old": " | ".join(shown(old) for _, old, _ in fields),
        "new": " | ".join(shown(new) for _, _, new in fields),
    }


def shown(text: str) -> str:
    """A field's text in the notation that `patch` reads."""
    return text.replace("$", "$$").replace(marc.DELIMITER, "$")


def _field_text(written: str) -> str:
    return _WRITTEN.sub(lambda found: "$" if found[1] == "$" else marc.DELIMITER + found[1], written)
