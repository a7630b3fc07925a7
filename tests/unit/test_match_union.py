"""Clusters depend on features, scores and pins only, and never hold what a veto or a pin keeps apart."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from dms.match.features import Features
from dms.match.union import cluster


def book(title: str = "运筹学基础", **changes: object) -> Features:
    return Features(title=title, han=True, record_class="monograph", **changes)  # type: ignore[arg-type]


def test_edges_make_a_cluster() -> None:
    nodes = {1: book(pages=1), 2: book(pages=2), 3: book(pages=3)}
    assert cluster(nodes, [(1, 2, 700), (2, 3, 650)], [], []) == [[1, 2, 3]]


def test_a_chain_does_not_bring_two_volumes_together() -> None:
    nodes = {1: book(volume="1"), 2: book(), 3: book(volume="2")}
    assert cluster(nodes, [(1, 2, 700), (2, 3, 650)], [], []) == [[1, 2], [3]]


def test_the_stronger_edge_comes_first() -> None:
    nodes = {1: book(volume="1"), 2: book(), 3: book(volume="2")}
    assert cluster(nodes, [(1, 2, 650), (2, 3, 700)], [], []) == [[1], [2, 3]]


def test_editions_media_parts_and_classes_stay_apart() -> None:
    for one, other in (
        (book(edition=2), book(edition=3)),
        (book(media="electronic"), book(pages=9)),
        (book(parts=("上古史",)), book(parts=("近代史",))),
        (book(reproduction=("facsimile",)), book(pages=9)),
    ):
        assert cluster({1: one, 2: other, 3: book(pages=3)}, [(1, 2, 900)], [], []) == [[1], [2], [3]]


def test_a_must_pin_overrides_a_veto() -> None:
    nodes = {1: book(volume="1"), 2: book(volume="2")}
    assert cluster(nodes, [], [(1, 2)], []) == [[1, 2]]


def test_a_cannot_pin_overrides_an_edge_and_a_must_pin() -> None:
    nodes = {1: book(pages=1), 2: book(pages=2)}
    assert cluster(nodes, [(1, 2, 999)], [(1, 2)], [(2, 1)]) == [[1], [2]]


def test_a_cannot_pin_holds_across_other_records() -> None:
    nodes = {1: book(pages=1), 2: book(pages=2), 3: book(pages=3)}
    found = cluster(nodes, [(1, 2, 700), (2, 3, 690)], [], [(1, 3)])
    assert found == [[1, 2], [3]]


def test_a_record_that_would_fit_either_of_two_pinned_twins_joins_neither() -> None:
    nodes = {1: book(pages=1), 2: book(pages=1), 3: book(pages=3)}
    assert cluster(nodes, [(1, 3, 700), (2, 3, 700)], [], [(1, 2)]) == [[1], [2], [3]]


def test_a_copy_neither_parts_those_that_were_left_together_nor_stays_without_them() -> None:
    nodes = {n: book() for n in range(1, 5)}  # 3 was split from 1 and 2; 4 is an equal record that came later
    edges = [(a, b, 1000) for a, b in combinations(nodes, 2)]
    assert cluster(nodes, edges, [], [(1, 3), (2, 3)]) == [[1, 2, 4], [3]]


def test_a_copy_of_sides_of_one_size_stays_alone_and_parts_neither() -> None:
    nodes = {n: book() for n in range(1, 6)}
    edges = [(a, b, 1000) for a, b in combinations(nodes, 2)]
    cannot = [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert cluster(nodes, edges, [], cannot) == [[1, 2], [3, 4], [5]]


def test_an_edge_to_a_node_that_is_not_there_is_left_out() -> None:
    assert cluster({1: book()}, [(1, 2, 700)], [(1, 3)], [(1, 4)]) == [[1]]


volumes = st.sampled_from(["", "", "", "1", "2", "下"])


@st.composite
def graphs(
    draw: st.DrawFn,
) -> tuple[list[Features], list[tuple[int, int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
    size = draw(st.integers(2, 8))
    made = [
        book(volume=draw(volumes), edition=draw(st.sampled_from([0, 0, 2, 3])), pages=100 + draw(st.integers(0, 5)))
        for _ in range(size)
    ]
    pairs = list(combinations(range(size), 2))
    edges = [
        (a, b, draw(st.sampled_from([620, 700, 700, 900])))
        for a, b in draw(st.lists(st.sampled_from(pairs), unique=True))
    ]
    must = draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True))
    cannot = draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True))
    return made, edges, must, cannot


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_neither_node_numbers_nor_order_matter(
    graph: tuple[list[Features], list[tuple[int, int, int]], list[tuple[int, int]], list[tuple[int, int]]],
    chance: random.Random,
) -> None:
    made, edges, must, cannot = graph
    plain = cluster(dict(enumerate(made)), edges, must, cannot)
    numbers = chance.sample(range(1000), len(made))
    order = list(range(len(made)))
    chance.shuffle(order)

    def turned(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        found = [(numbers[b], numbers[a]) if chance.random() < 0.5 else (numbers[a], numbers[b]) for a, b in pairs]
        chance.shuffle(found)
        return found

    scored = [(numbers[a], numbers[b], score) for a, b, score in edges]
    chance.shuffle(scored)
    again = cluster({numbers[n]: made[n] for n in order}, scored, turned(must), turned(cannot))
    back = {number: n for n, number in enumerate(numbers)}
    assert sorted(sorted(back[number] for number in members) for members in again) == plain


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_cannot_pin_always_holds(
    graph: tuple[list[Features], list[tuple[int, int, int]], list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    made, edges, must, cannot = graph
    found = cluster(dict(enumerate(made)), edges, must, cannot)
    assert not [pair for pair in cannot for members in found if set(pair) <= set(members)]
    assert sorted(node for members in found for node in members) == list(range(len(made)))
