"""The neutral query tree: what is in it is found, and one without end is told from one that may be taken."""

from __future__ import annotations

from protocols import query
from protocols.query import And, Near, Node, Not, Or, SetOf, Term


def chain(kind: type[And | Or], length: int) -> Node:
    """So many terms, one operator above another."""
    whole: Node = Term(text="0")
    for number in range(1, length):
        whole = kind(whole, Term(text=str(number)))
    return whole


def test_a_tree_is_walked_from_left_to_right() -> None:
    title, author, year = (
        Term(index="title", text="家"),
        Term(index="author", text="巴金"),
        Term(index="year", text="1933"),
    )
    whole = Not(And(title, Near(left=author, right=SetOf("1"), distance=2)), year)
    assert [*query.terms(whole)] == [title, author, year]
    assert [type(node) for node in query.walk(whole)] == [Not, And, Term, Near, Term, SetOf, Term]


def test_equal_trees_are_equal_and_may_be_keys() -> None:
    one, two = (And(Term(text="a"), Or(Term(text="b"), SetOf("x"))) for _ in range(2))
    assert one == two and hash(one) == hash(two)
    assert one != And(Term(text="a"), And(Term(text="b"), SetOf("x")))


def test_what_is_out_of_bounds_is_said() -> None:
    longest = chain(Or, query.MOST_TERMS)
    assert query.beyond(longest) == ""
    assert "terms" in query.beyond(Or(longest, SetOf("1")))
    assert query.beyond(Term(text="长" * query.LONGEST_TERM)) == ""
    assert "characters" in query.beyond(Term(text="长" * (query.LONGEST_TERM + 1)))
    long: Node = Term(text="长" * query.LONGEST_TERM)
    for _ in range(query.LONGEST // query.LONGEST_TERM):
        assert query.beyond(long) == ""
        long = And(long, Term(text="长" * query.LONGEST_TERM))
    assert "characters" in query.beyond(long)


def test_a_tree_of_any_depth_is_walked() -> None:
    deep = chain(And, 100_000)
    assert "terms" in query.beyond(deep)
    while isinstance(deep, And):  # taken apart from above: letting go of it at once would recurse
        deep = deep.left
