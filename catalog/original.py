"""A source record out of its kept bytes, whatever carried it (pure).

What was mended on arrival is kept as MARC-in-JSON with one more key, which readers of that form pass over: the bytes as
received and a receipt of each change. So everybody who reads the kept bytes has the mended record, and nothing is lost.

    {"leader": …, "fields": […],"received":{"bytes":"<base64>","carrier":1,"encoding":"gb18030","receipts":[[…]]}}
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass

from catalog import packing, payload
from catalog.model import CARRIER_NAMES, Carrier
from config.errors import BadRecord
from protocols import marcjson, reading
from protocols.marc import Record

Receipt = tuple[str, str, int, str, str]  # rule, tag, n-th of that tag, text before and after (dms.rules.model)

MARK = b',"received":{"bytes":"'  # can't stand in a JSON string, where the quotes would be escaped
_NAMES = {int(carrier): name for carrier, name in CARRIER_NAMES.items()}
_PACKED = CARRIER_NAMES[Carrier.PACKED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record as it came, and what was mended of it."""

    raw: bytes
    carrier: int
    encoding: str
    receipts: tuple[Receipt, ...] = ()
    asked: tuple[str, ...] = ()  # rules that somebody had mended, whatever the profile says


def record(raw: bytes, carrier: int, encoding: str) -> Record:
    """The record in full, mended if it was. BadRecord if the bytes can't be read."""
    name = _NAMES[carrier]
    return bib_record(payload.bib(raw)) if name == _PACKED else reading.decode(raw, name, encoding)


def bib_record(bib: payload.Bib) -> Record:
    """The record in a bib. BadRecord if it holds none."""
    try:
        return packing.unpack(bib.body)
    except packing.Unreadable as error:
        raise BadRecord(f"a bib without a readable record: {error.__cause__}") from error


def mended(record: Record, received: Received) -> bytes:
    """What is kept of a mended record; its carrier is MARC-in-JSON."""
    about = {
        "carrier": int(received.carrier),
        "encoding": received.encoding,
        "receipts": received.receipts,
        "asked": received.asked,
    }
    return b"".join(
        (
            marcjson.write(record).encode("utf-8", "replace")[:-1],
            MARK,
            base64.b64encode(received.raw),
            b'",',
            json.dumps(about, ensure_ascii=True, separators=(",", ":")).encode()[1:],
            b"}",
        )
    )


def is_wrapped(raw: bytes) -> bool:
    """Whether bytes look as `mended` writes them. What arrives like that is wrapped once more before it is kept, or a
    file could say of itself what was received."""
    return MARK in raw


def received(raw: bytes, carrier: int, encoding: str) -> Received:
    """The record as it came, out of its kept bytes."""
    if carrier != Carrier.MARCJSON or not is_wrapped(raw):
        return Received(raw=raw, carrier=carrier, encoding=encoding)
    told = json.loads(b'{"bytes":"' + raw[raw.rindex(MARK) + len(MARK) : -1])
    return Received(
        raw=base64.b64decode(told["bytes"]),
        carrier=told["carrier"],
        encoding=told["encoding"],
        receipts=_receipts(told["receipts"]),
        asked=tuple(told["asked"]),
    )


def _receipts(told: Iterable[tuple[str, str, int, str, str]]) -> tuple[Receipt, ...]:
    return tuple((rule, tag, nth, before, after) for rule, tag, nth, before, after in told)
