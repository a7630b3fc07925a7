"""Copies and statements of holdings read out of records, by habit and by a source's own mapping."""

from __future__ import annotations

import pytest

from catalog.model import Format
from dms import holdings, shapes
from protocols import marc
from protocols.marc import Record

CNMARC, MARC21 = Format.CNMARC, Format.MARC21


def a_record(*fields: str) -> Record:
    """Fields written `TAG 10$aText`, `_` for a blank indicator."""
    pairs = ((f[:3], f[4:6].replace("_", " ") + f[6:].replace("$", marc.DELIMITER)) for f in fields)
    return Record("00000nam a2200000   4500", tuple(pairs))


def found(fmt: Format, *fields: str, **mapping: object) -> list[tuple[str, str, str, str, str]]:
    """(call number, item, location, status, note) of each holding; all belong to the loading library."""
    rows = holdings.holdings(a_record(*fields), mapping, "CN-A", fmt)
    assert {row.library for row in rows} <= {"CN-A"}
    return [(row.call_number, row.item, row.location, row.status, row.note) for row in rows]


# ---- CNMARC ----------------------------------------------------------------------------------------------------------


def test_905_with_several_items_is_several_copies() -> None:
    rows = found(CNMARC, "905 __$aBNU$b0012345$b0012346$cbk$dF124$e26")
    assert rows == [("F124/26", "0012345", "bk", "", ""), ("F124/26", "0012346", "bk", "", "")]


@pytest.mark.parametrize("code", ["f", "s"])
def test_a_whole_call_number_is_taken_if_it_is_one(code: str) -> None:
    assert found(CNMARC, f"905 __$aX$dF124$e26${code}F124/26:2")[0][0] == "F124/26:2"
    assert found(CNMARC, f"905 __$aX${code}F124/26")[0][0] == "F124/26"
    assert found(CNMARC, f"905 __$aX$dF124$e26${code}3")[0][0] == "F124/26"  # a count or volume, not a call number


def test_a_range_of_accession_numbers_stays_as_it_is_written() -> None:
    assert found(CNMARC, "905 __$b0012345-0012350$dF124$e26") == [("F124/26", "0012345-0012350", "", "", "")]


def test_copies_are_not_counted_twice_when_two_fields_tell_of_them() -> None:
    rows = found(CNMARC, "905 __$aBNU$dF124$e26$sF124/26", "906 __$a1$b1683011$dF124$e26", "906 __$b1683012$dF124$e26")
    assert rows == [("F124/26", "1683011", "", "", ""), ("F124/26", "1683012", "", "", "")]


def test_the_same_copy_named_twice_is_one() -> None:
    assert len(found(CNMARC, "905 __$b1$dF1$e2", "905 __$b1$dF1$e2")) == 1


def test_periodical_holdings_are_kept_as_text() -> None:
    row = ("P 8 5683", "", "Paris Magasins", "", "vol. 1 (1990) -....")
    assert found(CNMARC, "955 1_$bvol. 1 (1990) -....$cParis$dMagasins$eP 8 5683") == [row]


# ---- MARC 21 ---------------------------------------------------------------------------------------------------------


def test_852_gives_place_call_number_and_barcode() -> None:
    assert found(MARC21, "852 0_$bUP$cSTACKS$hQA76$i.S46 2005$p3900$zAsk$xNot for the public") == [
        ("QA76 .S46 2005", "3900", "UP STACKS", "", "Ask")
    ]


def test_textual_holdings_stand_with_the_852_that_they_are_linked_to() -> None:
    rows = found(
        MARC21, "852 0_$81$bA$hQA1", "852 0_$82$bB$hQA2", "866 41$82.1$av.1-5", "866 41$81.1$av.1-9", "866 41$80$aLoose"
    )
    assert rows == [("QA2", "", "B", "", "v.1-5"), ("QA1", "", "A", "", "v.1-9"), ("", "", "", "", "Loose")]


def test_textual_holdings_stand_with_the_only_852() -> None:
    assert found(MARC21, "852 0_$bA$hQA1", "866 _0$80$a1998-2004") == [("QA1", "", "A", "", "1998-2004")]


def test_koha_items_that_were_withdrawn_are_not_there() -> None:
    kept = "952 __$00$10$70$aMAIN$bMAIN$cGEN$oF1 .A$p111"
    rows = found(MARC21, kept, "952 __$01$bMAIN$oF1 .A$p112", "952 __$00$7not for loan$bMAIN$p113")
    assert rows == [("F1 .A", "111", "MAIN GEN", "", ""), ("", "113", "MAIN", "not for loan", "")]
    assert found(MARC21, "952 __$01$bMAIN$p112") == []


