"""Record syntax OPAC: a record with its holdings and their circulation (ASN.1 module RecordSyntax-opac)."""

from __future__ import annotations

from msgspec import Struct

from protocols.z3950 import oids
from protocols.z3950.apdu.parts import EXTERNAL, External, single
from protocols.z3950.notation import choice, implicit, sequence, sequence_of
from protocols.z3950.primitive import BOOLEAN, GENERAL, Type


class Volume(Struct, frozen=True, kw_only=True):
    """One volume that is held."""

    enumeration: str | None = None
    chronology: str | None = None
    enum_and_chron: str | None = None


class CircRecord(Struct, frozen=True, kw_only=True):
    """One circulating item."""

    available_now: bool
    availablity_date: str | None = None  # the standard's spelling
    available_thru: str | None = None
    restrictions: str | None = None
    item_id: str | None = None
    renewable: bool
    on_hold: bool
    enum_and_chron: str | None = None
    midspine: str | None = None
    temporary_location: str | None = None


class HoldingsAndCircData(Struct, frozen=True, kw_only=True):
    """One library's holding; the fields of MARC holdings that each comes from are named."""

    type_of_record: str | None = None  # leader/06
    encoding_level: str | None = None  # leader/17
    format: str | None = None  # 007/00-01
    receipt_acq_status: str | None = None  # 008/06
    general_retention: str | None = None  # 008/12
    completeness: str | None = None  # 008/16
    date_of_report: str | None = None  # 008/26-31
    nuc_code: str | None = None  # 852 $a
    local_location: str | None = None  # 852 $b
    shelving_location: str | None = None  # 852 $c
    call_number: str | None = None  # 852 $h $i
    shelving_data: str | None = None  # 852 $j-$m
    copy_number: str | None = None  # 852 $t
    public_note: str | None = None  # 852 $z
    reproduction_note: str | None = None  # 843
    terms_use_repro: str | None = None  # 845
    enum_and_chron: str | None = None  # 853-868
    volumes: tuple[Volume, ...] | None = None
    circulation_data: tuple[CircRecord, ...] | None = None


HoldingsRecord = External | HoldingsAndCircData  # External: a MARC holdings record


class OpacRecord(Struct, frozen=True, kw_only=True):
    """A record and who holds it."""

    bibliographic_record: External | None = None
    holdings_data: tuple[HoldingsRecord, ...] | None = None


_VOLUME = sequence(
    Volume,
    enumeration=implicit(1, GENERAL),
    chronology=implicit(2, GENERAL),
    enum_and_chron=implicit(3, GENERAL),
)
_CIRC_RECORD = sequence(
    CircRecord,
    available_now=implicit(1, BOOLEAN),
    availablity_date=implicit(2, GENERAL),
    available_thru=implicit(3, GENERAL),
    restrictions=implicit(4, GENERAL),
    item_id=implicit(5, GENERAL),
    renewable=implicit(6, BOOLEAN),
    on_hold=implicit(7, BOOLEAN),
    enum_and_chron=implicit(8, GENERAL),
    midspine=implicit(9, GENERAL),
    temporary_location=implicit(10, GENERAL),
)
_HOLDINGS = sequence(
    HoldingsAndCircData,
    type_of_record=implicit(1, GENERAL),
    encoding_level=implicit(2, GENERAL),
    format=implicit(3, GENERAL),
    receipt_acq_status=implicit(4, GENERAL),
    general_retention=implicit(5, GENERAL),
    completeness=implicit(6, GENERAL),
    date_of_report=implicit(7, GENERAL),
    nuc_code=implicit(8, GENERAL),
    local_location=implicit(9, GENERAL),
    shelving_location=implicit(10, GENERAL),
    call_number=implicit(11, GENERAL),
    shelving_data=implicit(12, GENERAL),
    copy_number=implicit(13, GENERAL),
    public_note=implicit(14, GENERAL),
    reproduction_note=implicit(15, GENERAL),
    terms_use_repro=implicit(16, GENERAL),
    enum_and_chron=implicit(17, GENERAL),
    volumes=implicit(18, sequence_of(_VOLUME)),
    circulation_data=implicit(19, sequence_of(_CIRC_RECORD)),
)
_HOLDING: Type[HoldingsRecord] = choice(
    marcHoldingsRecord=implicit(1, EXTERNAL), holdingsAndCirc=implicit(2, _HOLDINGS)
)
OPAC_RECORD = sequence(
    OpacRecord,
    bibliographic_record=implicit(1, EXTERNAL),
    holdings_data=implicit(2, sequence_of(_HOLDING)),
)


def external(record: OpacRecord) -> External:
    """A record as it stands in an answer."""
    return single(oids.OPAC, OPAC_RECORD, record)
