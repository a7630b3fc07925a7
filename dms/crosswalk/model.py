"""What a conversion says of itself: what became of every subfield (pure)."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from protocols.marc import Record


class Fate(StrEnum):
    """What became of a source's subfield."""

    MAPPED = "mapped"  # it says the same in the target
    LOCAL = "local"  # the target has no place for it: it is kept in a local field
    LOST = "lost"


class Loss(NamedTuple):
    """One line of a loss report: a subfield of the source, or positions of one, and its fate."""

    tag: str  # LDR for the leader
    code: str  # "" for a control field; `a/34-35` for positions; `1200$a` for a subfield of an embedded field
    fate: Fate
    to: str = ""  # where it went, `245$a`; several with commas
    why: str = ""  # of what is kept in a local field or lost
    value: str = ""  # of what is lost


class Converted(NamedTuple):
    """A record in another format and what became of the old one's content."""

    record: Record
    fates: tuple[tuple[int, tuple[Loss, ...]], ...]  # (which of its tag, its lines): fields, then the leader

    def losses(self) -> list[tuple[int, Loss]]:
        """Every line with the number of its field among those of its tag."""
        return [(nth, loss) for nth, losses in self.fates for loss in losses]

    def counts(self) -> Counter[Fate]:
        """How many lines of each fate."""
        return Counter(loss.fate for _, losses in self.fates for loss in losses)
