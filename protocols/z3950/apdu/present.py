"""Present and Segment: records of a result set (Z39.50-1995, 3.2.3)."""

from __future__ import annotations

from msgspec import Struct

from protocols.z3950.apdu.parts import DATABASE, EXTERNAL, OTHER, REFERENCE, RESULT_SET, External, OtherInfo
from protocols.z3950.apdu.records import (
    ELEMENT_SET_NAMES,
    PRESENT_STATUS,
    RECORDS,
    SEVERAL,
    ElementSetNames,
    NamePlusRecord,
    Records,
)
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import BOOLEAN, GENERAL, INTEGER, OID, Oid


class Uri(Struct, frozen=True):
    """A schema that is named, not numbered (needs option stringSchema)."""

    text: str


class Specification(Struct, frozen=True, kw_only=True):
    """A schema, and which of its elements."""

    schema: Oid | Uri | None = None
    element_spec: str | External | None = None  # str: the name of an element set


SPECIFICATION = sequence(
    Specification,
    schema=choice(oid=implicit(1, OID), uri=wrapped(Uri, implicit(300, GENERAL))),
    element_spec=explicit(2, choice(elementSetName=implicit(1, GENERAL), externalEspec=implicit(2, EXTERNAL))),
)


class DatabaseSpecification(Struct, frozen=True, kw_only=True):
    """A specification for the records of one database."""

    db: str
    spec: Specification


class CompSpec(Struct, frozen=True, kw_only=True):
    """The composition of records, in detail."""

    select_alternative_syntax: bool
    generic: Specification | None = None
    db_specific: tuple[DatabaseSpecification, ...] | None = None
    record_syntax: tuple[Oid, ...] | None = None


COMP_SPEC = sequence(
    CompSpec,
    select_alternative_syntax=implicit(1, BOOLEAN),
    generic=implicit(2, SPECIFICATION),
    db_specific=implicit(
        3,
        sequence_of(sequence(DatabaseSpecification, db=explicit(1, DATABASE), spec=implicit(2, SPECIFICATION))),
    ),
    record_syntax=implicit(4, sequence_of(OID)),
)


class Range(Struct, frozen=True, kw_only=True):
    """Records that follow each other in a result set."""

    starting_position: int  # from 1
    number_of_records: int


class PresentRequest(Struct, frozen=True, kw_only=True):
    """Records of a result set, please."""

    reference_id: bytes | None = None
    result_set_id: str
    result_set_start_point: int  # from 1
    number_of_records_requested: int
    additional_ranges: tuple[Range, ...] | None = None
    record_composition: ElementSetNames | CompSpec | None = None
    preferred_record_syntax: Oid | None = None
    max_segment_count: int | None = None
    max_record_size: int | None = None
    max_segment_size: int | None = None
    other_info: tuple[OtherInfo, ...] | None = None


PRESENT_REQUEST = sequence(
    PresentRequest,
    reference_id=REFERENCE,
    result_set_id=RESULT_SET,
    result_set_start_point=implicit(30, INTEGER),
    number_of_records_requested=implicit(29, INTEGER),
    additional_ranges=implicit(
        212,
        sequence_of(
            sequence(Range, starting_position=implicit(1, INTEGER), number_of_records=implicit(2, INTEGER)),
        ),
    ),
    record_composition=choice(simple=explicit(19, ELEMENT_SET_NAMES), complex=implicit(209, COMP_SPEC)),
    preferred_record_syntax=implicit(104, OID),
    max_segment_count=implicit(204, INTEGER),
    max_record_size=implicit(206, INTEGER),
    max_segment_size=implicit(207, INTEGER),
    other_info=OTHER,
)


class PresentResponse(Struct, frozen=True, kw_only=True):
    """The records, or the last of them where segments came before."""

    reference_id: bytes | None = None
    number_of_records_returned: int
    next_result_set_position: int
    present_status: int
    records: Records | None = None
    other_info: tuple[OtherInfo, ...] | None = None


PRESENT_RESPONSE = sequence(
    PresentResponse,
    reference_id=REFERENCE,
    number_of_records_returned=implicit(24, INTEGER),
    next_result_set_position=implicit(25, INTEGER),
    present_status=PRESENT_STATUS,
    records=RECORDS,
    other_info=OTHER,
)


class Segment(Struct, frozen=True, kw_only=True):
    """A part of the answer to a present, before the PresentResponse that ends it."""

    reference_id: bytes | None = None
    number_of_records_returned: int
    segment_records: tuple[NamePlusRecord, ...]
    other_info: tuple[OtherInfo, ...] | None = None


SEGMENT = sequence(
    Segment,
    reference_id=REFERENCE,
    number_of_records_returned=implicit(24, INTEGER),
    segment_records=implicit(0, SEVERAL),
    other_info=OTHER,
)
