"""A source record out of its kept bytes, whatever carried it (pure)."""

from __future__ import annotations

from catalog import packing, payload
from catalog.model import CARRIER_NAMES, Carrier
from config.errors import BadRecord
from protocols import reading
from protocols.marc import Record

_NAMES = {int(carrier): name for carrier, name in CARRIER_NAMES.items()}
_PACKED = CARRIER_NAMES[Carrier.PACKED]


def record(raw: bytes, carrier: int, encoding: str) -> Record:
    """The record in full. BadRecord if the bytes can't be read."""
    name = _NAMES[carrier]
    return bib_record(payload.bib(raw)) if name == _PACKED else reading.decode(raw, name, encoding)


def bib_record(bib: payload.Bib) -> Record:
    """The record in a bib. BadRecord if it holds none."""
    try:
        return packing.unpack(bib.body)
    except packing.Unreadable as error:
        raise BadRecord(f"a bib without a readable record: {error.__cause__}") from error
