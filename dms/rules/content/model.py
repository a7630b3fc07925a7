"""What a rule about the content of fields is, and what it gets to look at (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog.model import Format
from dms.rules.bulk import Bools, Columns
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import Record

BOTH = frozenset(Format)
BIBLIOGRAPHIC = frozenset((Kind.BIBLIOGRAPHIC,))


class Look(NamedTuple):
    """A record as a rule sees it: `fields` has the texts by tag, so the n-th of a tag is `fields[tag][n - 1]`."""

    record: Record
    fields: Mapping[str, Sequence[str]]
    format: Format
    kind: Kind

    def texts(self, tag: str) -> Sequence[str]:
        """Texts of every field of a tag, in record order."""
        return self.fields.get(tag, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRule:
    """A function and the rules it may tell; it runs where one of these is on and one of its tags is there."""

    ids: tuple[str, ...]
    look: Callable[[Look], Iterable[Finding]]
    tags: frozenset[str] = frozenset()  # empty: it looks at every record
    formats: frozenset[Format] = BOTH
    kinds: frozenset[Kind] = BIBLIOGRAPHIC
    among: Among | None = None  # of many records at once, those that it may have anything to say of; None: all


Among = Callable[[Columns, Format], Bools]  # one a record; their format is what all that matter have

Fix = Callable[[Record, Format], Mended]  # mends all that its rule tells of; changes nothing else
