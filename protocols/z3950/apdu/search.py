"""Search (Z39.50-1995, 3.2.2)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import DATABASE, OTHER, OTHER_INFO, REFERENCE, OtherInfo
from protocols.z3950.apdu.query import QUERY, Query
from protocols.z3950.apdu.records import ELEMENT_SET_NAMES, PRESENT_STATUS, RECORDS, ElementSetNames, Records
from protocols.z3950.notation import explicit, implicit, recurring, sequence
from protocols.z3950.primitive import BOOLEAN, GENERAL, INTEGER, OID, Oid


class SearchRequest(Struct, frozen=True, kw_only=True):
    """A query. With no more than `small_set_upper_bound` records all come at once, with as many as
    `large_set_lower_bound` or more none, between them `medium_set_present_number`.
    """

    reference_id: bytes | None = None
    small_set_upper_bound: int
    large_set_lower_bound: int
    medium_set_present_number: int
    replace_indicator: bool
    result_set_name: str
    database_names: tuple[str, ...]
    small_set_element_set_names: ElementSetNames | None = None
    medium_set_element_set_names: ElementSetNames | None = None
    preferred_record_syntax: Oid | None = None
    query: Query
    additional_search_info: tuple[OtherInfo, ...] | None = None
    other_info: tuple[OtherInfo, ...] | None = None


SEARCH_REQUEST = sequence(
    SearchRequest,
    reference_id=REFERENCE,
    small_set_upper_bound=implicit(13, INTEGER),
    large_set_lower_bound=implicit(14, INTEGER),
    medium_set_present_number=implicit(15, INTEGER),
    replace_indicator=implicit(16, BOOLEAN),
    result_set_name=implicit(17, GENERAL),
    database_names=implicit(18, recurring(DATABASE)),
    small_set_element_set_names=explicit(100, ELEMENT_SET_NAMES),
    medium_set_element_set_names=explicit(101, ELEMENT_SET_NAMES),
    preferred_record_syntax=implicit(104, OID),
    query=explicit(21, QUERY),
    additional_search_info=implicit(203, OTHER_INFO),
    other_info=OTHER,
)


class ResultSetStatus(IntEnum):
    """What of a result set there is after a search that failed."""

    SUBSET = 1
    INTERIM = 2
    NONE = 3
    ESTIMATE = 4


class SearchResponse(Struct, frozen=True, kw_only=True):
    """How many were found, and perhaps the first records."""

    reference_id: bytes | None = None
    result_count: int
    number_of_records_returned: int
    next_result_set_position: int  # from 1; 0 when there is none
    search_status: bool
    result_set_status: int | None = None  # only where the search failed
    present_status: int | None = None  # only where records were due
    records: Records | None = None
    additional_search_info: tuple[OtherInfo, ...] | None = None
    other_info: tuple[OtherInfo, ...] | None = None


SEARCH_RESPONSE = sequence(
    SearchResponse,
    reference_id=REFERENCE,
    result_count=implicit(23, INTEGER),
    number_of_records_returned=implicit(24, INTEGER),
    next_result_set_position=implicit(25, INTEGER),
    search_status=implicit(22, BOOLEAN),
    result_set_status=implicit(26, INTEGER),
    present_status=PRESENT_STATUS,
    records=RECORDS,
    additional_search_info=implicit(203, OTHER_INFO),
    other_info=OTHER,
)
