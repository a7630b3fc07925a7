"""Initialize: who speaks which version, and what both can do (Z39.50-1995, 3.2.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from msgspec import Struct

from protocols.z3950.apdu.parts import EXTERNAL, OTHER, REFERENCE, External, OtherInfo
from protocols.z3950.notation import choice, explicit, implicit, sequence, wrapped
from protocols.z3950.primitive import BITS, BOOLEAN, GENERAL, INTEGER, NULL, VISIBLE, Type

VERSIONS = frozenset({0, 1, 2})  # bits of versions 1 (which is 2), 2 and 3


class Option(IntEnum):
    """Bits of `options`."""

    SEARCH = 0
    PRESENT = 1
    DELETE_SET = 2
    RESOURCE_REPORT = 3
    TRIGGER_RESOURCE_CONTROL = 4
    RESOURCE_CONTROL = 5
    ACCESS_CONTROL = 6
    SCAN = 7
    SORT = 8
    EXTENDED_SERVICES = 10
    LEVEL_1_SEGMENTATION = 11
    LEVEL_2_SEGMENTATION = 12
    CONCURRENT_OPERATIONS = 13
    NAMED_RESULT_SETS = 14
    ENCAPSULATION = 15
    RESULT_COUNT = 16
    NEGOTIATION = 17
    DUPLICATE_DETECTION = 18
    QUERY_TYPE_104 = 19
    STRING_SCHEMA = 21


class IdPass(Struct, frozen=True, kw_only=True):
    """A user and a password."""

    group_id: str | None = None
    user_id: str | None = None
    password: str | None = None


class Anonymous(Struct, frozen=True):
    """Said to be nobody in particular."""


Authentication = str | IdPass | Anonymous | External  # str: open, often user/password
AUTHENTICATION: Type[Authentication] = choice(
    open=VISIBLE,
    idPass=sequence(IdPass, group_id=implicit(0, GENERAL), user_id=implicit(1, GENERAL), password=implicit(2, GENERAL)),
    anonymous=wrapped(Anonymous, NULL),
    other=EXTERNAL,
)


class InitRequest(Struct, frozen=True, kw_only=True):
    """What a client can do, and who it is."""

    reference_id: bytes | None = None
    protocol_version: frozenset[int]
    options: frozenset[int]  # of `Option`
    preferred_message_size: int  # octets
    exceptional_record_size: int  # octets
    id_authentication: Authentication | None = None
    implementation_id: str | None = None
    implementation_name: str | None = None
    implementation_version: str | None = None
    user_information_field: External | None = None
    other_info: tuple[OtherInfo, ...] | None = None


class InitResponse(Struct, frozen=True, kw_only=True):
    """What both can do: never more than was asked for."""

    reference_id: bytes | None = None
    protocol_version: frozenset[int]
    options: frozenset[int]
    preferred_message_size: int
    exceptional_record_size: int
    result: bool  # accepted
    implementation_id: str | None = None
    implementation_name: str | None = None
    implementation_version: str | None = None
    user_information_field: External | None = None
    other_info: tuple[OtherInfo, ...] | None = None


_SIZES: dict[str, Type[Any]] = {
    "protocol_version": implicit(3, BITS),
    "options": implicit(4, BITS),
    "preferred_message_size": implicit(5, INTEGER),
    "exceptional_record_size": implicit(6, INTEGER),
}
_ABOUT: dict[str, Type[Any]] = {
    "implementation_id": implicit(110, GENERAL),
    "implementation_name": implicit(111, GENERAL),
    "implementation_version": implicit(112, GENERAL),
    "user_information_field": explicit(11, EXTERNAL),
    "other_info": OTHER,
}
INIT_REQUEST = sequence(
    InitRequest, reference_id=REFERENCE, **_SIZES, id_authentication=explicit(7, AUTHENTICATION), **_ABOUT
)
INIT_RESPONSE = sequence(InitResponse, reference_id=REFERENCE, **_SIZES, result=implicit(12, BOOLEAN), **_ABOUT)
