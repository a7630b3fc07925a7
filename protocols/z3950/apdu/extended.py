"""Extended Services: tasks that outlive an operation, in packages (Z39.50-1995, 3.2.9)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import (
    DIAG_REC,
    ELEMENT_SET_NAME,
    EXTERNAL,
    INT_UNIT,
    OTHER,
    REFERENCE,
    DiagRec,
    External,
    IntUnit,
    OtherInfo,
)
from protocols.z3950.notation import implicit, sequence, sequence_of
from protocols.z3950.primitive import GENERAL, INTEGER, OID, Oid


class Function(IntEnum):
    """What is done with a package."""

    CREATE = 1
    DELETE = 2
    MODIFY = 3


class WaitAction(IntEnum):
    """Whether the answer waits for the end of the task."""

    WAIT = 1
    WAIT_IF_POSSIBLE = 2
    DONT_WAIT = 3
    DONT_RETURN_PACKAGE = 4


class Permission(Struct, frozen=True, kw_only=True):
    """What a user may do with a package."""

    user_id: str | None = None
    allowable_functions: tuple[int, ...]  # 1 delete, 2 modify contents, 3 modify permissions, 4 present, 5 invoke


PERMISSIONS = sequence_of(
    sequence(Permission, user_id=implicit(1, GENERAL), allowable_functions=implicit(2, sequence_of(INTEGER)))
)


class ExtendedServicesRequest(Struct, frozen=True, kw_only=True):
    """Create, change or delete a package; `task_specific_parameters` are those of its type."""

    reference_id: bytes | None = None
    function: int
    package_type: Oid
    package_name: str | None = None
    user_id: str | None = None
    retention_time: IntUnit | None = None
    permissions: tuple[Permission, ...] | None = None
    description: str | None = None
    task_specific_parameters: External | None = None
    wait_action: int
    elements: str | None = None
    other_info: tuple[OtherInfo, ...] | None = None


EXTENDED_SERVICES_REQUEST = sequence(
    ExtendedServicesRequest,
    reference_id=REFERENCE,
    function=implicit(3, INTEGER),
    package_type=implicit(4, OID),
    package_name=implicit(5, GENERAL),
    user_id=implicit(6, GENERAL),
    retention_time=implicit(7, INT_UNIT),
    permissions=implicit(8, PERMISSIONS),
    description=implicit(9, GENERAL),
    task_specific_parameters=implicit(10, EXTERNAL),
    wait_action=implicit(11, INTEGER),
    elements=ELEMENT_SET_NAME,
    other_info=OTHER,
)


class OperationStatus(IntEnum):
    """What became of the request, not of the task."""

    DONE = 1
    ACCEPTED = 2
    FAILURE = 3


class ExtendedServicesResponse(Struct, frozen=True, kw_only=True):
    """With the package where the client waits for it."""

    reference_id: bytes | None = None
    operation_status: int
    diagnostics: tuple[DiagRec, ...] | None = None
    task_package: External | None = None
    other_info: tuple[OtherInfo, ...] | None = None


EXTENDED_SERVICES_RESPONSE = sequence(
    ExtendedServicesResponse,
    reference_id=REFERENCE,
    operation_status=implicit(3, INTEGER),
    diagnostics=implicit(4, sequence_of(DIAG_REC)),
    task_package=implicit(5, EXTERNAL),
    other_info=OTHER,
)
