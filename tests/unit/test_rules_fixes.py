"""Every fix of the catalogue: it removes its own finding, a second time it changes nothing, and it tells all it did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.model import Format
from dms.rules import catalogue, check, content, kinds, mend
from dms.rules.model import LEADER, Finding, Level, Profile
from protocols.marc import Record
from tests import rule_cases

ALL_ON = Profile(levels=dict.fromkeys(catalogue.rules(), Level.WARNING))


def found(record: Record, fmt: Format, rule: str) -> list[Finding]:
    kind = kinds.kind_of(record, fmt)
    return [each for each in check.checker(ALL_ON).check(record, fmt, kind) if each.rule == rule]


def fixed(record: Record, fmt: Format, rule: str) -> Record:
    """The record after a fix, which was held to all that a fix promises."""
    mended = mend.mend(record, fmt, [rule])
    again = mend.mend(mended.record, fmt, [rule])
    assert again.receipts == ()
    assert again.record == mended.record
    assert found(mended.record, fmt, rule) == []
    assert bool(mended.receipts) == (mended.record != record)
    told = {receipt.tag for receipt in mended.receipts}
    if LEADER not in told:
        assert mended.record.leader == record.leader
    assert untouched(record, told) == untouched(mended.record, told)
    return mended.record


def untouched(record: Record, told: set[str]) -> list[tuple[str, str]]:
    return [(tag, text) for tag, text in record.fields if tag not in told]


@pytest.mark.parametrize("rule", [id_ for id_, row in catalogue.rules().items() if row.fix])
def test_a_rule_that_says_it_can_be_mended_has_a_fix(rule: str) -> None:
    assert rule in mend.fixes()


@pytest.mark.parametrize("rule", sorted(mend.fixes()))
def test_a_fix_belongs_to_a_rule_that_says_so(rule: str) -> None:
    assert catalogue.rule(rule).fix


@pytest.mark.parametrize("case", rule_cases.CASES, ids=str)
def test_a_rule_finds_its_fault_and_its_fix_mends_it(case: rule_cases.Case) -> None:
    assert found(case.record(), case.format, case.rule), "the rule is silent"
    if case.mended is None:
        assert case.rule not in mend.fixes()
        return
    after = fixed(case.record(), case.format, case.rule)
    assert rule_cases.shown(after) == rule_cases.shown(rule_cases.record(case.mended, case.format, case.leader))


@pytest.mark.parametrize("case", rule_cases.SOUND, ids=str)
def test_a_rule_is_silent_about_what_is_right(case: rule_cases.Case) -> None:
    assert found(case.record(), case.format, case.rule) == []


def test_every_rule_of_content_has_a_case() -> None:
    tried = {case.rule for case in rule_cases.CASES}
    assert rule_cases.content_ids() - tried == set()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_fixes_keep_their_promises_on_spoiled_records(data: st.DataObject) -> None:
    """Each fix of content, and all together, on records of the cases with other signs strewn into their values."""
    case = data.draw(st.sampled_from(rule_cases.CASES))
    record = case.record()
    at = data.draw(st.integers(0, len(record.fields) - 1))
    tag, text = record.fields[at]
    place = data.draw(st.integers(min(2, len(text)), len(text)))
    spoil = data.draw(st.text(alphabet=" 　-().,:;/=xX19７１年[]&#;\u3000\xa0\t中北京ÄéA\u0301", max_size=6))
    spoiled = Record(
        record.leader, (*record.fields[:at], (tag, text[:place] + spoil + text[place:]), *record.fields[at + 1 :])
    )
    together = mend.mend(spoiled, case.format, content.fixes())
    assert mend.mend(together.record, case.format, content.fixes()).receipts == ()
    for rule in content.fixes():
        if case.format.name.lower() in catalogue.rule(rule).formats:
            fixed(spoiled, case.format, rule)
