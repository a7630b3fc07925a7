"""A sound record in UTF-8 that stays in its bytes until somebody asks for its fields (pure).

Most records are read to be looked at as a whole: compared with what is known, checked by columns, counted. What looks
at bytes takes them as they are; to everybody else such a record is a `Record` like any other, and equal to one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.marc import Record

FIELD_END = "\x1e"


class Sealed(Record, frozen=True, gc=False):
    """A record whose bytes agree with ISO 2709 in full, its fields in the order of the directory."""

    raw: bytes  # as received, from the leader to 1D
    base: int  # address of the first field
    opened: tuple[tuple[str, str], ...] | None = None

    @property  # type: ignore[misc]  # it hides what the struct has under that name
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Made once."""
        if self.opened is None:
            directory = self.raw[24 : self.base - 1].decode("ascii")
            tags = [directory[at : at + 3] for at in range(0, len(directory), 12)]
            return self.open(tags, self.raw[self.base : -2].decode("utf-8").split(FIELD_END))
        return self.opened

    def open(self, tags: Sequence[str], texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """The fields, which are told by somebody who has read them, if they are not known yet."""
        if self.opened is None:
            opened = tuple(zip(tags, texts, strict=True))
            msgspec.structs.force_setattr(self, "opened", opened)
            return opened
        return self.opened

    def opening(self, count: int) -> list[str]:
        """The tags of the first fields."""
        entries = self.raw[24 : min(24 + 12 * count, self.base - 1)].decode("ascii")
        return [entries[at : at + 3] for at in range(0, len(entries), 12)]

    def directory(self) -> bytes:
        """Twelve bytes a field, its tag first."""
        return self.raw[24 : self.base - 1]

    def contents(self) -> bytes:
        """The fields' bytes in the same order, 1E after each."""
        return self.raw[self.base : -1]

    def plain(self) -> Record:
        """The same as a record without its bytes."""
        return Record(self.leader, self.fields)

    def __eq__(self, other: object) -> bool:
        return self.plain() == (other.plain() if isinstance(other, Sealed) else other)

    def __hash__(self) -> int:
        return hash(self.plain())

    def __repr__(self) -> str:
        return repr(self.plain())

    def __reduce__(self) -> tuple[type[Record], tuple[str, tuple[tuple[str, str], ...]]]:
        return Record, (self.leader, self.fields)
