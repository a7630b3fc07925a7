"""userInformation of form userInfo-1, with which a server that refuses a session says why (Z39.50 Maintenance Agency,
"Z39.50 Init Diagnostics"; ASN.1 modules UserInfoFormat-userInfo-1 and DiagnosticFormatDiag1).
"""

from __future__ import annotations

from msgspec import Struct

from protocols.z3950 import oids
from protocols.z3950.apdu.parts import (
    DEFAULT_DIAG,
    OTHER,
    DefaultDiagFormat,
    External,
    OtherInfo,
    Single,
    single,
)
from protocols.z3950.ber import Malformed
from protocols.z3950.notation import choice, explicit, implicit, sequence, sequence_of, wrapped
from protocols.z3950.primitive import ANY, GENERAL


class Explicit(Struct, frozen=True):
    """explicitDiagnostic: one that has a form of its own, as one whole element."""

    octets: bytes


class Diagnostic(Struct, frozen=True, kw_only=True):
    """An element of DiagnosticFormat."""

    diagnostic: DefaultDiagFormat | Explicit | None = None
    message: str | None = None


DIAGNOSTIC_FORMAT = sequence_of(
    sequence(
        Diagnostic,
        diagnostic=explicit(
            1,
            choice(defaultDiagRec=implicit(1, DEFAULT_DIAG), explicitDiagnostic=wrapped(Explicit, explicit(2, ANY))),
        ),
        message=implicit(2, GENERAL),
    )
)


def refusal(why: DefaultDiagFormat) -> External:
    """`user_information_field` of an InitResponse that says no."""
    told = OtherInfo(information=single(oids.DIAGNOSTICS_1, DIAGNOSTIC_FORMAT, (Diagnostic(diagnostic=why),)))
    return single(oids.USER_INFO, OTHER, (told,))


def refused(field: External | None) -> DefaultDiagFormat | None:
    """Why a server said no; None if it doesn't say, or not in a form that can be read."""
    if field is None or field.direct_reference != oids.USER_INFO or not isinstance(field.encoding, Single):
        return None
    try:
        for told in OTHER.decode(field.encoding.octets):
            each = told.information
            if (
                isinstance(each, External)
                and each.direct_reference == oids.DIAGNOSTICS_1
                and isinstance(each.encoding, Single)
            ):
                for found in DIAGNOSTIC_FORMAT.decode(each.encoding.octets):
                    if isinstance(found.diagnostic, DefaultDiagFormat):
                        return found.diagnostic
    except Malformed:
        return None  # the session is over either way
    return None
