"""Agreement of clusters with truth, on cases small enough to count by hand."""

from __future__ import annotations

import pytest

from bench import evaluate
from bench.evaluate import Agreement, Grouping


def agreement(truth: dict[str, str], found: dict[str, str]) -> Agreement:
    return evaluate.agreement(Grouping(truth.items()), Grouping(found.items()))


def test_perfect_agreement() -> None:
    truth = {"a": "1", "b": "1", "c": "2"}
    result = agreement(truth, {"a": "x", "b": "x", "c": "y"})
    assert (result.precision, result.recall, result.b3_precision, result.b3_recall) == (1, 1, 1, 1)
    assert (result.mixed, result.split, result.largest) == (0, 0, 2)


def test_one_wrong_record_in_a_cluster() -> None:
    truth = {"a": "1", "b": "1", "c": "2"}
    result = agreement(truth, {"a": "x", "b": "x", "c": "x"})
    assert result.precision == pytest.approx(1 / 3)
    assert result.recall == 1
    assert result.b3_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert result.b3_recall == 1
    assert (result.mixed, result.split, result.clusters, result.manifestations) == (1, 0, 1, 2)


def test_a_manifestation_in_two_clusters() -> None:
    truth = dict.fromkeys("abcd", "1")
    result = agreement(truth, {"a": "x", "b": "x", "c": "y", "d": "y"})
    assert result.precision == 1
    assert result.recall == pytest.approx(2 / 6)
    assert result.b3_recall == pytest.approx(0.5)
    assert (result.mixed, result.split) == (0, 1)


def test_only_records_that_both_know_count() -> None:
    result = agreement({"a": "1", "b": "1", "lost": "1"}, {"a": "x", "b": "x", "extra": "x"})
    assert (result.records, result.precision, result.recall, result.largest) == (2, 1, 1, 2)


def test_nothing_to_compare_is_no_fault() -> None:
    result = agreement({}, {})
    assert (result.records, result.precision, result.recall) == (0, 1, 1)


def test_disagreements_name_the_groups() -> None:
    truth, found = {"a": "1", "b": "2", "c": "2"}, {"a": "x", "b": "x", "c": "y"}
    mixed, split = evaluate.disagreements(Grouping(truth.items()), Grouping(found.items()))
    assert (mixed, split) == ({evaluate.key("x")}, {evaluate.key("2")})


def test_labelled_pairs() -> None:
    found = {"a": "x", "b": "x", "c": "y", "d": "x"}
    pairs = [("a", "b", True), ("a", "d", False), ("a", "c", True), ("b", "c", False), ("a", "gone", True)]
    result = evaluate.labelled(pairs, found)
    assert (result.right, result.wrong, result.missed, result.apart, result.unknown) == (1, 1, 1, 1, 1)
    assert result.precision == 0.5
    assert result.recall == 0.5
