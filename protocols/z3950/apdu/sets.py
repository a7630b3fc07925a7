"""Delete and Sort: what is done with result sets (Z39.50-1995, 3.2.4 and 3.2.7)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import DATABASE, DIAG_REC, OTHER, REFERENCE, RESULT_SET, DiagRec, OtherInfo
from protocols.z3950.apdu.present import SPECIFICATION, Specification
from protocols.z3950.apdu.query import ATTRIBUTES, AttributeElement
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import GENERAL, INTEGER, NULL, OCTETS, OID, Oid, Type


class DeleteFunction(IntEnum):
    """Some result sets or all."""

    LIST = 0
    ALL = 1


class DeleteSetStatus(IntEnum):
    """What became of one, or of the whole request."""

    SUCCESS = 0
    RESULT_SET_DID_NOT_EXIST = 1
    PREVIOUSLY_DELETED_BY_TARGET = 2
    SYSTEM_PROBLEM_AT_TARGET = 3
    ACCESS_NOT_ALLOWED = 4
    RESOURCE_CONTROL_AT_ORIGIN = 5
    RESOURCE_CONTROL_AT_TARGET = 6
    BULK_DELETE_NOT_SUPPORTED = 7
    NOT_ALL_DELETED_ON_BULK_DELETE = 8
    NOT_ALL_REQUESTED_DELETED = 9
    RESULT_SET_IN_USE = 10


class DeleteRequest(Struct, frozen=True, kw_only=True):
    """DeleteResultSetRequest."""

    reference_id: bytes | None = None
    delete_function: int
    result_set_list: tuple[str, ...] | None = None
    other_info: tuple[OtherInfo, ...] | None = None


DELETE_REQUEST = sequence(
    DeleteRequest,
    reference_id=REFERENCE,
    delete_function=implicit(32, INTEGER),
    result_set_list=sequence_of(RESULT_SET),
    other_info=OTHER,
)


class ListStatus(Struct, frozen=True, kw_only=True):
    """What became of one result set."""

    id: str
    status: int


class DeleteResponse(Struct, frozen=True, kw_only=True):
    """DeleteResultSetResponse."""

    reference_id: bytes | None = None
    delete_operation_status: int
    delete_list_statuses: tuple[ListStatus, ...] | None = None
    number_not_deleted: int | None = None
    bulk_statuses: tuple[ListStatus, ...] | None = None
    delete_message: str | None = None
    other_info: tuple[OtherInfo, ...] | None = None


_STATUSES = sequence_of(sequence(ListStatus, id=RESULT_SET, status=implicit(33, INTEGER)))
DELETE_RESPONSE = sequence(
    DeleteResponse,
    reference_id=REFERENCE,
    delete_operation_status=implicit(0, INTEGER),
    delete_list_statuses=implicit(1, _STATUSES),
    number_not_deleted=implicit(34, INTEGER),
    bulk_statuses=implicit(35, _STATUSES),
    delete_message=implicit(36, GENERAL),
    other_info=OTHER,
)


class SortAttributes(Struct, frozen=True, kw_only=True):
    """A key by attributes, as in a query."""

    id: Oid
    list: tuple[AttributeElement, ...]


SortKey = str | Specification | SortAttributes  # str: the name of a field
SORT_KEY: Type[SortKey] = choice(
    sortfield=implicit(0, GENERAL),
    elementSpec=implicit(1, SPECIFICATION),
    sortAttributes=implicit(2, sequence(SortAttributes, id=OID, list=ATTRIBUTES)),
)


class DatabaseSortKey(Struct, frozen=True, kw_only=True):
    """A key for the records of one database."""

    database_name: str
    db_sort: SortKey


class Abort(Struct, frozen=True):
    """A record without the key ends the sort."""


class AsNull(Struct, frozen=True):
    """A record without the key is treated as one with an empty key."""


class SortRelation(IntEnum):
    """Which way."""

    ASCENDING = 0
    DESCENDING = 1
    ASCENDING_BY_FREQUENCY = 3
    DESCENDING_BY_FREQUENCY = 4


class SortKeySpec(Struct, frozen=True, kw_only=True):
    """One key, the first being the foremost."""

    sort_element: SortKey | tuple[DatabaseSortKey, ...]
    sort_relation: int
    case_sensitivity: int  # 0 sensitive, 1 not
    missing_value_action: Abort | AsNull | bytes | None = None  # bytes: the value to take instead


class SortRequest(Struct, frozen=True, kw_only=True):
    """Result sets to be merged, if more than one, and sorted into another."""

    reference_id: bytes | None = None
    input_result_set_names: tuple[str, ...]
    sorted_result_set_name: str
    sort_sequence: tuple[SortKeySpec, ...]
    other_info: tuple[OtherInfo, ...] | None = None


SORT_REQUEST = sequence(
    SortRequest,
    reference_id=REFERENCE,
    input_result_set_names=implicit(3, sequence_of(GENERAL)),
    sorted_result_set_name=implicit(4, GENERAL),
    sort_sequence=implicit(
        5,
        sequence_of(
            sequence(
                SortKeySpec,
                sort_element=choice(
                    generic=explicit(1, SORT_KEY),
                    datbaseSpecific=implicit(
                        2, sequence_of(sequence(DatabaseSortKey, database_name=DATABASE, db_sort=SORT_KEY))
                    ),
                ),
                sort_relation=implicit(1, INTEGER),
                case_sensitivity=implicit(2, INTEGER),
                missing_value_action=explicit(
                    3,
                    choice(
                        abort=wrapped(Abort, implicit(1, NULL)),
                        null=wrapped(AsNull, implicit(2, NULL)),
                        missingValueData=implicit(3, OCTETS),
                    ),
                ),
            )
        ),
    ),
    other_info=OTHER,
)


class SortStatus(IntEnum):
    """How far it got."""

    SUCCESS = 0
    PARTIAL = 1
    FAILURE = 2


class SortedSet(IntEnum):
    """resultSetStatus of a sort that failed."""

    EMPTY = 1
    INTERIM = 2
    UNCHANGED = 3
    NONE = 4


class SortResponse(Struct, frozen=True, kw_only=True):
    """What became of the sort."""

    reference_id: bytes | None = None
    sort_status: int
    result_set_status: int | None = None
    diagnostics: tuple[DiagRec, ...] | None = None
    result_count: int | None = None
    other_info: tuple[OtherInfo, ...] | None = None


SORT_RESPONSE = sequence(
    SortResponse,
    reference_id=REFERENCE,
    sort_status=implicit(3, INTEGER),
    result_set_status=implicit(4, INTEGER),
    diagnostics=implicit(5, sequence_of(DIAG_REC)),
    result_count=implicit(6, INTEGER),
    other_info=OTHER,
)
