"""Scan: terms of an index (Z39.50-1995, 3.2.8)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import DATABASE, DIAG_REC, OTHER, REFERENCE, DiagRec, OtherInfo
from protocols.z3950.apdu.query import (
    ATTRIBUTES,
    ATTRIBUTES_PLUS_TERM,
    TERM,
    AttributeElement,
    AttributesPlusTerm,
    Term,
)
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import GENERAL, INTEGER, OID, Oid, Type


class ScanRequest(Struct, frozen=True, kw_only=True):
    """Terms around a starting point."""

    reference_id: bytes | None = None
    database_names: tuple[str, ...]
    attribute_set: Oid | None = None
    term_list_and_start_point: AttributesPlusTerm
    step_size: int | None = None
    number_of_terms_requested: int
    preferred_position_in_response: int | None = None
    other_info: tuple[OtherInfo, ...] | None = None


SCAN_REQUEST = sequence(
    ScanRequest,
    reference_id=REFERENCE,
    database_names=implicit(3, sequence_of(DATABASE)),
    attribute_set=OID,
    term_list_and_start_point=ATTRIBUTES_PLUS_TERM,
    step_size=implicit(5, INTEGER),
    number_of_terms_requested=implicit(6, INTEGER),
    preferred_position_in_response=implicit(7, INTEGER),
    other_info=OTHER,
)


class DatabaseCount(Struct, frozen=True, kw_only=True):
    """Titles of one database that a term is in."""

    db: str
    num: int | None = None
    other_db_info: tuple[OtherInfo, ...] | None = None


class OccurrenceByAttributes(Struct, frozen=True, kw_only=True):
    """Titles that a term is in, as one combination of attributes has it."""

    attributes: tuple[AttributeElement, ...]
    occurrences: int | tuple[DatabaseCount, ...] | None = None  # of all databases, or by database
    other_occur_info: tuple[OtherInfo, ...] | None = None


class TermInfo(Struct, frozen=True, kw_only=True):
    """A term of a list, with the titles that it is in."""

    term: Term
    display_term: str | None = None
    suggested_attributes: tuple[AttributeElement, ...] | None = None
    alternative_term: tuple[AttributesPlusTerm, ...] | None = None
    global_occurrences: int | None = None
    by_attributes: tuple[OccurrenceByAttributes, ...] | None = None
    other_term_info: tuple[OtherInfo, ...] | None = None


_BY_ATTRIBUTES = sequence_of(
    sequence(
        OccurrenceByAttributes,
        attributes=explicit(1, ATTRIBUTES),
        occurrences=choice(
            global_=explicit(2, INTEGER),
            byDatabase=implicit(
                3,
                sequence_of(
                    sequence(DatabaseCount, db=DATABASE, num=implicit(1, INTEGER), other_db_info=OTHER),
                ),
            ),
        ),
        other_occur_info=OTHER,
    )
)
TERM_INFO = sequence(
    TermInfo,
    term=TERM,
    display_term=implicit(0, GENERAL),
    suggested_attributes=ATTRIBUTES,
    alternative_term=implicit(4, sequence_of(ATTRIBUTES_PLUS_TERM)),
    global_occurrences=implicit(2, INTEGER),
    by_attributes=implicit(3, _BY_ATTRIBUTES),
    other_term_info=OTHER,
)


class ScanDiagnostic(Struct, frozen=True):
    """surrogateDiagnostic: why one term is not given."""

    diagnostic: DiagRec


class ListEntries(Struct, frozen=True, kw_only=True):
    """The terms, or why there are none."""

    entries: tuple[TermInfo | ScanDiagnostic, ...] | None = None
    nonsurrogate_diagnostics: tuple[DiagRec, ...] | None = None


_ENTRY: Type[TermInfo | ScanDiagnostic] = choice(
    termInfo=implicit(1, TERM_INFO), surrogateDiagnostic=wrapped(ScanDiagnostic, explicit(2, DIAG_REC))
)


class ScanStatus(IntEnum):
    """How much of what was asked for is there."""

    SUCCESS = 0
    PARTIAL_1 = 1
    PARTIAL_2 = 2
    PARTIAL_3 = 3
    PARTIAL_4 = 4
    PARTIAL_5 = 5  # the list ends before as many terms as were asked for
    FAILURE = 6


class ScanResponse(Struct, frozen=True, kw_only=True):
    """`position_of_term` counts from 1; 0 is before the first entry."""

    reference_id: bytes | None = None
    step_size: int | None = None
    scan_status: int
    number_of_entries_returned: int
    position_of_term: int | None = None
    entries: ListEntries | None = None
    attribute_set: Oid | None = None
    other_info: tuple[OtherInfo, ...] | None = None


SCAN_RESPONSE = sequence(
    ScanResponse,
    reference_id=REFERENCE,
    step_size=implicit(3, INTEGER),
    scan_status=implicit(4, INTEGER),
    number_of_entries_returned=implicit(5, INTEGER),
    position_of_term=implicit(6, INTEGER),
    entries=implicit(
        7,
        sequence(
            ListEntries,
            entries=implicit(1, sequence_of(_ENTRY)),
            nonsurrogate_diagnostics=implicit(2, sequence_of(DIAG_REC)),
        ),
    ),
    attribute_set=implicit(8, OID),
    other_info=OTHER,
)
