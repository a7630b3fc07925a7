"""Structure and definitions: what is told of a record, the same one by one and many at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Format
from dms.rules import catalogue, check
from dms.rules.model import LEADER, Finding, Kind, Level, Profile
from dms.rules.structure import FEW
from protocols import detect, dialect, iso2709, reading
from protocols.marc import Record
from protocols.sealed import Sealed
from tests import builders, data, rule_cases

CONTENT = dict.fromkeys(rule_cases.content_ids(), Level.OFF)
ALL_ON = check.checker(Profile(levels=dict.fromkeys(catalogue.rules(), Level.NOTE)))
STRUCTURE = check.checker(Profile(levels=dict.fromkeys(catalogue.rules(), Level.NOTE) | CONTENT))
FORMATS = {"marc21": Format.MARC21, "cnmarc": Format.CNMARC}
LEADERS = {Format.MARC21: "00000nam a2200000 i 4500", Format.CNMARC: "00000nam0 2200000   450 "}
MOST = 200  # records of one file
CODED = "20040101d2004    em y0chiy0120    ea"
NEEDED = {
    Format.MARC21: (("001", "1"), ("008", "040101s2004    cc            000 0 chi d"), ("245", "10$aTitle")),
    Format.CNMARC: (
        ("001", "1"), ("100", f"  $a{CODED}"), ("101", "0 $achi"), ("200", "1 $aTitle"), ("801", " 0$aCN$bNLC"),
    ),
}  # fmt: skip


def a_record(fmt: Format, *fields: tuple[str, str], leader: str = "", without: str = "") -> Record:
    """A sound record and more fields; `$` opens a subfield."""
    all_ = [each for each in (*NEEDED[fmt], *fields) if each[0] != without]
    return Record(leader or LEADERS[fmt], tuple((tag, builders.field(text)) for tag, text in all_))


def told(record: Record, fmt: Format, kind: Kind | None = None) -> list[Finding]:
    """Findings of structure, which are the same both ways."""
    (many,) = STRUCTURE.check_many([(record, fmt, kind)])
    assert sorted(many) == sorted(STRUCTURE.check(record, fmt, kind))
    return many


@pytest.mark.parametrize("fmt", Format)
def test_a_sound_record_has_no_findings(fmt: Format) -> None:
    assert told(a_record(fmt), fmt) == []


M, C = Format.MARC21, Format.CNMARC


@pytest.mark.parametrize(
    ("fmt", "field", "expected"),
    [
        (M, ("24", "  $ax"), ("tag-invalid", "24", "", -1)),
        (M, ("247", "1 $ax"), ("indicator-undefined", "247", "ind2", -1)),
        (M, ("123", "  $ax"), ("field-undefined", "123", "", -1)),
        (M, ("245", "10$aAgain"), ("field-repeated", "245", "", -1)),
        (M, ("300", "  "), ("field-empty", "300", "", -1)),
        (M, ("300", "  $a$b"), ("field-empty", "300", "", -1)),
        (M, ("300", "  $a1 v.$b\u3000"), ("subfield-empty", "300", "b", -1)),
        (M, ("300", "1 v."), ("field-without-subfields", "300", "", -1)),
        (M, ("300", "$a1 v."), ("indicator-count", "300", "", -1)),
        (M, ("300", "1  $a1 v."), ("indicator-count", "300", "", -1)),
        (M, ("300", "  $a1 v.$é2"), ("subfield-undefined", "300", "é", -1)),
        (M, ("260", "  $aX$d2"), ("subfield-obsolete", "260", "d", -1)),
        (M, ("650", " 0$aX$aY"), ("subfield-repeated", "650", "a", -1)),
        (M, ("650", " 0$xY"), ("subfield-missing", "650", "a", -1)),
        (M, ("003", "  $aX"), ("control-with-subfields", "003", "", -1)),
        (M, ("007", "tz"), None),
        (M, ("007", "te"), ("code-undefined", "007", "", 1)),
        (M, ("007", "t"), ("fixed-length", "007", "", -1)),
        (M, ("007", "t "), ("code-blank", "007", "", 1)),
        (M, ("006", "a           000 0 "), None),
        (M, ("006", "a           005 0 "), ("code-undefined", "006", "", 14)),
        (M, ("005", "20040101120000.0"), None),
        (M, ("005", "2004-01-01120000"), ("code-undefined", "005", "", 0)),
        (M, ("949", "zz$Xour own"), None),
        (M, ("CAT", "  $Xour own"), None),
        (M, ("880", "12$6245-01$aX"), None),
        (M, ("880", "12$6245-01$aX$j2"), ("subfield-undefined", "880", "j", -1)),
        (M, ("880", "12$6245-01$aX$cY$cZ"), ("subfield-repeated", "880", "c", -1)),
        (M, ("880", "72$6245-01$aX"), ("indicator-undefined", "880", "ind1", -1)),
        (M, ("880", " 0$6650-01$xX"), ("subfield-missing", "880", "a", -1)),
        (M, ("880", "  $6999-01$jX"), None),
        (M, ("880", "77$aX$j2"), None),
        (C, ("606", "0 $aX$9pinyin$Apinyin"), None),
        (C, ("701", " 0$aX$4著$4编$AX"), None),
        (C, ("461", " 0$12001 $aX$v1$1210  $aY"), None),
        (C, ("461", " 0$tX$q1"), ("subfield-undefined", "461", "q", -1)),
        (C, ("105", "  $aa   z   000yy"), None),
        (C, ("105", "  $aa   z   900yy"), ("code-undefined", "105", "a", 8)),
        (C, ("105", "  $aa   z      yy"), ("code-blank", "105", "a", 8)),
        (C, ("105", "  $aa   z   000y"), ("fixed-length", "105", "a", -1)),
        (C, ("102", "  $axx"), ("code-undefined", "102", "a", 0)),
        (C, ("690", "  $aI2$v4"), None),
        (C, ("905", "  $aX$dI2"), None),
    ],
)  # fmt: skip
def test_what_is_told_of_a_field(
    fmt: Format, field: tuple[str, str], expected: tuple[str, str, str, int] | None
) -> None:
    found = told(a_record(fmt, field), fmt)
    assert [(each.rule, each.tag, each.code, each.at) for each in found] == ([expected] if expected else [])


@pytest.mark.parametrize(("fmt", "tag"), [(M, "008"), (M, "245"), (C, "100"), (C, "101"), (C, "200"), (C, "801")])
def test_a_mandatory_field_is_missed(fmt: Format, tag: str) -> None:
    found = told(a_record(fmt, without=tag), fmt)
    assert [(each.rule, each.tag) for each in found] == [("field-missing", tag)]


@pytest.mark.parametrize(
    ("fmt", "leader", "expected"),
    [
        (M, "00000nqm a2200000 i 4500", [("leader-code", 6)]),
        (M, "00000nam a2200000 i 45 0", [("leader-constant", 22)]),
        (M, "00000nam a3200000 i 4500", [("leader-constant", 10)]),
        (C, "00000nam9 2200000   450 ", [("leader-code", 8)]),
        (C, "00000nam0 2200000   4500", [("leader-constant", 23)]),
    ],
)
def test_what_is_told_of_a_leader(fmt: Format, leader: str, expected: list[tuple[str, int]]) -> None:
    found = told(a_record(fmt, leader=leader), fmt, Kind.BIBLIOGRAPHIC)
    assert [(each.rule, each.at) for each in found] == expected
    assert {each.tag for each in found} == {LEADER}


def test_008_is_looked_at_by_the_material_that_the_leader_tells() -> None:
    score = "040101s2004    cc sgz          n   chi d"
    music = Record("00000ncm a2200000 i 4500", (("001", "1"), ("008", score), ("245", "10\x1faTitle")))
    assert told(music, M) == []
    book = Record(LEADERS[M], music.fields)
    assert {each.rule for each in told(book, M)} >= {"code-undefined", "code-blank"}


def test_the_nth_field_of_a_tag_is_named() -> None:
    record = a_record(M, ("500", "  $aX"), ("300", "  $a1"), ("500", "  $aY"), ("500", "1 $aZ"))
    (found,) = told(record, M)
    assert (found.tag, found.nth, found.value, found.wanted) == ("500", 3, "1", "#")


def test_other_kinds_have_definitions_of_their_own() -> None:
    authority = Record(
        "00000nz  a2200000n  4500", (("008", "040101n| azannaab|          |a aaa      "), ("100", "1 \x1faX"))
    )
    assert told(authority, M) == []
    holdings = Record(
        "00000ny  a22000004i 4500", (("004", "1"), ("008", "0401010u    8   4001uueng0040101"), ("852", "  \x1faX"))
    )
    assert told(holdings, M) == []
    classes = Record("00000nw  a2200000n  4500", (("153", "  \x1faX"),))
    assert told(classes, M) == []


def test_a_rule_that_is_off_is_not_told() -> None:
    record = a_record(M, ("500", "1 $aX"), ("500", "  $a"))
    off = {"indicator-undefined": Level.OFF, "field-empty": Level.OFF}
    assert check.checker(Profile(levels=CONTENT | off)).check(record, M) == []
    told = [each.rule for each in check.checker(Profile(levels=CONTENT)).check(record, M)]
    assert told == ["indicator-undefined", "field-empty"]
    assert not {"indicator-undefined", "field-empty"} & {
        e.rule for e in check.checker(Profile(levels=off)).check(record, M)
    }
    assert {"indicator-undefined", "field-empty"} <= {each.rule for each in check.checker(Profile()).check(record, M)}


def test_content_is_looked_at_alike_one_by_one_and_many_at_once() -> None:
    records = [a_record(M, ("020", f"  $a978711104599{n % 10}"), ("500", "1 $aX")) for n in range(20)]
    both = check.checker(Profile())
    many = both.check_many([(record, M, None) for record in records])
    assert [sorted(each) for each in many] == [sorted(both.check(record, M)) for record in records]
    assert any(each.rule.startswith("isbn") for each in many[0] + many[1])


def test_more_outlines_than_are_remembered_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dms.rules.structure.MOST_OUTLINES", 3)
    fresh = check.Checker(frozenset(CONTENT))
    records = [(a_record(M, ("500", f"{n % 10} $a{n}")), M, None) for n in range(40)]
    once, again = fresh.check_many(records), fresh.check_many(records)
    assert once == again
    assert sum(map(len, once)) == 40


PIECES = st.sampled_from(["\x1f", "\x1fa", "\x1fb", "\x1f1", " ", "0", "x", "é", "\u3000", "中", "\x1e", "9", "\udc80"])
TAGS = st.sampled_from(
    ["001", "005", "008", "100", "101", "105", "200", "245", "300", "461", "606", "9", "ZZZ", "２３４"]
)
FIELDS = st.lists(st.tuples(TAGS, st.lists(PIECES, max_size=12).map("".join)), max_size=6)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(FIELDS, st.sampled_from(list(Format))), min_size=1, max_size=4))
def test_rubbish_is_told_of_the_same_both_ways(made: list[tuple[list[tuple[str, str]], Format]]) -> None:
    subjects = [(Record(LEADERS[fmt], tuple(fields)), fmt, None) for fields, fmt in made]
    for (record, fmt, _), many in zip(subjects, STRUCTURE.check_many(subjects), strict=True):
        assert sorted(many) == sorted(STRUCTURE.check(record, fmt))


ODD = st.sampled_from([
    " ", "  ", "\x1f", "\x1fa", "\x1fw", "\x1f ", "\x1f中", "\u3000", "\xa0", "&amp;", "&#233;", "& ", "\x07", "\x7f",
    "\xad", "\u0301", "\u20d0", "e\u0301", "\u200b", "\u2028", "\u2060", "\ufeff", "\ufffd", "\ue000", "\U000f0001",
    "\U00020000", "\x98", "\x9c", "\x88a\x89", "Ã©", "ä¸\xad", "ÖÐ¹úÊé", "锟斤拷", "Å", "Ａ１", "中文", "\ud800",
    "\x1f6880-01", "\x1f6245-01/$1", "a", "1",
])  # fmt: skip
CONTENT_TAGS = st.sampled_from(
    ["001", "003", "010", "035", "100", "200", "245", "300", "500", "606", "880", "905", "ZZZ"]
)
ODD_FIELDS = st.lists(st.tuples(CONTENT_TAGS, st.lists(ODD, max_size=8).map("".join), st.booleans()), max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(ODD_FIELDS, st.sampled_from(list(Format))), min_size=FEW, max_size=FEW + 2))
def test_odd_content_is_found_in_many_records_as_in_one(made: list[tuple[list[tuple[str, str, bool]], Format]]) -> None:
    subjects = [
        (Record(LEADERS[fmt], tuple((tag, "1 " * sound + text) for tag, text, sound in fields)), fmt, None)
        for fields, fmt in made
    ]
    for (record, fmt, _), many in zip(subjects, ALL_ON.check_many(subjects), strict=True):
        assert sorted(many) == sorted(ALL_ON.check(record, fmt))


VALUES = {  # sound values of fields with fixed places, which are then spoilt
    Format.MARC21: {
        "005": "20040101120000.0", "006": "a|||||||||||||||||", "007": "cr |||",
        "008": dict(NEEDED[Format.MARC21])["008"],
        "041": "0 \x1faeng\x1fhchi", "043": "  \x1fae-uk-en", "880": "1 \x1f6245-01/$1\x1faTitle",
    },
    Format.CNMARC: {
        "005": "20040101120000.0", "100": f"  \x1fa{CODED}", "101": "0 \x1fachi", "102": "  \x1faCN\x1fb110000",
        "105": "  \x1faa   z   000yy", "106": "  \x1far", "110": "  \x1faaaz   0xx0",
    },
}  # fmt: skip
SPOILT = st.tuples(st.integers(0, 45), st.sampled_from(["", "0", "9", " ", "|", "x", "u", "é", "\x1fa", "１"]))
CODED_FIELDS = st.lists(st.tuples(st.integers(0, 6), st.lists(SPOILT, max_size=2)), max_size=5)


def _spoilt(text: str, faults: list[tuple[int, str]]) -> str:
    for at, piece in faults:
        text = text[:at] + piece + text[at + 1 :] if at < len(text) else text
    return text


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(list(Format)),
    st.lists(st.tuples(CODED_FIELDS, st.booleans(), SPOILT), min_size=FEW, max_size=3 * FEW),
)
def test_records_in_their_bytes_are_told_of_the_same_as_others(
    fmt: Format, made: list[tuple[list[tuple[int, list[tuple[int, str]]]], bool, tuple[int, str]]]
) -> None:
    records = []
    values = list(VALUES[fmt].items())
    for fields, in_bytes, (at, piece) in made:
        leader = _spoilt(LEADERS[fmt], [(5 + at % 4, piece)] if len(piece) == 1 and piece.isascii() else [])
        texts = tuple((values[n][0], _spoilt(values[n][1], faults)) for n, faults in fields)
        record = a_record(fmt, leader=leader)
        record = Record(record.leader, record.fields + texts)
        if in_bytes:
            (read,) = reading.read(iso2709.write(record), detect.ISO2709).reads
            assert isinstance(read.record, Sealed)
            record = read.record
        records.append(record)
    for again in range(2):  # of what was met before less is looked at
        for record, many in zip(records, ALL_ON.check_many([(each, fmt, None) for each in records]), strict=True):
            plain = Record(record.leader, record.fields)
            assert sorted(many) == sorted(ALL_ON.check(plain, fmt)), again


@pytest.mark.parametrize("folder", ["marc21-bib", "unimarc-cnmarc", "holdings", "authority", "marc-conformance"])
def test_real_records_are_told_of_the_same_both_ways(folder: str) -> None:
    count = 0
    for path in sorted(data.path(folder).rglob("*")):
        if path.is_file() and path.suffix in (".mrc", ".marc", ".iso", ".xml"):
            content = path.read_bytes()
            try:
                carrier = detect.carrier_of(content)
            except detect.UnknownCarrier:
                continue
            records = [each.record for each in reading.read(content, carrier).reads[:MOST]]
            subjects = [(record, FORMATS[dialect.family(record)], None) for record in records]
            for (record, fmt, _), many in zip(subjects, ALL_ON.check_many(subjects), strict=True):
                count += 1
                assert sorted(many) == sorted(ALL_ON.check(record, fmt))
    assert count
