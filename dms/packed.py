"""Units of loads of mode `feed`: changes that a child node told, as records for PREPARE (pure).

A change's id is the record's local id, its payload the kept bytes, its digest the record's digest: what is kept can be
compared with what was told at any time. Holdings come with it, each of its own library and origin.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog import original, payload
from catalog.model import Format, Visibility
from catalog.payload import Bib, Change, Kind, Level
from config.errors import BadRecord
from dms.holdings import Copy
from protocols.marc import Record

MOST_HOLDINGS = 32_000  # of one record: they are numbered in two bytes


@dataclass(frozen=True, slots=True)
class Told:
    """A change and what was read of it."""

    change: Change
    bib: Bib | None  # None = a tombstone
    record: Record

    @property
    def digest(self) -> bytes:
        """Of the change; of a tombstone without redirect there is none."""
        return self.change.digest or b""

    @property
    def format(self) -> Format:
        """Its tags' meaning."""
        assert self.bib is not None
        return Format(self.bib.format)

    @property
    def holdings(self) -> tuple[Copy, ...]:
        """Everybody's copies, as they were told."""
        if self.bib is None:
            return ()
        return tuple(
            [Copy(h.library, h.call_number, h.item, h.location, h.status, h.note, h.origin) for h in self.bib.holdings]
        )


def changes(data: bytes) -> list[Change]:
    """The changes in a unit, which this node packed itself."""
    return payload.changes(data)


def read(change: Change) -> Told:
    """BadRecord if the change tells of no record that this release can read."""
    if not change.payload:
        return Told(change, None, Record("", ()))
    return of_payload(change.id, change.payload)


def of_payload(local_id: str, raw: bytes) -> Told:
    """The same of the bytes that are kept of a record."""
    bib = payload.bib(raw)
    try:
        Format(bib.format), Level(bib.level)
    except ValueError as error:
        raise BadRecord(f"a bib that this release knows nothing of: {error}") from error
    if len(bib.holdings) > MOST_HOLDINGS:
        raise BadRecord(f"a bib with {len(bib.holdings)} holdings: at most {MOST_HOLDINGS} can be kept")
    if not all(held.library and held.origin for held in bib.holdings):
        raise BadRecord("a bib with a holding that has no library or no origin")
    return Told(Change(Kind.BIB, local_id, 0, 0, raw), bib, original.bib_record(bib))


def level(told: Told) -> Visibility:
    """How much of it the child shares."""
    return Visibility.HOLDINGS if told.bib is not None and told.bib.level == Level.HOLDINGS else Visibility.PUBLIC
