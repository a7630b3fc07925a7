"""What stands within APDUs: wishes for character sets, reasons of a refusal, record forms, diagnostics, updates."""

from __future__ import annotations

import pytest
from msgspec import structs

from protocols.z3950 import charsets, diagnostics, oids, opac, sutrs, update, userinfo
from protocols.z3950.apdu.parts import (
    DEFAULT_DIAG,
    OTHER,
    Arbitrary,
    DefaultDiagFormat,
    External,
    OtherInfo,
    Single,
    V2Addinfo,
    single,
)
from protocols.z3950.apdu.records import NAME_PLUS_RECORD, NamePlusRecord, written
from protocols.z3950.ber import Malformed
from protocols.z3950.charsets import Answered, Proposed
from protocols.z3950.diagnostics import TEXTS, Bib1, diagnostic
from protocols.z3950.negotiation import NEGOTIATION, AgreedUpon, OriginProposal, ViaOid
from protocols.z3950.primitive import GENERAL

BROKEN = External(direct_reference=oids.CHARSETS_3, encoding=Single(b"\xa1\x03\x02\x01"))


@pytest.mark.parametrize("charset", ["gb18030", "gbk", "utf-8", "utf-16", "hz"])
def test_texts_keep_their_octets_in_any_charset(charset: str) -> None:
    spelt = charsets.spelt("天工开物", charset)
    assert GENERAL.encode(spelt)[2:] == "天工开物".encode(charset)
    assert charsets.told(GENERAL.decode(GENERAL.encode(spelt)), charset) == "天工开物"


def test_what_a_charset_lacks_is_a_question_mark_and_what_is_in_another_is_an_error() -> None:
    assert charsets.told(charsets.spelt("café天", "latin-1"), "latin-1") == "café?"
    with pytest.raises(UnicodeDecodeError):
        charsets.told(charsets.spelt("天工", "gbk"), "utf-8")


def test_wishes_are_read_as_they_were_made() -> None:
    wish = charsets.propose(["GBK", "utf-8"], ["chi", "eng"], records=True)
    assert charsets.proposed((wish,)) == Proposed(charsets=("gbk", "utf-8"), languages=("chi", "eng"), records=True)
    assert charsets.proposed(None, wish.information if isinstance(wish.information, External) else None)
    assert charsets.answered((wish,)) is None


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "ucs-2", "gb18030", None])
def test_answers_are_read_as_they_were_given(charset: str | None) -> None:
    given = charsets.answer(charset, language="chi", records=False)
    assert charsets.answered((given,)) == Answered(charset=charset, language="chi", records=False)
    assert charsets.proposed((given,)) is None


def test_wishes_that_say_nothing_of_use_are_none() -> None:
    private = OriginProposal(proposed_char_sets=(AgreedUpon(), ViaOid(((1, 2, 3),))))
    told = OtherInfo(information=single(oids.CHARSETS_3, NEGOTIATION, private))
    assert charsets.proposed((told,)) == Proposed(charsets=("1.2.3",))
    assert charsets.proposed((OtherInfo(information="utf-8"), OtherInfo(information=BROKEN))) is None
    assert charsets.proposed() is None


@pytest.mark.parametrize("version", [2, 3])
def test_a_diagnostic_is_told_in_the_version_of_the_client(version: int) -> None:
    told = diagnostic(Bib1.USE_ATTRIBUTE, "9999", version)
    assert isinstance(told.addinfo, V2Addinfo) == (version == 2)
    assert DEFAULT_DIAG.decode(DEFAULT_DIAG.encode(told)) == told
    assert diagnostics.said(told) == "Unsupported Use attribute: 9999"


def test_every_number_that_has_a_name_has_a_text() -> None:
    assert set(Bib1) <= set(TEXTS)


def test_diagnostics_of_other_sets_are_named() -> None:
    other = DefaultDiagFormat(diagnostic_set_id=oids.DIAGNOSTICS_1, condition=3, addinfo="")
    assert diagnostics.said(other) == "diag-1 3"
    assert "1.2.3" in diagnostics.said(External(direct_reference=(1, 2, 3), encoding=b""))


def test_the_reason_of_a_refusal_is_found_again() -> None:
    why = diagnostic(Bib1.BAD_PASSWORD, "wang")
    assert userinfo.refused(userinfo.refusal(why)) == why


@pytest.mark.parametrize(
    "field",
    [
        None,
        BROKEN,
        External(direct_reference=oids.USER_INFO, encoding=b"no"),
        External(direct_reference=oids.USER_INFO, encoding=Single(b"\x05\x00")),
        single(oids.USER_INFO, OTHER, (OtherInfo(information="sorry"),)),
    ],
)
def test_a_refusal_without_a_reason_has_none(field: External | None) -> None:
    assert userinfo.refused(field) is None


def test_plain_texts_are_read_from_elements_and_from_octets() -> None:
    assert sutrs.read(sutrs.external("天工开物\n")) == "天工开物\n"
    assert sutrs.read(External(direct_reference=oids.SUTRS, encoding="天".encode())) == "天"


def test_a_record_with_holdings_is_one_external() -> None:
    record = opac.OpacRecord(
        bibliographic_record=External(direct_reference=oids.UNIMARC, encoding=b"00024"),
        holdings_data=(opac.HoldingsAndCircData(nuc_code="CN-TJU", local_location="二楼"),),
    )
    made = opac.external(record)
    assert made.direct_reference == oids.OPAC
    assert isinstance(made.encoding, Single)
    assert opac.OPAC_RECORD.decode(made.encoding.octets) == record


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_a_record_written_once_has_the_octets_that_it_has_in_an_answer(size: int) -> None:
    marc = (bytes(range(256)) * 257)[:size]
    for external in (External(direct_reference=oids.USMARC, encoding=marc), sutrs.external("题名" * size)):
        record = NamePlusRecord(name="MARC21", record=external)
        assert written(record).octets == NAME_PLUS_RECORD.encode(record)
        assert written(structs.replace(record, name=None)).octets != written(record).octets


def test_an_update_is_read_from_elements_and_from_octets() -> None:
    asked = update.UpdateRequest(
        to_keep=update.OriginPartToKeep(action=update.Action.RECORD_INSERT, database_name="Default"), not_to_keep=()
    )
    made = update.external(asked)
    assert update.read(made) == asked
    assert isinstance(made.encoding, Single)
    assert update.read(External(direct_reference=oids.UPDATE, encoding=made.encoding.octets)) == asked
    with pytest.raises(Malformed):
        update.read(External(direct_reference=oids.UPDATE, encoding=Arbitrary(b"\x00")))


def test_object_identifiers_have_names_and_numbers() -> None:
    assert oids.dotted(oids.UNIMARC) == "1.2.840.10003.5.1"
    assert oids.name(oids.UNIMARC) == "unimarc"
    assert oids.name((1, 2, 3)) == "1.2.3"
