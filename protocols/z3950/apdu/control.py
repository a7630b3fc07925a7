"""Access control and resource control: questions of either side amid an operation (Z39.50-1995, 3.2.5 and 3.2.6)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import DIAG_REC, EXTERNAL, OTHER, REFERENCE, DiagRec, External, OtherInfo
from protocols.z3950.notation import choice, explicit, implicit, sequence
from protocols.z3950.primitive import BOOLEAN, INTEGER, OCTETS, OID, Oid


class AccessControlRequest(Struct, frozen=True, kw_only=True):
    """The target asks the client who it is, amid an operation or a session."""

    reference_id: bytes | None = None
    security_challenge: bytes | External
    other_info: tuple[OtherInfo, ...] | None = None


ACCESS_CONTROL_REQUEST = sequence(
    AccessControlRequest,
    reference_id=REFERENCE,
    security_challenge=choice(simpleForm=implicit(37, OCTETS), externallyDefined=explicit(0, EXTERNAL)),
    other_info=OTHER,
)


class AccessControlResponse(Struct, frozen=True, kw_only=True):
    """What the client says to that."""

    reference_id: bytes | None = None
    security_challenge_response: bytes | External | None = None
    diagnostic: DiagRec | None = None
    other_info: tuple[OtherInfo, ...] | None = None


ACCESS_CONTROL_RESPONSE = sequence(
    AccessControlResponse,
    reference_id=REFERENCE,
    security_challenge_response=choice(simpleForm=implicit(38, OCTETS), externallyDefined=explicit(0, EXTERNAL)),
    diagnostic=explicit(223, DIAG_REC),
    other_info=OTHER,
)


class ResourceControlRequest(Struct, frozen=True, kw_only=True):
    """The target tells what an operation has cost so far, and may ask whether to go on."""

    reference_id: bytes | None = None
    suspended_flag: bool | None = None
    resource_report: External | None = None
    partial_results_available: int | None = None  # 1 subset, 2 interim, 3 none
    response_required: bool
    triggered_request_flag: bool | None = None
    other_info: tuple[OtherInfo, ...] | None = None


RESOURCE_CONTROL_REQUEST = sequence(
    ResourceControlRequest,
    reference_id=REFERENCE,
    suspended_flag=implicit(39, BOOLEAN),
    resource_report=explicit(40, EXTERNAL),
    partial_results_available=implicit(41, INTEGER),
    response_required=implicit(42, BOOLEAN),
    triggered_request_flag=implicit(43, BOOLEAN),
    other_info=OTHER,
)


class ResourceControlResponse(Struct, frozen=True, kw_only=True):
    """Whether to go on."""

    reference_id: bytes | None = None
    continue_flag: bool
    result_set_wanted: bool | None = None
    other_info: tuple[OtherInfo, ...] | None = None


RESOURCE_CONTROL_RESPONSE = sequence(
    ResourceControlResponse,
    reference_id=REFERENCE,
    continue_flag=implicit(44, BOOLEAN),
    result_set_wanted=implicit(45, BOOLEAN),
    other_info=OTHER,
)


class TriggerAction(IntEnum):
    """What a client may ask for while it waits."""

    RESOURCE_REPORT = 1
    RESOURCE_CONTROL = 2
    CANCEL = 3


class TriggerResourceControlRequest(Struct, frozen=True, kw_only=True):
    """Sent while an operation runs; it has no answer of its own."""

    reference_id: bytes | None = None
    requested_action: int
    pref_resource_report_format: Oid | None = None
    result_set_wanted: bool | None = None
    other_info: tuple[OtherInfo, ...] | None = None


TRIGGER_RESOURCE_CONTROL_REQUEST = sequence(
    TriggerResourceControlRequest,
    reference_id=REFERENCE,
    requested_action=implicit(46, INTEGER),
    pref_resource_report_format=implicit(47, OID),
    result_set_wanted=implicit(48, BOOLEAN),
    other_info=OTHER,
)


class ResourceReportRequest(Struct, frozen=True, kw_only=True):
    """What has an operation cost, or all of them?"""

    reference_id: bytes | None = None
    op_id: bytes | None = None
    pref_resource_report_format: Oid | None = None
    other_info: tuple[OtherInfo, ...] | None = None


RESOURCE_REPORT_REQUEST = sequence(
    ResourceReportRequest,
    reference_id=REFERENCE,
    op_id=implicit(210, OCTETS),
    pref_resource_report_format=implicit(49, OID),
    other_info=OTHER,
)


class ResourceReportStatus(IntEnum):
    """Whether there is a report, and why not."""

    SUCCESS = 0
    PARTIAL = 1
    FAILURE_1 = 2
    FAILURE_2 = 3
    FAILURE_3 = 4
    FAILURE_4 = 5
    FAILURE_5 = 6
    FAILURE_6 = 7


class ResourceReportResponse(Struct, frozen=True, kw_only=True):
    """The report, in the form that was asked for."""

    reference_id: bytes | None = None
    resource_report_status: int
    resource_report: External | None = None
    other_info: tuple[OtherInfo, ...] | None = None


RESOURCE_REPORT_RESPONSE = sequence(
    ResourceReportResponse,
    reference_id=REFERENCE,
    resource_report_status=implicit(50, INTEGER),
    resource_report=explicit(51, EXTERNAL),
    other_info=OTHER,
)
