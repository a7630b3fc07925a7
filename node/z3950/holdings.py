"""What libraries hold of a title, as record syntax OPAC says it (pure).

Circulation is told as far as it is known: whether a copy is there is read from its status in the words of the systems
that it comes from; a status that says nothing we know is passed on as a note, and the copy counts as not available, so
that nobody comes in vain.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog.model import Holding
from protocols.z3950 import opac
from protocols.z3950.apdu.parts import External
from protocols.z3950.opac import CircRecord, HoldingsAndCircData, OpacRecord

Shown = Callable[[str], str]

# Words of a status by which a copy is on the shelf, lower case; an empty status is one of these.
AVAILABLE = frozenset(
    ("", "0", "-", "available", "on shelf", "in library", "checked in", "not checked out",
     "在馆", "在架", "在架上", "可借", "可外借", "入藏", "正常", "在馆可借", "馆藏", "阅览")
)  # fmt: skip


def external(record: External, held: tuple[Holding, ...], shown: Shown) -> External:
    """A record with its holdings; `shown` writes texts as the client reads them."""
    data = tuple(_data(each, shown) for each in held)
    return opac.external(OpacRecord(bibliographic_record=record, holdings_data=data or None))


def _data(held: Holding, shown: Shown) -> HoldingsAndCircData:
    available = held.status.strip().lower() in AVAILABLE
    told = not held.status or available
    circulation = CircRecord(
        available_now=available,
        restrictions=None if told else shown(held.status),
        item_id=shown(held.item) or None,
        renewable=False,
        on_hold=False,
    )
    return HoldingsAndCircData(
        type_of_record="x",
        encoding_level="u",
        receipt_acq_status="2",
        nuc_code=shown(held.library),
        local_location=shown(held.location) or None,
        call_number=shown(held.call_number) or None,
        public_note=shown(held.note) or None,
        enum_and_chron=shown(held.note) or None,
        circulation_data=(circulation,) if held.item or held.status else None,
    )