def test_symphony_and_innovative_rows_are_told_apart() -> None:
    symphony = "999 __$aPS3501 .D4$wLC$c1$i30007$lSTACKS$mMAIN"
    innovative = "999 91$ii1430977$ltrln$s-$b00036388532$q|aHC102|b.D8$v1993:A-F"
    assert found(MARC21, symphony) == [("PS3501 .D4", "30007", "MAIN STACKS", "", "")]
    assert found(MARC21, innovative) == [("HC102 .D8", "00036388532", "trln", "", "1993:A-F")]


def test_local_fields_that_are_no_holdings_are_not_read_as_such() -> None:
    workflow = ("952 __$aLibrary has 2 copies.", "955 __$bwr07 2013-09-24$cto MBRS", "949 __$aNote", "999 __$aZ$b1")
    assert found(MARC21, *workflow) == [("", "", "", "", "")]


# ---- library, mapping ------------------------------------------------------------------------------------------------


def test_a_record_without_holdings_is_held_by_its_library_unless_the_mapping_says_no() -> None:
    assert found(CNMARC, "200 1_$aBook") == [("", "", "", "", "")]
    assert found(CNMARC, "200 1_$aBook", implicit=False) == []


def test_a_known_code_names_another_library_and_an_unknown_one_the_loading() -> None:
    record = a_record("905 __$aBNU$b1$dF1$e2", "905 __$aXYZ$b2$dF1$e2")
    rows = holdings.holdings(record, {"libraries": {"BNU": "CN-BNU"}}, "CN-A", CNMARC)
    assert [(row.library, row.item) for row in rows] == [("CN-BNU", "1"), ("CN-A", "2")]


def test_a_sources_mapping_replaces_the_habits() -> None:
    entry = {"tag": "971", "item": ["x"], "call_number": ["kl"], "separator": "-", "location": "q", "skip": ["z=gone"]}
    rows = found(MARC21, "971 __$kA$lB$xI1$qHall", "971 __$xI2$zgone", "852 __$bMAIN", fields=[entry])
    assert rows == [("A-B", "I1", "Hall", "", "")]


@pytest.mark.parametrize(
    "fields", ["905", ["905"], [{"item": ["b"]}], [{"tag": "905", "itme": ["b"]}], [{"tag": "905", "item": 3}]]
)
def test_a_mapping_that_cannot_be_understood_is_refused(fields: object) -> None:
    with pytest.raises(holdings.BadMapping):
        holdings.holdings(a_record("905 __$b1"), {"fields": fields}, "CN-A", CNMARC)


@pytest.mark.parametrize("fmt", Format)
def test_the_built_in_habits_survive_being_written_into_a_mapping(fmt: Format) -> None:
    for known in holdings.builtin(fmt).values():
        for habit in known:
            assert holdings.habit(holdings.entry(habit)) == habit


# ---- shapes ----------------------------------------------------------------------------------------------------------


def a_sample(copies: int = 60) -> list[Record]:
    return [
        a_record(
            f"945 __$xB{1000000 + n}$k{'FGHT'[n % 4]}{100 + n}.{n % 7}$m{n % 90 + 1}$q{('Main hall', 'Annexe')[n % 2]}"
            f"$pCNY{n}.50$d2020{n % 12 + 1:02}15$ttext of a note that says something about copy {n}, at length"
        )
        for n in range(copies)
    ]


def test_subfields_are_guessed_by_their_values() -> None:
    found = shapes.shapes(a_sample())
    assert [(shape.tag, shape.codes, shape.fields, shape.records) for shape in found] == [("945", "dkmpqtx", 60, 60)]
    assert {guess.code: guess.role for guess in found[0].guesses} == {
        "d": "date",
        "k": "call_number",
        "m": "copy",
        "p": "price",
        "q": "location",
        "t": "note",
        "x": "item",
    }


def test_a_span_of_years_is_no_item_number() -> None:
    found = shapes.shapes([a_record(f"945 __$y{1950 + n}-{1952 + n}$i{310 + n}-{n:05}") for n in range(30)])
    roles = {guess.code: guess.role for guess in found[0].guesses}
    assert (roles["i"], roles["y"]) == ("item", "note")


def test_a_guessed_mapping_reads_the_sample() -> None:
    sample = a_sample()
    mapping = shapes.guess_mapping(shapes.shapes(sample), MARC21)
    row = holdings.holdings(sample[5], mapping, "CN-A", MARC21)[0]
    assert (row.item, row.call_number, row.location) == ("B1000005", "G105.5", "Annexe")


def test_a_known_habit_is_proposed_where_the_values_bear_it_out() -> None:
    sample = [a_record(f"905 __$aBNU$b{100000 + n}$dF{n}$e{n}") for n in range(20)]
    mapping = shapes.guess_mapping(shapes.shapes(sample), CNMARC)
    assert holdings.holdings(sample[3], mapping, "CN-A", CNMARC) == (
        holdings.Copy(library="CN-A", call_number="F3/3", item="100003"),
    )


def test_a_file_without_local_fields_has_no_mapping() -> None:
    assert shapes.guess_mapping(shapes.shapes([a_record("245 10$aTitle")]), MARC21) == {}
