"""Marks around words that are not sorted on stay in the record and are seen nowhere else; so do halves of ligatures."""

from __future__ import annotations

import pytest

from catalog.model import Format
from catalog.search import fold
from dms import describe, formats, garbled
from dms.match import features, keys
from protocols.marc import Record

MARKS = [("\x98", "\x9c"), ("\x88", "\x89")]  # as MARC 21 has them in Unicode, and as they stand in ISO 6630


def unimarc(title: str, name: str = "Goff") -> Record:
    fields = (
        ("001", "1"),
        ("100", "  \x1fa20200101d1982    em y0frey50      ba"),
        ("200", f"1 \x1fa{title}\x1ffVictor Hugo"),
        ("210", "  \x1faParis\x1fcSeuil\x1fd1982"),
        ("701", f" 1\x1fa{name}\x1fbJacques"),
    )
    return Record("00000nam  2200000   450 ", fields)


def marc21(title: str, name: str = "Goff") -> Record:
    fields = (
        ("001", "1"),
        ("008", "200315s2003    fr a          000 0 fre  "),
        ("100", f"1 \x1fa{name}, Jacques."),
        ("245", f"14\x1fa{title} /\x1fcVictor Hugo."),
    )
    return Record("00000nam a2200000 a 4500", fields)


@pytest.mark.parametrize(("begin", "end"), MARKS)
@pytest.mark.parametrize(("record", "fmt"), [(unimarc, Format.CNMARC), (marc21, Format.MARC21)])
def test_the_marks_are_in_no_title_and_no_key(record: object, fmt: Format, begin: str, end: str) -> None:
    assert callable(record)
    marked = record(f"{begin}Les {end}Misérables", f"{begin}Le {end}Goff")
    plain = record("Les Misérables", "Le Goff")
    assert describe.describe(marked, fmt).title == describe.describe(plain, fmt).title == "Les Misérables"
    ours, theirs = (features.features(formats.facts(each, fmt)) for each in (marked, plain))
    assert features.signature(features.pack(ours)) == features.signature(features.pack(theirs))
    assert keys.keys(ours) == keys.keys(theirs)
    assert begin in marked.first("200", "245") and end in marked.first("200", "245")


@pytest.mark.parametrize(("begin", "end"), [*MARKS, ("«", "»"), ("<<", ">>"), ("\u200b", "\u200c")])
def test_what_is_searched_and_compared_has_no_marks(begin: str, end: str) -> None:
    marked = f"{begin}Les {end}Misérables"
    assert fold.squeeze(marked) == "lesmiserables"
    assert fold.words(marked) == ["les", "miserables"]


@pytest.mark.parametrize("text", ["Istorii\ufe20a\ufe21", "Istorii\u0361a", "Istori\ufe22i\ufe23a", "Istori\u0360ia"])
def test_halves_and_wholes_of_ligatures_are_one(text: str) -> None:
    assert fold.squeeze(text) == "istoriia"


def test_a_title_with_these_marks_is_no_mojibake() -> None:
    assert not garbled.is_garbled("\x98Les \x9cMisérables") and not garbled.is_garbled("\x88Les \x89Misérables")
    assert garbled.is_garbled("Les Mis\x8erables") and garbled.is_garbled("MisÃ©rables")
