"""What many APDUs share: externals, other information, units, diagnostics (ASN.1 module Z39-50-APDU-1995)."""

from __future__ import annotations

from msgspec import Struct

from protocols.z3950.ber import Source
from protocols.z3950.notation import Implicit, choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import (
    ANY,
    DESCRIPTOR,
    GENERAL,
    INTEGER,
    OCTETS,
    OID,
    VISIBLE,
    Oid,
    Type,
    V,
)

UNIVERSAL_EXTERNAL = 8


class Single(Struct, frozen=True):
    """single-ASN1-type: one whole element, with its header."""

    octets: bytes


class Arbitrary(Struct, frozen=True):
    """arbitrary: a bit string as octets, the first of them the number of unused bits in the last."""

    octets: bytes


class External(Struct, frozen=True, kw_only=True):
    """EXTERNAL: a value of a type that an object identifier names. MARC and XML come as plain octets, types that are
    defined in ASN.1 as `Single`.
    """

    direct_reference: Oid | None = None
    indirect_reference: int | None = None
    data_value_descriptor: str | None = None
    encoding: bytes | Single | Arbitrary


EXTERNAL: Type[External] = Implicit(
    UNIVERSAL_EXTERNAL,
    sequence(
        External,
        direct_reference=OID,
        indirect_reference=INTEGER,
        data_value_descriptor=DESCRIPTOR,
        encoding=choice(
            single_ASN1_type=wrapped(Single, explicit(0, ANY)),
            octet_aligned=implicit(1, OCTETS),
            arbitrary=wrapped(Arbitrary, implicit(2, OCTETS)),
        ),
    ),
)


class InfoCategory(Struct, frozen=True, kw_only=True):
    """A numbered kind of information; without a type, of this standard."""

    category_type_id: Oid | None = None
    category_value: int


class OtherInfo(Struct, frozen=True, kw_only=True):
    """One entry of otherInfo, userInformation or additionalSearchInfo: text, octets, an external or an identifier."""

    category: InfoCategory | None = None
    information: str | bytes | External | Oid


OTHER_INFO: Type[tuple[OtherInfo, ...]] = sequence_of(
    sequence(
        OtherInfo,
        category=implicit(
            1, sequence(InfoCategory, category_type_id=implicit(1, OID), category_value=implicit(2, INTEGER))
        ),
        information=choice(
            characterInfo=implicit(2, GENERAL),
            binaryInfo=implicit(3, OCTETS),
            externallyDefinedInfo=implicit(4, EXTERNAL),
            oid=implicit(5, OID),
        ),
    )
)
OTHER = implicit(201, OTHER_INFO)
REFERENCE = implicit(2, OCTETS)
RESULT_SET = implicit(31, GENERAL)
ELEMENT_SET_NAME = implicit(103, GENERAL)
DATABASE = implicit(105, GENERAL)

STRING_OR_NUMERIC: Type[str | int] = choice(string=implicit(1, GENERAL), numeric=implicit(2, INTEGER))


class Unit(Struct, frozen=True, kw_only=True):
    """A unit of a system of units."""

    unit_system: str | None = None
    unit_type: str | int | None = None
    unit: str | int | None = None
    scale_factor: int | None = None  # 9 means 10**9


class IntUnit(Struct, frozen=True, kw_only=True):
    """A quantity."""

    value: int
    unit_used: Unit


INT_UNIT = sequence(
    IntUnit,
    value=implicit(1, INTEGER),
    unit_used=implicit(
        2,
        sequence(
            Unit,
            unit_system=explicit(1, GENERAL),
            unit_type=explicit(2, STRING_OR_NUMERIC),
            unit=explicit(3, STRING_OR_NUMERIC),
            scale_factor=implicit(4, INTEGER),
        ),
    ),
)


class V2Addinfo(Struct, frozen=True):
    """Additional information as version 2 has it: a VisibleString."""

    text: str


class DefaultDiagFormat(Struct, frozen=True, kw_only=True):
    """A diagnostic of a numbered set; `diagnostics` makes them."""

    diagnostic_set_id: Oid
    condition: int
    addinfo: str | V2Addinfo  # a plain text is v3Addinfo

    @property
    def text(self) -> str:
        """The additional information of either version."""
        return self.addinfo.text if isinstance(self.addinfo, V2Addinfo) else self.addinfo


DEFAULT_DIAG = sequence(
    DefaultDiagFormat,
    diagnostic_set_id=OID,
    condition=INTEGER,
    addinfo=choice(v2Addinfo=wrapped(V2Addinfo, VISIBLE), v3Addinfo=GENERAL),
)
DiagRec = DefaultDiagFormat | External
DIAG_REC: Type[DiagRec] = choice(defaultFormat=DEFAULT_DIAG, externallyDefined=EXTERNAL)


def octets(external: External) -> bytes:
    """What stands in an external that is a text or a record: some programs put a string of ASN.1 where the octets
    should stand by themselves. Malformed if what stands there is no element.
    """
    encoding = external.encoding
    if isinstance(encoding, Single):
        source = Source(encoding.octets)
        _, form, start, end, _ = source.header(0, len(encoding.octets))
        return source.joined(start, end) if form else encoding.octets[start:end]
    return encoding if isinstance(encoding, bytes) else encoding.octets[1:]


def single(oid: Oid, kind: Type[V], value: V) -> External:
    """An external whose type is defined in ASN.1."""
    return External(direct_reference=oid, encoding=Single(kind.encode(value)))
