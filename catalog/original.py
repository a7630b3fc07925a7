"""A source record out of its kept bytes, whatever carried it (pure)."""

from __future__ import annotations

from catalog import packing, payload
from catalog.model import CARRIER_NAMES, Carrier
from config.errors import BadRecord
from protocols import reading
from protocols.marc import Record


def record(raw: bytes, carrier: int, encoding: str) -> Record:
    """The record in full. BadRecord if the bytes can't be read."""
    if carrier == Carrier.PACKED:
        return bib_record(payload.bib(raw))
    return reading.decode(raw, CARRIER_NAMES[Carrier(carrier)], encoding)


def bib_record(bib: payload.Bib) -> Record:
    """The record in a bib. BadRecord if it holds none."""
    try:
        return packing.unpack(bib.body)
    except packing.Unreadable as error:
        raise BadRecord(f"a bib without a readable record: {error.__cause__}") from error
