"""Which new record is which old one: evidence in its order, nothing guessed; and moves that never take a taken id."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from dms import rekey
from dms.rekey import BARCODE, CONTENT, OLD_ID, TOLD, Known, Pairing


def a(local_id: str, **given: Any) -> Known:
    """A record; `items`, `calls` and `marks` may be lists."""
    sets: dict[str, Any] = {name: frozenset(given[name]) for name in ("items", "calls") if name in given}
    marks: dict[str, Any] = {"marks": tuple(given["marks"])} if "marks" in given else {}
    return Known(local_id=local_id, **{**given, **sets, **marks})


def by(found: Pairing) -> dict[str, tuple[str, str]]:
    return {one.old: (one.new, one.by) for one in found.pairs}


def test_the_old_id_goes_before_a_barcode_and_that_before_content() -> None:
    olds = [a("1", title=1), a("2", items=["B2"], content=b"x"), a("3", items=["B3"]), a("4", content=b"four")]
    news = [
        a("n1", title=1, marks=[("035$a(OLD)", "1")]),
        a("n2", marks=[("035$a(OLD)", "2")], content=b"x"),
        a("n3", items=["B3"], content=b"four"),
        a("n4", content=b"four"),
    ]
    assert by(rekey.pair(olds, news, {})) == {
        "1": ("n1", OLD_ID),
        "2": ("n2", OLD_ID),
        "3": ("n3", BARCODE),
        "4": ("n4", CONTENT),
    }


def test_what_a_person_says_goes_before_all() -> None:
    olds, news = [a("1", items=["B"]), a("2")], [a("n1", items=["B"]), a("n2")]
    assert by(rekey.pair(olds, news, {"1": "n2", "2": "n1"})) == {"1": ("n2", TOLD), "2": ("n1", TOLD)}


def test_numbers_that_meet_by_chance_pair_nothing() -> None:
    """New ids, and numbers in local fields, that are old ids of other books."""
    olds = [a(str(n), title=n, content=b"%d" % n) for n in range(1, 50)]
    news = [
        a(str(50 - n), title=n, content=b"%d" % n, marks=[("id", str(50 - n)), ("990$a", str(n % 7 + 1))])
        for n in range(1, 50)
    ]
    found = rekey.pair(olds, news, {})
    assert by(found) == {str(n): (str(50 - n), CONTENT) for n in range(1, 50)}
    assert not found.doubts
    assert not found.unpaired


def test_two_that_claim_one_old_record_are_told_and_not_chosen_between() -> None:
    olds = [a("1", title=5), a("2", title=6)]
    news = [a(f"n{n}", title=5, marks=[("935$a", "1")]) for n in (1, 2)] + [a("n3", title=6, marks=[("935$a", "2")])]
    found = rekey.pair(olds, news, {})
    assert by(found) == {"2": ("n3", OLD_ID)}
    assert [(doubt.old, doubt.rivals) for doubt in found.doubts] == [("1", ("n1", "n2"))]
    assert found.unpaired == ["1"]
    assert set(found.fresh) == {"n1", "n2"}


def test_further_evidence_tells_rivals_apart() -> None:
    olds = [a("1", title=5, items=["B"])]
    news = [a("n1", title=5, marks=[("935$a", "1")]), a("n2", title=5, items=["B"], marks=[("935$a", "1")])]
    assert by(rekey.pair(olds, news, {})) == {"1": ("n2", OLD_ID)}


def test_a_new_record_made_of_two_old_ones_is_one_and_takes_the_other_in() -> None:
    olds = [a("1", title=5), a("2", title=5, items=["B"])]
    news = [a("n", title=5, items=["B"], marks=[("935$a", "1"), ("935$a", "2")])]
    found = rekey.pair(olds, news, {})
    assert by(found) == {"2": ("n", OLD_ID)}
    assert [(one.old, one.new) for one in found.joined] == [("1", "n")]
    assert found.unpaired == []


def test_equal_records_are_told_apart_by_call_number_or_not_at_all() -> None:
    olds = [
        a("1", content=b"x", calls=["I1"]),
        a("2", content=b"x", calls=["I2"]),
        a("3", content=b"y"),
        a("4", content=b"y"),
    ]
    news = [
        a("n2", content=b"x", calls=["I2"]),
        a("n1", content=b"x", calls=["I1"]),
        a("n3", content=b"y"),
        a("n4", content=b"y"),
    ]
    found = rekey.pair(olds, news, {})
    assert by(found) == {"1": ("n1", CONTENT), "2": ("n2", CONTENT)}
    assert {doubt.old for doubt in found.doubts} == {"3", "4"}
    assert set(found.unpaired) == {"3", "4"}


def test_a_barcode_that_several_have_is_no_evidence() -> None:
    olds = [a("1", items=["0", "B1"]), a("2", items=["0"])]
    news = [a("n1", items=["0"]), a("n2", items=["0", "B1"])]
    found = rekey.pair(olds, news, {})
    assert by(found) == {"1": ("n2", BARCODE)}
    assert found.unpaired == ["2"]


def test_a_bibliographic_record_is_no_holdings_record() -> None:
    found = rekey.pair([a("h:1", kind=2, items=["B"])], [a("n", items=["B"])], {})
    assert not found.pairs


def test_the_field_is_known_when_it_is_said_and_evidence_may_be_limited() -> None:
    olds, news = [a("1", title=1, items=["B"])], [a("n", title=2, items=["C"], marks=[("907$a", "1")])]
    assert not rekey.pair(olds, news, {}).pairs
    assert by(rekey.pair(olds, news, {}, only="907a")) == {"1": ("n", OLD_ID)}
    assert not rekey.pair(olds, news, {}, only="907a", by=(BARCODE,)).pairs


@pytest.mark.parametrize("seed", range(40))
def test_pairing_does_not_depend_on_the_order_of_records(seed: int) -> None:
    made = random.Random(seed)
    olds = [a(f"{n}", title=n % 4, content=b"%d" % (n % 3), items=[f"B{n % 5}"], calls=[f"I{n % 2}"]) for n in range(8)]
    news = [
        a(f"n{n}", title=n % 4, content=b"%d" % (n % 3), items=[f"B{n}"], calls=[f"I{n % 2}"],
          marks=[("035$a", str(made.randrange(8)))])
        for n in range(8)
    ]  # fmt: skip
    first = rekey.pair(olds, news, {})
    made.shuffle(olds)
    made.shuffle(news)
    again = rekey.pair(olds, news, {})
    assert by(again) == by(first)
    assert set(again.unpaired) == set(first.unpaired)
    news_of = [one.new for one in first.pairs]
    assert len(news_of) == len(set(news_of))


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "renames",
    [
        {"1": "2", "2": "3", "3": "4"},
        {"1": "2", "2": "1"},
        {"1": "2", "2": "3", "3": "1", "4": "5", "6": "7", "7": "6"},
        {"a": "x"},
        {},
    ],
)
def test_every_step_finds_its_id_free(renames: dict[str, str], batch: int) -> None:
    names = sorted({*renames})
    standing = {name: name for name in names}
    steps = rekey.order(renames)
    for start in range(0, len(steps), batch):
        at_once = rekey.composed(steps[start : start + batch])
        assert not set(at_once.values()) & (standing.keys() - at_once.keys())
        standing = {at_once.get(name, name): was for name, was in standing.items()}
    assert {was: name for name, was in standing.items()} == {name: renames.get(name, name) for name in names}


def test_a_ring_of_any_length_moves_with_one_record_aside() -> None:
    for length in (2, 3, 50):
        names = [str(n) for n in range(length)]
        steps = rekey.order(dict(itertools.pairwise([*names, "0"])))
        assert len(steps) == length + 1
