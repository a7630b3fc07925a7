"""Character set and language negotiation, version 3, as a table (ASN.1 module
NegotiationRecordDefinition-charSetandLanguageNegotiation-3); `charsets` says what is asked and answered in plain words.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from protocols.z3950.apdu.parts import EXTERNAL, External
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import BOOLEAN, GENERAL, INTEGER, NULL, OID, Oid, Type


class SevenBit(Struct, frozen=True):
    """Seven bits an octet."""


class EightBit(Struct, frozen=True):
    """Eight bits an octet."""


class InitialSet(Struct, frozen=True, kw_only=True):
    """Numbers of the ISO Register of what is designated at the beginning."""

    g0: int | None = None
    g1: int | None = None
    g2: int | None = None
    g3: int | None = None
    c0: int
    c1: int | None = None


class LeftAndRight(Struct, frozen=True, kw_only=True):
    """Which of G0 to G3 the halves of the code table begin with."""

    g_left: int
    g_right: int | None = None


class Iso2022Proposal(Struct, frozen=True, kw_only=True):
    """Character sets by their registration numbers."""

    proposed_environment: SevenBit | EightBit | None = None
    proposed_sets: tuple[int, ...]
    proposed_initial_sets: tuple[InitialSet, ...]
    proposed_left_and_right: LeftAndRight


class Iso2022Response(Struct, frozen=True, kw_only=True):
    """Which of them are taken."""

    selected_environment: SevenBit | EightBit
    selected_sets: tuple[int, ...]
    selectedinitial_set: InitialSet
    selected_left_and_right: LeftAndRight


class Iso10646(Struct, frozen=True, kw_only=True):
    """Unicode, in a form of encoding."""

    collections: Oid | None = None
    encoding_level: Oid  # `oids.UTF_8` and its sisters


class AgreedUpon(Struct, frozen=True):
    """previouslyAgreedUpon: a private set that both know."""


class ViaOid(Struct, frozen=True):
    """Private sets by their identifiers."""

    identifiers: tuple[Oid, ...]


class NoCharset(Struct, frozen=True):
    """None was agreed on."""


Private = ViaOid | External | AgreedUpon  # External: often a name such as "gbk"
Charset = Iso2022Proposal | Iso2022Response | Iso10646 | Private


class OriginProposal(Struct, frozen=True, kw_only=True):
    """What the client would like."""

    proposed_char_sets: tuple[Charset, ...] | None = None
    proposedlanguages: tuple[str, ...] | None = None
    records_in_selected_char_sets: bool | None = None


class TargetResponse(Struct, frozen=True, kw_only=True):
    """What the server chose."""

    selected_char_sets: Charset | NoCharset | None = None
    selected_language: str | None = None
    records_in_selected_char_sets: bool | None = None


_ENVIRONMENT: Type[SevenBit | EightBit] = choice(
    sevenBit=wrapped(SevenBit, implicit(1, NULL)), eightBit=wrapped(EightBit, implicit(2, NULL))
)
_INITIAL_SET = sequence(
    InitialSet,
    g0=implicit(0, INTEGER),
    g1=implicit(1, INTEGER),
    g2=implicit(2, INTEGER),
    g3=implicit(3, INTEGER),
    c0=implicit(4, INTEGER),
    c1=implicit(5, INTEGER),
)
_LEFT_AND_RIGHT = sequence(LeftAndRight, g_left=implicit(3, INTEGER), g_right=implicit(4, INTEGER))
_ISO_2022: Type[Iso2022Proposal | Iso2022Response] = choice(
    originProposal=implicit(
        1,
        sequence(
            Iso2022Proposal,
            proposed_environment=explicit(0, _ENVIRONMENT),
            proposed_sets=implicit(1, sequence_of(INTEGER)),
            proposed_initial_sets=implicit(2, sequence_of(_INITIAL_SET)),
            proposed_left_and_right=implicit(3, _LEFT_AND_RIGHT),
        ),
    ),
    targetResponse=implicit(
        2,
        sequence(
            Iso2022Response,
            selected_environment=explicit(0, _ENVIRONMENT),
            selected_sets=implicit(1, sequence_of(INTEGER)),
            selectedinitial_set=implicit(2, _INITIAL_SET),
            selected_left_and_right=implicit(3, _LEFT_AND_RIGHT),
        ),
    ),
)
_CHARSETS: dict[str, Type[Any]] = {
    "iso2022": explicit(1, _ISO_2022),
    "iso10646": implicit(2, sequence(Iso10646, collections=implicit(1, OID), encoding_level=implicit(2, OID))),
    "private": explicit(
        3,
        choice(
            viaOid=wrapped(ViaOid, implicit(1, sequence_of(OID))),
            externallySpecified=implicit(2, EXTERNAL),
            previouslyAgreedUpon=wrapped(AgreedUpon, implicit(3, NULL)),
        ),
    ),
}
Negotiation = OriginProposal | TargetResponse
NEGOTIATION: Type[Negotiation] = choice(
    proposal=implicit(
        1,
        sequence(
            OriginProposal,
            proposed_char_sets=implicit(1, sequence_of(choice(**_CHARSETS))),
            proposedlanguages=implicit(2, sequence_of(GENERAL)),
            records_in_selected_char_sets=implicit(3, BOOLEAN),
        ),
    ),
    response=implicit(
        2,
        sequence(
            TargetResponse,
            selected_char_sets=explicit(1, choice(**_CHARSETS, none=wrapped(NoCharset, implicit(4, NULL)))),
            selected_language=implicit(2, GENERAL),
            records_in_selected_char_sets=implicit(3, BOOLEAN),
        ),
    ),
)
