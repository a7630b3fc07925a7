"""The note of a copy: what it says is held, and how many copies there are (pure).

A note may be a statement (866, 955), the volume that an item is (876, sheets), volumes and years of CNMARC 905$v and $y
behind each other (`103-; 1919-`), a number of copies (`×3`), or words that have nothing to do with it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dms.ranges import model
from dms.ranges.model import Held
from dms.ranges.reading import read
from dms.ranges.tokens import Level
from dms.ranges.writing import write

BETWEEN = "; "  # parts of a note
_COPIES = re.compile(r"[×xX] ?(\d{1,6})$")
_NEAR = re.compile(r"\d|增刊|特刊|副刊|索引|suppl|index", re.IGNORECASE)  # said among issues


@dataclass(frozen=True, slots=True)
class Told:
    """What a note says. `copies`: 0 = it doesn't."""

    held: Held
    copies: int = 0


@functools.lru_cache(maxsize=4096)
def of(note: str) -> Told:
    """What this note says is held. Words that are no statement make the whole of it none."""
    if not note:
        return Told(Held())
    copies = 0
    parts: list[str] = []
    for part in note.split(BETWEEN):
        if found := _COPIES.match(part.strip()):
            copies = int(found[1])
        elif part.strip():
            parts.append(part.strip())
    held = _of_pair(*parts) if len(parts) == 2 else None
    held = read(BETWEEN.join(parts)) if held is None else held
    if not held or not all(_NEAR.search(text) for text in held.unread):
        held = Held()
    return Told(held, copies)


@functools.lru_cache(maxsize=4096)
def normal(note: str, lang: str = "en") -> str:
    """What the note says is held, in the normal form; "" if it doesn't say."""
    return write(of(note).held, lang)


def united(notes: Iterable[str]) -> Held:
    """What the notes of one library's copies say together."""
    return model.union([of(note).held for note in dict.fromkeys(notes)])


def copies(notes: Iterable[str]) -> int:
    """How many copies these notes count; one that doesn't count is one copy."""
    return sum(of(note).copies or 1 for note in notes)


def _of_pair(numbers: str, years: str) -> Held | None:
    """905$v with its $y; None if these are not such. Where it can't be said which volume is of which year, neither the
    years nor numbers that can't be read are claimed.
    """
    time = read(years)
    if time.unread or time != Held(years=time.years) or any(first % model.MANY for first, _ in time.years):
        return None
    count = read(numbers, Level.VOLUME)
    if count.years or count.months or count.cells or count.stretches:
        return None
    if count.unread:
        return Held() if re.match(r"\d", numbers) else None
    if len(count.volumes) + len(count.issues) > 1:
        return replace(count, unread=(years,))
    one_year = len(time.years) == 1 and time.years[0][1] - time.years[0][0] == model.MANY - 1
    if one_year and (count.issues or count.volumes[0][1] // model.MANY > count.volumes[0][0] // model.MANY):
        count = read(numbers, Level.ISSUE)
        both = read(f"{write(time)}:{write(count)}")
    else:
        both = read(f"{write(count)} ({write(time)})")
    return both if both and not both.unread else replace(count, unread=(years,))
