"""RPN and the neutral tree: every attribute that is known, a diagnostic with the value for every other, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import query
from protocols.query import And, Index, Near, Node, Not, Or, SetOf, Term, Unanswerable
from protocols.z3950 import attributes, oids, pqf, rpn
from protocols.z3950.apdu import query as apdu
from protocols.z3950.diagnostics import Bib1


def title(text: str, **more: str) -> Term:
    return Term(index="title", text=text, **more)  # type: ignore[arg-type]


READ: list[tuple[str, Node]] = [
    ("红楼梦", Term(text="红楼梦")),
    ("@attr 1=4 红楼梦", title("红楼梦")),
    ('@attr 1=4 "hong lou meng"', title("hong lou meng")),
    ("@attr 1=1003 @attr 2=3 @attr 3=3 @attr 4=1 @attr 5=100 @attr 6=1 曹",
     Term(index="author", text="曹", structure="phrase")),
    ("@attr 1=title 家", title("家")),
    ("@attr 1=4 @attr 3=1 家", title("家", position="first")),
    ("@attr 1=4 @attr 3=2 家", title("家", position="first")),
    ("@attr 1=4 @attr 4=6 家", title("家")),
    ("@attr 1=4 @attr 4=2 家", title("家")),
    ("@attr 1=4 @attr 4=105 家", title("家", structure="some")),
    ("@attr 1=4 @attr 4=108 家", title("家", structure="exact")),
    ("@attr 1=4 @attr 5=1 家", title("家", truncation="right")),
    ("@attr 1=4 @attr 5=2 家", title("家", truncation="left")),
    ("@attr 1=4 @attr 5=3 家", title("家", truncation="both")),
    ("@attr 1=4 @attr 5=101 comp#", title("comp*", truncation="masked")),
    ("@attr 1=4 @attr 5=101 co*p#", title("co\\*p*", truncation="masked")),
    ("@attr 1=4 @attr 5=104 wom#n?", title("wom?n*", truncation="masked")),
    ("@attr 1=4 @attr 5=102 wom.n.*", title("wom?n*", truncation="masked")),
    ("@attr 1=4 @attr 6=2 家", title("家", completeness="whole")),
    ("@attr 1=4 @attr 6=3 家", title("家", completeness="whole")),
    ("@attr 1=31 @attr 2=4 @attr 4=4 1990", Term(index="year", text="1990", relation=">=", structure="exact")),
    ("@attr 1=31 @term numeric 1990", Term(index="year", text="1990")),
    ("@attr 1=7 @term string 7020002202", Term(index="isbn", text="7020002202")),
    ("@attr 1=4 @attr 2=102 家", title("家")),
    ("@attr 1=4 @attr 2=103 x", Term(index="everything", text="x")),
    ("@and @attr 1=4 家 @attr 1=1 巴金", And(title("家"), Term(index="author", text="巴金"))),
    ("@or @not a b c", Or(Not(Term(text="a"), Term(text="b")), Term(text="c"))),
    ("@attr 1=4 @and a @attr 1=1003 b", And(title("a"), Term(index="author", text="b"))),
    ("@and @set 1 a", And(SetOf("1"), Term(text="a"))),
    ('@set "my set"', SetOf("my set")),
    ("@prox 0 2 1 2 k 2 a b", Near(left=Term(text="a"), right=Term(text="b"), distance=2, ordered=True)),
    ("@prox void 3 0 1 known 2 a b", Near(left=Term(text="a"), right=Term(text="b"), distance=2)),
    ("@prox 0 1 0 3 k 2 a b", Near(left=Term(text="a"), right=Term(text="b"), distance=1)),
    ("@prox 0 0 0 3 k 7 a b", Near(left=Term(text="a"), right=Term(text="b"), distance=0, unit="record")),
    ('"@and"', Term(text="@and")),
    ('"a \\"b\\" c"', Term(text='a "b" c')),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_a_query_is_read(text: str, expected: Node) -> None:
    assert pqf.read(text) == expected


@pytest.mark.parametrize("index", sorted(attributes.USES))
def test_every_use_attribute_names_its_index(index: query.Index) -> None:
    for use in attributes.USES[index]:
        assert pqf.read(f"@attr 1={use} x") == Term(index=index, text="x")


DIAGNOSED: list[tuple[str, Bib1, str]] = [
    ("@attr 1=9999 x", Bib1.USE_ATTRIBUTE, "9999"),
    ("@attr 1=1011 x", Bib1.USE_ATTRIBUTE, "1011"),
    ("@attr 1=colour x", Bib1.USE_ATTRIBUTE, "colour"),
    ("@attr 1=everything x", Bib1.USE_ATTRIBUTE, "everything"),
    ("@attr 7=1 x", Bib1.ATTRIBUTE_TYPE, "7"),
    ("@attr 0=1 x", Bib1.ATTRIBUTE_TYPE, "0"),
    ("@attr 2=100 x", Bib1.RELATION_ATTRIBUTE, "100"),
    ("@attr 2=101 x", Bib1.RELATION_ATTRIBUTE, "101"),
    ("@attr 3=4 x", Bib1.POSITION_ATTRIBUTE, "4"),
    ("@attr 4=104 x", Bib1.STRUCTURE_ATTRIBUTE, "104"),
    ("@attr 4=urx x", Bib1.STRUCTURE_ATTRIBUTE, "urx"),
    ("@attr 5=99 x", Bib1.TRUNCATION_ATTRIBUTE, "99"),
    ("@attr 5=102 [ab]", Bib1.TRUNCATION_ATTRIBUTE, "102"),
    ("@attr 5=103 a+", Bib1.TRUNCATION_ATTRIBUTE, "103"),
    ("@attr 5=104 ab?3", Bib1.TRUNCATION_ATTRIBUTE, "104"),
    ("@attr 6=4 x", Bib1.COMPLETENESS_ATTRIBUTE, "4"),
    ("@attr 1=4 @attr 4=4 1990", Bib1.ATTRIBUTE_COMBINATION, "1=4 4=4"),
    ("@attr 1=4 @attr 4=109 1990", Bib1.ATTRIBUTE_COMBINATION, "1=4 4=109"),
    ("@attr 1=4 @attr 1=5 x", Bib1.ATTRIBUTE_COMBINATION, "1=4 1=5"),
    ("@attr 1.2.840.10003.3.2 1=4 x", Bib1.ATTRIBUTE_SET, "1.2.840.10003.3.2"),
    ("@attrset 1.2.840.10003.3.5 @attr 1=4 x", Bib1.ATTRIBUTE_SET, "1.2.840.10003.3.5"),
    ("@attr 1=4 @term null x", Bib1.TERM_TYPE, "Null"),
    ("@prox 1 2 1 2 k 2 a b", Bib1.OPERATOR, "proximity with exclusion"),
    ("@prox 0 2 1 3 k 2 a b", Bib1.PROXIMITY_RELATION, "3"),
    ("@prox 0 2 1 5 k 2 a b", Bib1.PROXIMITY_RELATION, "5"),
    ("@prox 0 2 1 2 k 3 a b", Bib1.PROXIMITY_UNIT, "3"),
    ("@prox 0 2 1 2 p 2 a b", Bib1.PROXIMITY_UNIT, "2"),
    ("@prox 0 2 1 2 k 2 a @set 1", Bib1.PROXIMITY_OF_SETS, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number", "addinfo"), DIAGNOSED, ids=[text for text, _, _ in DIAGNOSED])
def test_what_is_not_supported_is_a_diagnostic_with_the_value(text: str, number: Bib1, addinfo: str) -> None:
    with pytest.raises(rpn.Diagnosed) as told:
        pqf.read(text)
    assert (told.value.number, told.value.addinfo) == (number, addinfo)


def test_several_values_of_an_attribute_and_sets_with_attributes_are_diagnostics() -> None:
    several = apdu.AttributeElement(attribute_type=1, attribute_value=apdu.ComplexAttribute(list=(4, 5)))
    operands: list[tuple[apdu.Rpn, Bib1]] = [
        (apdu.AttributesPlusTerm(attributes=(several,), term=b"x"), Bib1.COMPLEX_ATTRIBUTE),
        (apdu.ResultSetPlusAttributes(result_set="1", attributes=()), Bib1.RESULT_ATTR),
        (apdu.AttributesPlusTerm(attributes=(), term=(1, 2, 3)), Bib1.TERM_TYPE),
    ]
    for operand, number in operands:
        with pytest.raises(rpn.Diagnosed) as told:
            rpn.read(apdu.RpnQuery(attribute_set=oids.BIB_1, rpn=operand), bytes.decode)
        assert told.value.number == number


def test_terms_come_in_the_character_set_of_the_session() -> None:
    asked = pqf.parse("@attr 1=4 红楼梦", lambda text: text.encode("gb18030"))
    assert rpn.read(asked, lambda term: term.decode("gb18030")) == title("红楼梦")


def test_too_many_terms_are_a_diagnostic() -> None:
    text = "@or " * query.MOST_TERMS + "a " * (query.MOST_TERMS + 1)
    with pytest.raises(rpn.Diagnosed) as told:
        pqf.read(text)
    assert told.value.number == Bib1.TOO_MANY_TERMS


@pytest.mark.parametrize(
    "text",
    ["", "@and a", "@attr", "@attr x=1 y", "@set", "@prox 0 2", "@foo x", "a b", "@term odd x",
     "@attr 9.9 1=4 x", "@term numeric ten", "@or " * 400 + "a " * 401, "x" * 301, "x " * 20_000,
     "@prox 0 x 1 2 k 2 a b", "@prox 0 1 1 2 z 2 a b"],
)  # fmt: skip
def test_what_is_no_prefix_notation_is_refused(text: str) -> None:
    with pytest.raises(Unanswerable):
        pqf.read(text)


@pytest.mark.parametrize(
    ("why", "value", "number", "addinfo"),
    [
        ("relation", "<", Bib1.RELATION_ATTRIBUTE, "1"),
        ("relation", "<>", Bib1.RELATION_ATTRIBUTE, "6"),
        ("truncation", "left", Bib1.TRUNCATION_ATTRIBUTE, "2"),
        ("position", "first", Bib1.POSITION_ATTRIBUTE, "1"),
        ("completeness", "whole", Bib1.COMPLETENESS_ATTRIBUTE, "3"),
        ("unit", "field", Bib1.PROXIMITY_UNIT, "8"),
        ("index", "note", Bib1.USE_ATTRIBUTE, "63"),
        ("set", "old", Bib1.NO_SUCH_SET, "old"),
        ("empty", "《》", Bib1.MALFORMED_TERM, "《》"),
    ],
)
def test_what_the_catalogue_cannot_answer_gets_its_number(
    why: query.Why, value: str, number: Bib1, addinfo: str
) -> None:
    told = rpn.diagnosed(Unanswerable(why, value, "told"))
    assert (told.number, told.addinfo) == (number, addinfo)


def test_every_reason_has_its_number() -> None:
    assert set(rpn.DIAGNOSTICS) == set(query.Why.__args__)  # type: ignore[attr-defined]


WORDS = st.text(st.characters(categories=("Ll", "Lu", "Lo", "Nd")), min_size=1, max_size=6)
TERMS = st.builds(
    Term,
    index=st.sampled_from([index for index in query.INDEXES if index not in ("everything", "letter")]),
    text=st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
    relation=st.sampled_from(["=", "<", "<=", ">=", ">", "<>"]),
    structure=st.sampled_from(["phrase", "all", "some", "exact"]),
    truncation=st.sampled_from(["none", "right", "left", "both", "masked"]),
    position=st.sampled_from(["any", "first"]),
    completeness=st.sampled_from(["part", "whole"]),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    TERMS | WORDS.map(SetOf),
    lambda nodes: st.builds(And, nodes, nodes) | st.builds(Or, nodes, nodes) | st.builds(Not, nodes, nodes),
    max_leaves=8,
) | st.builds(
    Near, left=TERMS, right=TERMS, distance=st.integers(0, 9), ordered=st.booleans(),
    unit=st.sampled_from(["word", "field", "record"]),
)  # fmt: skip


@given(TREES)
def test_a_tree_that_is_written_is_read_again(tree: Node) -> None:
    asked = rpn.write(tree, str.encode)
    assert rpn.read(asked, bytes.decode) == tree
    assert pqf.parse(pqf.text(asked)) == asked


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (title("wom?n*", truncation="masked"), "@attr 1=4 @attr 4=2 @attr 5=104 wom#n?"),
        (title("a\\*b", truncation="masked"), "@attr 1=4 @attr 4=2 @attr 5=104 a*b"),
        (title("家"), "@attr 1=4 @attr 4=2 家"),
        (title("old wives", structure="phrase"), '@attr 1=4 @attr 4=1 "old wives"'),
        (Term(index="everything", text="1"), "@attr 1=1016 @attr 2=103 1"),
    ],
)
def test_a_term_is_written_as_other_servers_know_it(term: Term, expected: str) -> None:
    assert pqf.text(rpn.write(term, str.encode)) == expected


@pytest.mark.parametrize(
    ("uses", "index"),
    [((53, 16, 17, 18), "call"), ((20, 13, 14), "class"), ((12, 1032), "control"), ((7,), "isbn"), ((1007,), "number")],
)
def test_numbers_of_a_book_are_told_apart_by_their_use(uses: tuple[int, ...], index: Index) -> None:
    for use in uses:
        asked = rpn.read(pqf.parse(f"@attr 1={use} TP312/8"), bytes.decode)
        assert isinstance(asked, Term) and asked.index == index
    assert pqf.text(rpn.write(Term(index=index, text="TP312/8"), str.encode)).startswith(f"@attr 1={uses[0]} ")


def test_a_target_may_want_attributes_of_its_own() -> None:
    asked = And(Term(index="isbn", text="7020002202"), title("家", truncation="right"))
    assert pqf.text(rpn.write(asked, str.encode, {"isbn": ((1, 8), (4, 1), (3, 1))})) == (
        "@and @attr 1=8 @attr 3=1 @attr 4=1 7020002202 @attr 1=4 @attr 4=2 @attr 5=1 家"
    )


@pytest.mark.parametrize(
    "term", [Term(index="letter", text="I"), title("a#b*", truncation="masked"), title("a*3", truncation="masked")]
)
def test_what_has_no_attribute_is_not_sent(term: Term) -> None:
    with pytest.raises(Unanswerable):
        rpn.write(term, str.encode)
