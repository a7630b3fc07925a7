"""Records in answers to search and present, or the diagnostics in their place."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from msgspec import Struct, structs

from protocols.z3950.apdu.parts import (
    DATABASE,
    DEFAULT_DIAG,
    DIAG_REC,
    ELEMENT_SET_NAME,
    EXTERNAL,
    DefaultDiagFormat,
    DiagRec,
    External,
)
from protocols.z3950.notation import Sequence, SequenceOf, choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import GENERAL, INTEGER, OCTETS, Pieces, Put, Type

Fragment = External | bytes  # part of a record, with or without its syntax
FRAGMENT: Type[Fragment] = choice(externallyTagged=EXTERNAL, notExternallyTagged=OCTETS)


class SurrogateDiagnostic(Struct, frozen=True):
    """Why a record is not given."""

    diagnostic: DiagRec


class StartingFragment(Struct, frozen=True):
    """The first part of a record (segmentation of level 2)."""

    fragment: Fragment


class IntermediateFragment(Struct, frozen=True):
    """A middle part of a record."""

    fragment: Fragment


class FinalFragment(Struct, frozen=True):
    """The last part of a record."""

    fragment: Fragment


class NamePlusRecord(Struct, frozen=True, kw_only=True):
    """A record and the database that it is from."""

    name: str | None = None
    record: External | SurrogateDiagnostic | StartingFragment | IntermediateFragment | FinalFragment


class Written(NamePlusRecord, frozen=True, kw_only=True):
    """One that was written before: its octets go into answers as they are."""

    octets: bytes


class _Named(Sequence[NamePlusRecord]):
    """NamePlusRecord, of which some need not be written any more."""

    def writer(self) -> Put:
        other = super().writer()

        def put(value: NamePlusRecord, out: Pieces) -> int:
            if isinstance(value, Written):
                out.append(value.octets)
                return len(value.octets)
            return other(value, out)

        return put


NAME_PLUS_RECORD = _Named(
    NamePlusRecord,
    {
        "name": implicit(0, DATABASE),
        "record": explicit(
            1,
            choice(
                retrievalRecord=explicit(1, EXTERNAL),
                surrogateDiagnostic=wrapped(SurrogateDiagnostic, explicit(2, DIAG_REC)),
                startingFragment=wrapped(StartingFragment, explicit(3, FRAGMENT)),
                intermediateFragment=wrapped(IntermediateFragment, explicit(4, FRAGMENT)),
                finalFragment=wrapped(FinalFragment, explicit(5, FRAGMENT)),
            ),
        ),
    },
)


def written(record: NamePlusRecord) -> Written:
    """A record that will go into many answers."""
    whole = record.record
    if isinstance(whole, External) and isinstance(whole.encoding, bytes):
        octets = _before(record.name, structs.replace(whole, encoding=b""), len(whole.encoding)) + whole.encoding
    else:
        octets = NAME_PLUS_RECORD.encode(record)
    return Written(name=record.name, record=whole, octets=octets)


@lru_cache(maxsize=4096)
def _before(name: str | None, external: External, size: int) -> bytes:
    """What stands before the last `size` octets of a record: it is the same for all records of that length."""
    octets = NAME_PLUS_RECORD.encode(NamePlusRecord(name=name, record=structs.replace(external, encoding=bytes(size))))
    return octets[: len(octets) - size]


class _Several(SequenceOf[NamePlusRecord]):
    """Records of an answer: those that are written go into it in one piece."""

    def put(self, value: tuple[NamePlusRecord, ...], out: Pieces) -> int:
        written = [each.octets for each in value if isinstance(each, Written)]
        if len(written) < len(value):
            return super().put(value, out)
        whole = b"".join(written)
        out.append(whole)
        return len(whole)


SEVERAL: Type[tuple[NamePlusRecord, ...]] = _Several(NAME_PLUS_RECORD)


class MultipleDiagnostics(Struct, frozen=True):
    """multipleNonSurDiagnostics: why there are no records."""

    diagnostics: tuple[DiagRec, ...]


Records = tuple[NamePlusRecord, ...] | DefaultDiagFormat | MultipleDiagnostics
RECORDS: Type[Records] = choice(
    responseRecords=implicit(28, SEVERAL),
    nonSurrogateDiagnostic=implicit(130, DEFAULT_DIAG),
    multipleNonSurDiagnostics=wrapped(MultipleDiagnostics, implicit(205, sequence_of(DIAG_REC))),
)


class PresentStatus(IntEnum):
    """How many of the records that were asked for are there."""

    SUCCESS = 0
    PARTIAL_1 = 1  # access control ended it
    PARTIAL_2 = 2  # the message would have been too large
    PARTIAL_3 = 3  # resource control ended it at the origin's wish
    PARTIAL_4 = 4  # … at the target's
    FAILURE = 5


PRESENT_STATUS = implicit(27, INTEGER)


class DatabaseElementSet(Struct, frozen=True, kw_only=True):
    """An element set name for the records of one database."""

    db_name: str
    esn: str


ElementSetNames = str | tuple[DatabaseElementSet, ...]  # for all databases, or by database
ELEMENT_SET_NAMES: Type[ElementSetNames] = choice(
    genericElementSetName=implicit(0, GENERAL),
    databaseSpecific=implicit(1, sequence_of(sequence(DatabaseElementSet, db_name=DATABASE, esn=ELEMENT_SET_NAME))),
)
