"""Which searches are done at once, and for how long none is after one that was slow."""

from __future__ import annotations

from catalog.search import fielded, tree
from node.z3950.quick import PAUSE, QUICK, WATCHED, Quick
from protocols.query import Or, Term

PLAIN = fielded.compiled(Term(index="title", text="天工开物"))


def test_plain_words_and_few_of_them_are_done_at_once() -> None:
    quick = Quick()
    assert quick.may(PLAIN, 0.0)
    assert quick.may(fielded.compiled(Term(index="isbn", text="9787302000013")), 0.0)
    assert not quick.may(fielded.compiled(Term(index="title", text="miner", truncation="right")), 0.0)
    many = Term(index="author", text="天工")
    whole: Term | Or = many
    for _ in range(10):
        whole = Or(whole, many)
    assert not quick.may(fielded.compiled(whole), 0.0)
    assert not quick.may(tree.Query(wanted=(tree.Year(first=1, last=9999),), unwanted=(), whole="", piece=()), 0.0)


def test_slow_ones_take_a_hundredth_of_the_time_at_most() -> None:
    quick, now, held = Quick(), 0.0, 0.0
    while now < 1000.0:
        if quick.may(PLAIN, now):
            took = 0.5 if now > 500 else 0.02
            quick.took(took, took if quick.watches else None, now)
            held += took
        now += 0.1
    assert 8.0 < held < 11.5
    assert quick.may(PLAIN, now + PAUSE), "and it is tried again"


def test_quick_ones_change_nothing() -> None:
    quick = Quick()
    quick.took(QUICK, None, 1.0)
    assert quick.may(PLAIN, 1.0)
    assert not quick.watches


def test_a_busy_machine_is_no_slow_search() -> None:
    quick = Quick()
    quick.took(0.5, None, 1.0)
    assert quick.watches
    quick.took(0.5, QUICK, 1.0)
    assert quick.may(PLAIN, 1.0)
    for _ in range(WATCHED):
        assert quick.watches
        quick.took(QUICK, QUICK, 1.0)
    assert not quick.watches
