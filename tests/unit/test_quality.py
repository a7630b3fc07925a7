"""Profiles in layers, what is kept of a mended record, what counts at load, the report."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import original
from catalog.model import Carrier, Format
from catalog.original import Received
from dms import garbled, quality, quality_profile, quality_texts
from dms.pipeline import RuleCount
from dms.quality_profile import BadProfile, Told
from dms.rules import catalogue, content
from dms.rules.model import Finding, Level, Profile
from protocols import csv, marc
from protocols.marc import Record
from services.quality import report
from tests import builders


def test_an_id_beats_a_glob_a_longer_glob_a_shorter_and_a_later_layer_an_earlier() -> None:
    domain = Told(levels={"*": "off", "isbn-*": "warning", "isbn-label": "error"}, mends=("isbn-*",))
    library = Told(levels={"isbn-hyphens": "note"}, mends=("-isbn-price", "issn-hyphen"))
    found = quality_profile.resolve([domain, library])
    rules = catalogue.rules()
    assert found.level(rules["isbn-label"]) is Level.ERROR
    assert found.level(rules["isbn-wide"]) is Level.WARNING
    assert found.level(rules["isbn-hyphens"]) is Level.NOTE
    assert found.level(rules["issn-hyphen"]) is Level.OFF
    assert {"isbn-label", "issn-hyphen"} <= found.mends and "isbn-price" not in found.mends


def test_what_cannot_be_read_or_described_comes_back_under_every_profile() -> None:
    found = quality_profile.resolve([Told(levels={"*": "off"}, mends=())])
    for rule in quality_profile.FIXED:
        assert found.level(catalogue.rules()[rule]) is Level.ERROR
    with pytest.raises(BadProfile, match="fixed"):
        quality_profile.read('[levels]\nno-description = "off"\n')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[levels", "TOML"),
        ("[level]\n", "level"),
        ('[levels]\nisbn-check-digits = "error"\n', "isbn-check-digit"),
        ('[levels]\nisbn-check-digit = "fatal"\n', "no level"),
        ("[levels]\nisbn-check-digit = 3\n", "table"),
        ('[mends]\nrules = ["isbn-check-digit"]\n', "with a fix"),
        ('[mends]\nrules = "isbn-label"\n', "list"),
        ("why = 3\n", "text"),
        ("x" * (quality_profile.LARGEST + 1), "larger"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_what_is_right(text: str, why: str) -> None:
    with pytest.raises(BadProfile, match=why):
        quality_profile.read(text)


def test_a_profile_written_is_the_profile_read() -> None:
    levels, mends, why = {"isbn-*": "error", "*-form": "off"}, ("isbn-*", "-isbn-price"), 'says "so" \\ 试'
    told = quality_profile.read(quality_profile.written(levels, mends, why))
    assert (told.levels, told.mends, told.why) == (levels, mends, why)


def test_the_digest_of_a_profile_tells_apart_what_judges_otherwise() -> None:
    same = quality_profile.resolve([Told(levels={"isbn-label": "note"}, mends=())])
    other = quality_profile.resolve([Told(levels={"isbn-label": "error"}, mends=())])
    assert catalogue.rules()["isbn-label"].level is Level.NOTE
    assert quality_profile.digest(same) == quality_profile.digest(Profile()) == b""
    assert quality_profile.digest(other) not in (b"", quality_profile.digest(Profile(mends=frozenset({"isbn-label"}))))


@given(
    raw=st.binary(max_size=200),
    carrier=st.sampled_from([int(Carrier.ISO2709), int(Carrier.MARCXML), int(Carrier.MARCJSON)]),
    receipts=st.lists(
        st.tuples(
            st.text(max_size=9), st.text(max_size=3), st.integers(1, 9), st.text(max_size=9), st.text(max_size=9)
        ),
        max_size=3,
    ),
    title=st.text(st.characters(codec="utf-8", exclude_characters="\x1d\x1e\x1f"), max_size=30),
)
def test_kept_bytes_give_the_mended_record_and_what_was_received(
    raw: bytes, carrier: int, receipts: list[tuple[str, str, int, str, str]], title: str
) -> None:
    record = Record("00000nam a2200000   4500", (("001", "x"), ("245", marc.field("10", [("a", title)]))))
    came = Received(raw=raw, carrier=carrier, encoding="gb18030", receipts=tuple(receipts), asked=("isbn-label",))
    kept = original.mended(record, came)
    assert original.record(kept, Carrier.MARCJSON, "utf-8") == record
    assert original.received(kept, Carrier.MARCJSON, "utf-8") == came
    assert original.is_wrapped(kept)


def test_what_was_wrapped_twice_is_unwrapped_once() -> None:
    inner = original.mended(builders.a_bib(), Received(raw=b"a", carrier=1, encoding="utf-8"))
    came = Received(raw=inner, carrier=Carrier.MARCJSON, encoding="utf-8")
    assert original.received(original.mended(builders.a_bib(), came), Carrier.MARCJSON, "utf-8") == came


@given(st.text(st.characters(codec="utf-8", max_codepoint=0x3FF), max_size=12) | st.sampled_from(["锟斤拷", "\ufffd"]))
def test_whatever_has_marks_of_a_wrong_decoding_may_have_them(text: str) -> None:
    assert garbled.may_have_marks(text) or not garbled.MARKS.search(text)


@pytest.mark.parametrize("title", ["北京大学图书馆藏善本书目", "红楼梦", "史记", "数据库系统概论"])
def test_a_title_in_utf8_that_was_read_as_gbk_is_garbled(title: str) -> None:
    assert not garbled.is_garbled(title)
    for charset in ("gbk", "gb18030"):
        assert garbled.is_garbled(title.encode().decode(charset, "replace"))


def test_notes_about_content_are_told_when_asked_and_cost_no_score() -> None:
    record = builders.a_cnmarc(isbn="ISBN 978-7-5076-0001-8")
    inspector = quality.inspector(Profile())
    assert "isbn-label" not in {one.rule for one in inspector.judge(record, Format.CNMARC).findings}
    whole = inspector.whole(record, Format.CNMARC)
    assert "isbn-label" in {one.rule for one in whole.findings}
    assert whole.score == inspector.judge(record, Format.CNMARC).score
    strict = quality.inspector(Profile(levels={"isbn-label": Level.WARNING}))
    assert "isbn-label" in {one.rule for one in strict.judge(record, Format.CNMARC).findings}


def test_many_records_at_once_are_judged_as_each_by_itself() -> None:
    records = [builders.a_cnmarc(isbn="9787507600019"), builders.a_bib("marc21"), builders.a_cnmarc(f200=None)]
    formats = [Format.CNMARC, Format.MARC21, Format.CNMARC]
    inspector = quality.inspector(Profile())
    many = inspector.look((record, fmt, None) for record, fmt in zip(records, formats, strict=True))
    for record, fmt, found in zip(records, formats, many, strict=True):
        assert sorted(found) == sorted(inspector.judge(record, fmt).findings)


def test_what_reading_found_counts_and_may_send_back() -> None:
    inspector = quality.inspector(Profile(levels={"encoding-uncertain": Level.ERROR}))
    judged = inspector.judged([], (("encoding-uncertain", "no encoding fits well"), ("no-such-rule", "not a rule")))
    assert [one.rule for one in judged.errors] == ["encoding-uncertain"] and judged.score < 100


def test_a_sheet_counts_records_and_findings_and_keeps_few_examples() -> None:
    inspector, sheet = quality.inspector(Profile()), quality.Sheet()
    twice = inspector.judged([Finding("isbn-check-digit", "010"), Finding("isbn-check-digit", "010", 2)])
    for n in range(5):
        sheet.count(f"n{n}", twice, inspector)
    sheet.add(2, 150, 1, {"isbn-check-digit": RuleCount(2, 3, 2, 1, ["m1"]), "isbn-label": RuleCount(1, 1, 1)})
    row = sheet.rules["isbn-check-digit"]
    assert (row.findings, row.records, row.mended, row.examples) == (13, 7, 1, ["n0", "n1", "n2"])
    assert (sheet.judged, sheet.mended, sheet.score) == (7, 1, 5 * twice.score + 150)
    assert sheet.rules["isbn-label"].records == 1


@pytest.mark.parametrize(
    ("finding", "place"),
    [
        (Finding("x"), ""),
        (Finding("x", "LDR", at=6), "LDR/06"),
        (Finding("x", "010", 2, "a"), "010 #2 $a"),
        (Finding("x", "200", 1, "ind1"), "200 ind1"),
        (Finding("x", "100", 1, "a", 8), "100 $a/08"),
    ],
)
def test_a_finding_tells_its_place(finding: Finding, place: str) -> None:
    assert quality_texts.place(finding) == place


def test_a_reason_tells_a_few_errors_and_counts_the_rest() -> None:
    found = [Finding("isbn-check-digit", "010", n, "a", value=f"v{n}", wanted="8") for n in range(1, 6)]
    told = quality_texts.reason(found)
    assert told.startswith("010 $a: ") and told.endswith("and 2 more") and re.search("v3", told)


def month(source: str, number: int, judged: int, score: int, **more: Any) -> dict[str, Any]:
    told = {"returned": 0, "unreadable": 0, "mended": 0} | more
    return {"source": source, "library": "L", "month": date(2026, number, 1), "judged": judged, "score": score, **told}


def rule(number: int, name: str, level: int, records: int) -> dict[str, Any]:
    return {
        "source": "a", "library": "L", "month": date(2026, number, 1), "rule": name, "level": level,
        "findings": records, "records": records, "examples": [f"n{number}"],
    }  # fmt: skip


def test_the_report_has_the_newest_months_and_the_worst_rules_first() -> None:
    standing = [{"source": "a", "library": "L", "records": 9, "judged": 8, "score": 91.5, "poor": 1}]
    months = [month("a", n, 10, 900, returned=n) for n in (1, 2, 3)] + [month("b", 1, 0, 0, unreadable=4)]
    rules = [rule(1, "isbn-label", 1, 9), rule(2, "isbn-label", 1, 4), rule(3, "isbn-check-digit", 2, 1)]
    a, b = report.report(standing, months, rules, newest=2)
    assert [each.month.month for each in a.months] == [2, 3] and a.returned == 5
    assert [(each.rule, each.records, each.share) for each in a.rules] == [
        ("isbn-check-digit", 1, 0.05),
        ("isbn-label", 4, 0.2),
    ]
    assert (a.score, b.score, b.months[0].score, b.records) == (91.5, None, None, 0)
    lines = "".join(csv.lines(report.rows([a, b], "en"))).splitlines()
    assert lines[0] == ",".join(report.COLUMNS)
    assert lines[1] == "L,a,2026-02,10,90.0,2,0,0,,,,,"
    assert lines[2].startswith("L,a,2026-02,10,90.0,,,,isbn-label,note,") and lines[2].endswith(",4,4")
    plain = report.plain(a, "zh")
    assert plain["rules"][1]["months"] == {"2026-02": 4}


def test_every_rule_of_content_is_in_the_catalogue() -> None:
    assert {id_ for each in content.rules() for id_ in each.ids} <= set(catalogue.rules())
