"""Close: the end of a session, and why (Z39.50-1995, 3.2.11)."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from protocols.z3950.apdu.parts import EXTERNAL, OTHER, REFERENCE, External, OtherInfo
from protocols.z3950.notation import explicit, implicit, sequence
from protocols.z3950.primitive import GENERAL, INTEGER, OID, Oid


class CloseReason(IntEnum):
    """Why a session ends."""

    FINISHED = 0
    SHUTDOWN = 1
    SYSTEM_PROBLEM = 2
    COST_LIMIT = 3
    RESOURCES = 4
    SECURITY_VIOLATION = 5
    PROTOCOL_ERROR = 6
    LACK_OF_ACTIVITY = 7
    PEER_ABORT = 8
    UNSPECIFIED = 9


class Close(Struct, frozen=True, kw_only=True):
    """The last APDU of either side; it is answered by one of the same kind."""

    reference_id: bytes | None = None
    close_reason: int
    diagnostic_information: str | None = None
    resource_report_format: Oid | None = None
    resource_report: External | None = None
    other_info: tuple[OtherInfo, ...] | None = None


CLOSE = sequence(
    Close,
    reference_id=REFERENCE,
    close_reason=implicit(211, INTEGER),
    diagnostic_information=implicit(3, GENERAL),
    resource_report_format=implicit(4, OID),
    resource_report=explicit(5, EXTERNAL),
    other_info=OTHER,
)
