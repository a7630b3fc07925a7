"""Which character set texts are in: what a client proposes and a server answers at Init, and how texts of another
charset than UTF-8 are read and written.

In APDUs all texts are str that were decoded as UTF-8 with surrogate escapes, so the octets of any other charset come
through unchanged: `told` reads them in the charset that is in force, `spelt` makes texts whose octets are of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocols.z3950 import oids
from protocols.z3950.apdu.parts import External, OtherInfo, Single, single
from protocols.z3950.ber import Malformed
from protocols.z3950.negotiation import (
    NEGOTIATION,
    Charset,
    Iso10646,
    Negotiation,
    NoCharset,
    OriginProposal,
    TargetResponse,
    ViaOid,
)

FORMS = {2: "ucs-2", 4: "ucs-4", 5: "utf-16", 8: "utf-8"}  # the last arc of 1.0.10646.1.0: forms of ISO 10646
_ARCS = {name: arc for arc, name in FORMS.items()}
_CHARSET_ID = (*oids.Z3950, 15, 1000, 81, 1)  # a name as plain octets: how YAZ, and with it most clients, sends "gbk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What a client would like, each the most wanted first."""

    charsets: tuple[str, ...] = ()  # lower case: utf-8, gbk …; dotted identifiers of private sets
    languages: tuple[str, ...] = ()  # codes of ANSI/NISO Z39.53
    records: bool | None = None  # records too


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a server chose."""

    charset: str | None = None
    language: str | None = None
    records: bool | None = None


def propose(charsets: Sequence[str], languages: Sequence[str] = (), records: bool | None = None) -> OtherInfo:
    """An entry for otherInfo of an InitRequest."""
    return _entry(
        OriginProposal(
            proposed_char_sets=tuple(_charset(name) for name in charsets) or None,
            proposedlanguages=tuple(languages) or None,
            records_in_selected_char_sets=records,
        )
    )


def answer(charset: str | None, language: str | None = None, records: bool | None = None) -> OtherInfo:
    """An entry for otherInfo of an InitResponse; no charset: none was agreed on."""
    return _entry(
        TargetResponse(
            selected_char_sets=NoCharset() if charset is None else _charset(charset),
            selected_language=language,
            records_in_selected_char_sets=records,
        )
    )


def proposed(*places: External | Sequence[OtherInfo] | None) -> Proposed | None:
    """What a client proposes in otherInfo or userInformationField; None if nothing, or nothing that can be read."""
    found = _found(places)
    if not isinstance(found, OriginProposal):
        return None
    return Proposed(
        charsets=tuple(name for each in found.proposed_char_sets or () if (name := _name(each))),
        languages=found.proposedlanguages or (),
        records=found.records_in_selected_char_sets,
    )


def answered(*places: External | Sequence[OtherInfo] | None) -> Answered | None:
    """What a server answers; None if it doesn't negotiate."""
    found = _found(places)
    if not isinstance(found, TargetResponse):
        return None
    charset = found.selected_char_sets
    return Answered(
        charset=None if charset is None or isinstance(charset, NoCharset) else _name(charset),
        language=found.selected_language,
        records=found.records_in_selected_char_sets,
    )


def _entry(negotiation: Negotiation) -> OtherInfo:
    return OtherInfo(information=single(oids.CHARSETS_3, NEGOTIATION, negotiation))


def _found(places: Iterable[External | Sequence[OtherInfo] | None]) -> Negotiation | None:
    for place in places:
        for each in (place,) if isinstance(place, External) else [entry.information for entry in place or ()]:
            if isinstance(each, External) and each.direct_reference == oids.CHARSETS_3:
                try:
                    return NEGOTIATION.decode(each.encoding.octets) if isinstance(each.encoding, Single) else None
                except Malformed:
                    return None  # a wish that can't be read is none: the session goes on without
    return None


def _charset(name: str) -> Charset:
    arc = _ARCS.get(name.lower())
    if arc is not None:
        return Iso10646(encoding_level=(*oids.UTF_8[:-1], arc))
    return External(direct_reference=_CHARSET_ID, encoding=name.encode())


def _name(charset: Charset) -> str | None:
    if isinstance(charset, Iso10646):
        return FORMS.get(charset.encoding_level[-1])
    if isinstance(charset, External) and isinstance(charset.encoding, bytes):
        return charset.encoding.decode("ascii", "replace").lower()
    if isinstance(charset, ViaOid) and charset.identifiers:
        return oids.dotted(charset.identifiers[0])
    return None


def told(text: str, charset: str) -> str:
    """A text of an APDU read in the charset that is in force, a name that Python knows. UnicodeDecodeError if it
    isn't in that charset.
    """
    return octets(text).decode(charset)


def spelt(text: str, charset: str) -> str:
    """A text that an APDU will carry in a charset; what the charset lacks becomes a question mark."""
    return text.encode(charset, "replace").decode("utf-8", "surrogateescape")


def octets(text: str) -> bytes:
    """The octets of a text of an APDU as they came."""
    return text.encode("utf-8", "surrogateescape")
