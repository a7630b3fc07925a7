"""Every APDU and record form against the official ASN.1 text, in both directions."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.z3950.apdu import APDU
from protocols.z3950.negotiation import NEGOTIATION
from protocols.z3950.notation import Choice
from protocols.z3950.opac import OPAC_RECORD
from protocols.z3950.primitive import GENERAL, Type
from protocols.z3950.update import TASK_PACKAGE, UPDATE
from protocols.z3950.userinfo import DIAGNOSTIC_FORMAT
from tests.z3950 import oracle, values

APDUS = cast("Choice[Any]", APDU).alternatives
KINDS: dict[str, tuple[str, Type[Any]]] = {  # what is tried: the oracle's name of its type, and our table
    **{name: ("PDU", each) for name, each in APDUS.items()},
    "negotiation": ("CharSetandLanguageNegotiation", NEGOTIATION),
    "opac": ("OPACRecord", OPAC_RECORD),
    "sutrs": ("SutrsRecord", GENERAL),
    "diagnostics": ("DiagnosticFormat", DIAGNOSTIC_FORMAT),
    "update": ("Update", UPDATE),
    "package": ("TaskPackage", TASK_PACKAGE),
}


def agree(name: str, value: Any) -> None:
    """Ours mean the same to the oracle, the oracle's to us; and but for TRUE (01, where DER and others write FF) they
    are the same octets.
    """
    called, kind = KINDS[name]
    theirs = values.theirs(kind, value)
    if called == "PDU":
        theirs = name, theirs
    ours = kind.encode(value)
    written = bytes(oracle.specification().encode(called, theirs))
    assert oracle.specification().decode(called, ours) == theirs
    assert kind.decode(written) == value
    assert len(ours) == len(written)
    assert all(mine == his or (mine, his) == (1, 255) for mine, his in zip(ours, written, strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_every_element_and_alternative_is_as_the_standard_says(name: str) -> None:
    tried = values.every(KINDS[name][1])
    assert len(tried) > 1
    for value in tried:
        agree(name, value)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_is_as_the_standard_says(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KINDS)))
    agree(name, data.draw(values.any_of(KINDS[name][1])))


def test_the_oracle_knows_all_apdus_that_we_leave_out() -> None:
    known = {member.name for member in oracle.specification().types["PDU"].type.members}
    assert known - set(APDUS) == {"duplicateDetectionRequest", "duplicateDetectionResponse"}
