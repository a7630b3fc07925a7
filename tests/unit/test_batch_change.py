"""Operations of a batch change as written, what they do, and patterns that can't run away."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.model import Format
from dms import batch_change, batch_edits, batch_pattern
from dms.batch_change import BadChange
from dms.batch_edits import Standing
from dms.batch_pattern import BadPattern, TooLong
from protocols.marc import Record
from tests import builders

RECORD = Record(
    "00000nam0 2200000   450 ",
    (
        ("001", "1"),
        ("200", "1 \x1fa园冶\x1ff计成"),
        ("606", "0 \x1fa图书馆学"),
        ("606", "0 \x1fa图书馆学\x1fx历史"),
        ("690", "  \x1faG25"),
    ),
)
CASES = {
    "606$a 图书馆学 -> 图书馆事业": [("606", "0 $a图书馆事业"), ("606", "0 $a图书馆事业$x历史")],
    "606$a 图书 -> x": None,
    r"606$a /(图)书/ -> \1": [("606", "0 $a图馆学"), ("606", "0 $a图馆学$x历史")],
    "606$a /.*/ ->": [("606", "0 $x历史")],
    "add 610 0#$a园林$a造园": [("610", "0 $a园林$a造园")],
    "add 690 ##$aG25": None,
    "delete 690": [],
    "delete 606$x": [("606", "0 $a图书馆学"), ("606", "0 $a图书馆学")],
    "delete 606$x 地理": None,
    "indicator 606 1 0 -> #": [("606", "  $a图书馆学"), ("606", "  $a图书馆学$x历史")],
    "indicator 606 1 1 -> #": None,
    "copy 200$f -> 701$a": [("701", "  $a计成")],
    "copy 200$f -> 200$g": [("200", "1 $a园冶$f计成$g计成")],
    "move 606$x -> 607$a": [("606", "0 $a图书馆学"), ("606", "0 $a图书馆学"), ("607", "  $a历史")],
    "move 606$x -> 606$y": [("606", "0 $a图书馆学"), ("606", "0 $a图书馆学$y历史")],
}


@pytest.mark.parametrize("line", CASES)
def test_every_operation_does_what_it_says(line: str) -> None:
    change = batch_change.read([line])
    assert batch_change.of_plain([{**each} for each in _plain(change)]) == change
    assert batch_change.read([batch_change.written(change[0])]) == change
    made = batch_change.apply(RECORD, Format.CNMARC, change, {})
    wanted = CASES[line]
    if wanted is None:
        assert made == batch_change.Changed()
        return
    after = batch_edits.make(RECORD, [Standing(1, made.edits, (0,) * len(made.edits))])
    touched = {edit.tag for edit in made.edits} | {tag for tag, _ in wanted}
    assert [(tag, text.replace("\x1f", "$")) for tag, text in after.record.fields if tag in touched] == wanted
    assert not after.dropped and len(after.receipts) == len(made.edits)
    assert all(batch_edits.is_made(after.record, edit) for edit in made.edits)
    assert batch_edits.make(after.record, [Standing(1, made.edits, (0,) * len(made.edits))]).record == after.record


def _plain(change: tuple[batch_change.Operation, ...]) -> list[dict[str, object]]:

    found: list[dict[str, object]] = json.loads(batch_change.pack(change))
    return found


def test_a_fix_is_an_operation_and_protected_fields_are_not_touched() -> None:
    record = builders.a_cnmarc(isbn="ISBN 978-7-5076-0001-8", f801=" 0\x1faCN\x1fbNLC")
    made = batch_change.apply(record, Format.CNMARC, batch_change.read(["fix isbn-label"]), {})
    assert [edit.tag for edit in made.edits] == ["010"]
    for tag in ("001", "801"):
        refused = batch_change.apply(record, Format.CNMARC, batch_change.read([f"delete {tag}"]), {"801": "its origin"})
        assert not refused.edits and refused.refused.startswith(f"field {tag} is protected: ")


@pytest.mark.parametrize(
    "line",
    ["", "606 x", "606$a old new", "add 606 text", "add 606 ##", "fix nothing", "fix title-missing", "add 001 5",
     "606$a /(/ -> x", r"606$a /a/ -> \1", "606$a /(a+)+/ -> x", "copy 200 -> 300"],
)  # fmt: skip
def test_what_can_not_be_read_is_said_at_once(line: str) -> None:
    with pytest.raises(Exception) as caught:
        batch_change.read([line])
    assert getattr(caught.value, "exit_code", 0) == 2, caught.value


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a*)*", r"(a)\1", "(?=a)", "(?P<x>a)", "(ab){2,}", ""])
def test_patterns_that_might_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        batch_pattern.compiled(pattern)


@pytest.mark.parametrize(
    "pattern", ["a*a*b", "a*a*a*a*b", "a?" * 20 + "a" * 20 + "b", "(a|a)(a|a)(a|a)(a|a)c", "[^b]+b"]
)
def test_no_text_takes_long(pattern: str) -> None:
    one = batch_pattern.compiled(pattern)
    for length in (20, 100, 400, 4000, 50_000):
        began = time.process_time()
        try:
            one.finds("a" * length)
        except TooLong:
            pass
        assert time.process_time() - began < 5


@given(
    st.lists(st.tuples(st.sampled_from(["200", "606", "690"]), st.sampled_from(["0 \x1faA", "0 \x1faB", "  \x1fxC"]))),
    st.lists(st.tuples(st.sampled_from(["200", "606", "690"]), st.sampled_from(["0 \x1faA", "0 \x1faB", "  \x1fxC"]))),
)
def test_edits_make_one_record_of_the_other(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    one, other = Record("l", tuple(sorted(set(old)))), Record("l", tuple(sorted(set(new))))
    edits = batch_edits.between(one, other)
    made = batch_edits.make(one, [Standing(1, edits, (0,) * len(edits))])
    assert sorted(made.record.fields) == sorted(other.fields) and not made.dropped


def test_edits_that_expected_something_else_are_dropped_one_by_one() -> None:
    made = batch_change.apply(RECORD, Format.CNMARC, batch_change.read(["606$a 图书馆学 -> x", "delete 690"]), {})
    sent = Record(RECORD.leader, (*RECORD.fields[:2], ("606", "0 \x1fa别的"), *RECORD.fields[3:]))
    after = batch_edits.make(sent, [Standing(7, made.edits, (0,) * len(made.edits))])
    assert after.dropped == ((7, 0),)
    assert after.record.all("606", "690") == ["0 \x1fa别的", "0 \x1fax\x1fx历史"]
    assert {one.rule for one in after.receipts} == {"batch-7"}


def test_bad_changes_have_bounds() -> None:
    with pytest.raises(BadChange, match="1 to"):
        batch_change.read(["delete 690"] * 101)
