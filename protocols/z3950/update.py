"""Extended service Update, revision 1: records that a client puts in, replaces or deletes, and the package that tells
what became of each (ASN.1 modules ESFormat-Update and RecordSyntax-ESTaskPackage).

The first edition (1.2.840.10003.9.5) has the same requests. In its packages a record has one diagnostic where this one
has a list, which are the same octets if the list has one, and none beside (`first_edition`).
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct, structs

from protocols.z3950 import oids
from protocols.z3950.apdu.extended import PERMISSIONS, Permission
from protocols.z3950.apdu.parts import (
    DIAG_REC,
    EXTERNAL,
    INT_UNIT,
    DiagRec,
    External,
    IntUnit,
    Single,
    single,
)
from protocols.z3950.ber import Malformed
from protocols.z3950.limits import REQUESTS, Limits
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import GENERAL, INTEGER, OCTETS, OID, TIME, Oid, Type


class Action(IntEnum):
    """What is to be done with the records."""

    RECORD_INSERT = 1
    RECORD_REPLACE = 2
    RECORD_DELETE = 3
    ELEMENT_UPDATE = 4
    SPECIAL_UPDATE = 5  # insert or replace, as most servers understand it


class OriginPartToKeep(Struct, frozen=True, kw_only=True):
    """What is asked, apart from the records."""

    action: int
    database_name: str
    schema: Oid | None = None
    element_set_name: str | None = None
    action_qualifier: External | None = None


_TO_KEEP = sequence(
    OriginPartToKeep,
    action=implicit(1, INTEGER),
    database_name=implicit(2, GENERAL),
    schema=implicit(3, OID),
    element_set_name=implicit(4, GENERAL),
    action_qualifier=implicit(5, EXTERNAL),
)

RecordId = int | str | bytes
_RECORD_ID: Type[RecordId] = choice(
    number=implicit(1, INTEGER), string=implicit(2, GENERAL), opaque=implicit(3, OCTETS)
)


class TimeStamp(Struct, frozen=True):
    """When the version was made that the client had in hand (GeneralizedTime)."""

    text: str


SupplementalId = TimeStamp | str | External  # str: a version number; External: the previous version itself
_SUPPLEMENTAL_ID: Type[SupplementalId] = choice(
    timeStamp=wrapped(TimeStamp, implicit(1, TIME)),
    versionNumber=implicit(2, GENERAL),
    previousVersion=implicit(3, EXTERNAL),
)


class CorrelationInfo(Struct, frozen=True, kw_only=True):
    """How the client finds the answer about a record again."""

    note: str | None = None
    id: int | None = None


_CORRELATION = sequence(CorrelationInfo, note=implicit(1, GENERAL), id=implicit(2, INTEGER))


class SuppliedRecord(Struct, frozen=True, kw_only=True):
    """A record, how it is known to the server, and how the client finds the answer about it."""

    record_id: RecordId | None = None
    supplemental_id: SupplementalId | None = None
    correlation_info: CorrelationInfo | None = None
    record: External


_SUPPLIED = sequence_of(
    sequence(
        SuppliedRecord,
        record_id=explicit(1, _RECORD_ID),
        supplemental_id=explicit(2, _SUPPLEMENTAL_ID),
        correlation_info=implicit(3, _CORRELATION),
        record=implicit(4, EXTERNAL),
    )
)


class UpdateRequest(Struct, frozen=True, kw_only=True):
    """esRequest."""

    to_keep: OriginPartToKeep
    not_to_keep: tuple[SuppliedRecord, ...]


class SurrogateDiagnostics(Struct, frozen=True):
    """Why nothing was done with a record."""

    diagnostics: tuple[DiagRec, ...]


class RecordStatus(IntEnum):
    """How far one record has got."""

    SUCCESS = 1
    QUEUED = 2
    IN_PROCESS = 3
    FAILURE = 4


class TaskPackageRecord(Struct, frozen=True, kw_only=True):
    """TaskPackageRecordStructure: what became of one record."""

    record_or_sur_diag: External | SurrogateDiagnostics | None = None
    correlation_info: CorrelationInfo | None = None
    record_status: int
    supplemental_diagnostics: tuple[DiagRec, ...] | None = None


class UpdateStatus(IntEnum):
    """What became of the records together."""

    SUCCESS = 1
    PARTIAL = 2
    FAILURE = 3


class TargetPart(Struct, frozen=True, kw_only=True):
    """What became of the task."""

    update_status: int
    global_diagnostics: tuple[DiagRec, ...] | None = None
    task_package_records: tuple[TaskPackageRecord, ...]


class UpdatePackage(Struct, frozen=True, kw_only=True):
    """taskPackage."""

    origin_part: OriginPartToKeep
    target_part: TargetPart


_TARGET_PART = sequence(
    TargetPart,
    update_status=implicit(1, INTEGER),
    global_diagnostics=implicit(2, sequence_of(DIAG_REC)),
    task_package_records=implicit(
        3,
        sequence_of(
            sequence(
                TaskPackageRecord,
                record_or_sur_diag=explicit(
                    1,
                    choice(
                        record=implicit(1, EXTERNAL),
                        surrogateDiagnostics=wrapped(SurrogateDiagnostics, implicit(2, sequence_of(DIAG_REC))),
                    ),
                ),
                correlation_info=implicit(2, _CORRELATION),
                record_status=implicit(3, INTEGER),
                supplemental_diagnostics=implicit(4, sequence_of(DIAG_REC)),
            )
        ),
    ),
)
Update = UpdateRequest | UpdatePackage
UPDATE: Type[Update] = choice(
    esRequest=implicit(1, sequence(UpdateRequest, to_keep=explicit(1, _TO_KEEP), not_to_keep=explicit(2, _SUPPLIED))),
    taskPackage=implicit(
        2, sequence(UpdatePackage, origin_part=explicit(1, _TO_KEEP), target_part=explicit(2, _TARGET_PART))
    ),
)


class TaskStatus(IntEnum):
    """How far a task has got."""

    PENDING = 0
    ACTIVE = 1
    COMPLETE = 2
    ABORTED = 3


class TaskPackage(Struct, frozen=True, kw_only=True):
    """A task of any extended service, as it is told of and kept."""

    package_type: Oid
    package_name: str | None = None
    user_id: str | None = None
    retention_time: IntUnit | None = None
    permissions: tuple[Permission, ...] | None = None
    description: str | None = None
    target_reference: bytes | None = None
    creation_date_time: str | None = None  # GeneralizedTime
    task_status: int
    package_diagnostics: tuple[DiagRec, ...] | None = None
    task_specific_parameters: External


TASK_PACKAGE = sequence(
    TaskPackage,
    package_type=implicit(1, OID),
    package_name=implicit(2, GENERAL),
    user_id=implicit(3, GENERAL),
    retention_time=implicit(4, INT_UNIT),
    permissions=implicit(5, PERMISSIONS),
    description=implicit(6, GENERAL),
    target_reference=implicit(7, OCTETS),
    creation_date_time=implicit(8, TIME),
    task_status=implicit(9, INTEGER),
    package_diagnostics=implicit(10, sequence_of(DIAG_REC)),
    task_specific_parameters=implicit(11, EXTERNAL),
)


def external(update: Update, edition: Oid = oids.UPDATE_REVISED) -> External:
    """A request or package as `task_specific_parameters`."""
    return single(edition, UPDATE, update)


def first_edition(record: TaskPackageRecord) -> TaskPackageRecord:
    """What became of a record, as the first edition can say it."""
    found = record.record_or_sur_diag
    if isinstance(found, SurrogateDiagnostics):
        found = SurrogateDiagnostics(found.diagnostics[:1])
    return structs.replace(record, record_or_sur_diag=found, supplemental_diagnostics=None)


def read(parameters: External, limits: Limits = REQUESTS) -> Update:
    """The reverse. Malformed if it is no Update."""
    return UPDATE.decode(_within(parameters), limits)


def package_external(package: TaskPackage) -> External:
    """A package as `task_package` of an ExtendedServicesResponse."""
    return single(oids.TASK_PACKAGE, TASK_PACKAGE, package)


def read_package(package: External, limits: Limits = REQUESTS) -> TaskPackage:
    """The reverse. Malformed if it is no task package."""
    return TASK_PACKAGE.decode(_within(package), limits)


def _within(external: External) -> bytes:
    """The element in an external; some clients send it as plain octets."""
    encoding = external.encoding
    if isinstance(encoding, bytes):
        return encoding
    if isinstance(encoding, Single):
        return encoding.octets
    raise Malformed(0, "a value of an ASN.1 type, not a bit string")
