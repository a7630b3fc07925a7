"""CQL and the neutral tree: what each way of writing means, which diagnostic each fault gets, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import query
from protocols.cql import contexts, diagnostics, writer
from protocols.cql.diagnostics import Diagnosed, Sru
from protocols.cql.parser import SortKey, parse, read
from protocols.query import And, Near, Node, Not, Or, SetOf, Term, Unanswerable


def title(text: str, **more: str) -> Term:
    return Term(index="title", text=text, **{"structure": "phrase", **more})  # type: ignore[arg-type]


HOME, FALL, ROME = title("家"), title("fall"), Term(text="rome")
BAJIN = Term(index="author", text="巴金", structure="phrase")
LCCN = Term(index="national", text="85-2", structure="phrase")
READ: list[tuple[str, Node]] = [
    ("rome", ROME),
    ('"rome"', ROME),
    ('"decline and fall"', Term(text="decline and fall")),
    ("红楼梦", Term(text="红楼梦")),
    ("title = 家", HOME),
    ("title=家", HOME),
    ("dc.title = 家", HOME),
    ("DC.Title = 家", HOME),
    ("bath.title = 家", HOME),
    ('title adj "a b"', title("a b")),
    ('title = "a b"', title("a b")),
    ('title all "a b"', title("a b", structure="all")),
    ('title cql.all "a b"', title("a b", structure="all")),
    ('title any "a b"', title("a b", structure="some")),
    ('title == "a b"', title("a b", structure="exact")),
    ('title exact "a b"', title("a b", structure="exact")),
    ("title scr 家", title("家", structure="all")),
    ("title =/string 家", title("家", structure="exact")),
    ("title =/cql.word/ignoreCase 家", title("家", structure="all")),
    ("dc.creator = 巴金", BAJIN),
    ("cql.serverChoice = rome", Term(text="rome", structure="phrase")),
    ("bath.isbn = 7020002202", Term(index="isbn", text="7020002202", structure="phrase")),
    ("rec.lastModificationDate > 2026-01-01", Term(index="changed", text="2026-01-01", relation=">")),
    ("dc.date >= 1990", Term(index="year", text="1990", relation=">=")),
    (
        'year within "1990 1999"',
        And(Term(index="year", text="1990", relation=">="), Term(index="year", text="1999", relation="<=")),
    ),
    (
        'year within/isoDate "1990 1999"',
        And(Term(index="year", text="1990", relation=">="), Term(index="year", text="1999", relation="<=")),
    ),
    ("year <> 1990", Term(index="year", text="1990", relation="<>")),
    ("cql.allRecords = 1", Term(index="everything", text="1")),
    ('cql.resultSetId = "a*b"', SetOf("a*b")),
    # Masks, anchors, escapes.
    ("title = comp*", title("comp", truncation="right")),
    ("title = *ter", title("ter", truncation="left")),
    ("title = *put*", title("put", truncation="both")),
    ('title = "old comp*"', title("old comp", truncation="right")),
    ('title all "old comp*"', title("old comp*", structure="all", truncation="masked")),
    ("title = wom?n", title("wom?n", truncation="masked")),
    ("title = wom?n*", title("wom?n*", truncation="masked")),
    (r"title = a\*b", title("a*b")),
    (r"title = a\*b*", title("a*b", truncation="right")),
    (r"title = a\*b?c", title(r"a\*b?c", truncation="masked")),
    (r'title = "say \"so\""', title('say "so"')),
    (r'title = "back\\slash"', title("back\\slash")),
    ("title = ^decline", title("decline", position="first")),
    ('title = "^decline of*"', title("decline of", position="first", truncation="right")),
    ("title = ^家^", title("家", completeness="whole")),
    (r"title = \^a\^", title("^a^")),
    ("title =/unmasked a*b?", title("a*b?")),
    ('"and"', Term(text="and")),
    ("title = and", title("and")),
    ("title any or and rome", And(title("or", structure="some"), ROME)),
    # Operators.
    ("rome and title = fall", And(ROME, FALL)),
    ("rome AND title = fall", And(ROME, FALL)),
    ("rome or title = fall not title = 家", Not(Or(ROME, FALL), HOME)),
    ("rome or (title = fall not title = 家)", Or(ROME, Not(FALL, HOME))),
    ("((rome))", ROME),
    ("(rome) and (title = fall)", And(ROME, FALL)),
    ("rome prox title = fall", Near(left=ROME, right=FALL)),
    ("rome prox/distance<=3/unit=word/ordered title = fall", Near(left=ROME, right=FALL, distance=3, ordered=True)),
    ("rome prox/distance<3 title = fall", Near(left=ROME, right=FALL, distance=2)),
    ("rome prox/distance=1/unordered title = fall", Near(left=ROME, right=FALL, distance=1)),
    ("rome prox/unit=element title = fall", Near(left=ROME, right=FALL, distance=0, unit="field")),
    ("cql.resultSetId = 1 and rome", And(SetOf("1"), ROME)),
    # Prefixes.
    ('> "info:srw/cql-context-set/1/dc-v1.1" creator = 巴金', BAJIN),
    ('> x = "info:srw/cql-context-set/1/dc-v1.1" x.creator = 巴金', BAJIN),
    ('> b = "http://zing.z3950.org/cql/bath/2.0/" (b.lccn = 85-2 or rome)', Or(LCCN, ROME)),
    ('> cql = "info:srw/cql-context-set/1/cql-v1.1" cql.allRecords = 1', Term(index="everything", text="1")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_a_query_is_read(text: str, expected: Node) -> None:
    assert read(text) == expected


DIAGNOSED: list[tuple[str, Sru, str, int]] = [
    ("", Sru.SYNTAX, "a term is missing", 0),
    ("   ", Sru.SYNTAX, "a term is missing", 0),
    ("and", Sru.SYNTAX, "and", 0),
    ("rome and", Sru.SYNTAX, "a term is missing", 8),
    ("rome and or fall", Sru.SYNTAX, "or", 9),
    ("title =", Sru.SYNTAX, "a term is missing", 7),
    ("rome fall", Sru.SYNTAX, "fall", 5),
    ("title foo bar", Sru.RELATION, "foo", 6),
    ("title encloses bar", Sru.RELATION, "encloses", 6),
    ("(rome", Sru.PARENTHESES, "a parenthesis is not closed", 5),
    ("rome)", Sru.PARENTHESES, "a parenthesis was not opened", 4),
    ("()", Sru.SYNTAX, ")", 1),
    ('title = "rome', Sru.QUOTES, '"rome', 8),
    ("colour = red", Sru.INDEX, "colour", 0),
    ("rome and dc.colour = red", Sru.INDEX, "dc.colour", 9),
    ("marc.245 = red", Sru.CONTEXT_SET, "marc", 0),
    ('> m = "info:other" m.x = red', Sru.CONTEXT_SET, "info:other", 19),
    ('> m = "a" > m = "b" m.x = red', Sru.PREFIX_TWICE, "m", 10),
    ("> = x", Sru.SYNTAX, "a context set is missing", 2),
    ("title =/stem 家", Sru.RELATION_MODIFIER, "stem", 8),
    ("rome and/rel.combine=sum fall", Sru.BOOLEAN_MODIFIER, "combine", 9),
    ("rome prox/foo fall", Sru.BOOLEAN_MODIFIER, "foo", 10),
    ("rome prox/unit=sentence fall", Sru.PROXIMITY_UNIT, "sentence", 10),
    ("rome prox/distance>3 fall", Sru.PROXIMITY_RELATION, ">3", 10),
    ("rome prox/distance=2 fall", Sru.PROXIMITY_RELATION, "=2", 10),
    ("rome prox/distance<=far fall", Sru.PROXIMITY_DISTANCE, "far", 10),
    ("rome prox/ordered/unordered fall", Sru.PROXIMITY_COMBINATION, "prox", 5),
    ('title = ""', Sru.EMPTY_TERM, "", 9),
    ("title = *", Sru.EMPTY_TERM, "*", 8),
    ('title = "^"', Sru.EMPTY_TERM, "^", 9),
    ("title = a^b", Sru.ANCHOR_PLACE, "a^b", 8),
    ("title = b^", Sru.ANCHOR_PLACE, "b^", 8),
    ('year within "1990"', Sru.TERM_FORMAT, "1990", 13),
    ("cql.resultSetId > 1", Sru.RELATION_OF_INDEX, ">", 16),
    ("rome sortBy title", Sru.FEATURE, "sortBy", 0),
    ("x" * 301, Sru.TERM_TOO_LONG, "300", 0),
    ("x " * 10_001, Sru.TOO_LONG, "20000", 0),
    ('year within/stem "1990 1999"', Sru.RELATION_MODIFIER, "stem", 12),
    ("cql.resultSetId =/stem a", Sru.RELATION_MODIFIER, "stem", 18),
    ("(" * 300 + "a" + ")" * 300, Sru.PARENTHESES, "more than 256 within each other", 256),
    (" or ".join("a" * 257), Sru.TOO_MANY_OPERATORS, "more than 256 terms", 0),
]


@pytest.mark.parametrize(("text", "number", "details", "place"), DIAGNOSED, ids=[text[:40] for text, *_ in DIAGNOSED])
def test_a_fault_is_a_diagnostic_with_its_place(text: str, number: Sru, details: str, place: int) -> None:
    with pytest.raises(Diagnosed) as told:
        read(text)
    assert (told.value.number, told.value.details, told.value.place) == (number, details, place)


def test_a_query_may_be_sorted() -> None:
    found = parse("rome sortBy dc.date/sort.descending title/ignoreCase")
    assert found.tree == ROME
    assert found.keys == (SortKey("year", descending=True), SortKey("title"))
    assert parse(writer.text(found.tree, found.keys)) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("rome sortBy", Sru.SYNTAX),
        ("rome sortBy colour", Sru.INDEX),
        ("rome sortBy title/respectCase", Sru.FEATURE),
        ("rome sortBy cql.resultSetId", Sru.SORT_PATH),
        ("rome sortBy title )", Sru.SYNTAX),
    ],
)
def test_an_order_that_is_unknown_is_a_diagnostic(text: str, number: Sru) -> None:
    with pytest.raises(Diagnosed) as told:
        parse(text)
    assert told.value.number == number


def test_many_terms_and_many_parentheses_are_read() -> None:
    assert len([*query.terms(read(" or ".join("a" * 256)))]) == 256
    assert read("(" * 255 + "rome" + ")" * 255) == ROME


def test_every_reason_has_its_number_and_every_number_its_text() -> None:
    assert set(diagnostics.DIAGNOSTICS) == set(query.Why.__args__)  # type: ignore[attr-defined]
    assert set(diagnostics.TEXTS) == set(Sru)
    told = diagnostics.diagnosed(Unanswerable("set", "old", "There is no result set."))
    assert (told.number, told.details) == (Sru.NO_SUCH_SET, "old")


def test_every_name_of_an_index_is_one_of_ours() -> None:
    for names in contexts.SETS.values():
        assert set(names.values()) <= set(query.INDEXES)
        assert all(name == name.lower() for name in names)
    assert set(contexts.SETS[contexts.OWN].values()) == set(query.INDEXES)


SIGNS = st.characters(categories=("Ll", "Lu", "Lo", "Nd")) | st.sampled_from('\\*?^"()=<>/. ')
TEXTS = st.text(SIGNS, min_size=1, max_size=9).map(str.strip).filter(bool)
MASKED = st.lists(
    st.sampled_from(["a", "家", "9", "*", "?", r"\*", r"\?", r"\\", "^", '"', "-"]), min_size=3, max_size=8
).map("".join)


def is_masked(text: str) -> bool:
    """Whether a text is read as one with masks, not as one of which an end is cut."""
    try:
        return read(f"title = {writer.text(title(text, truncation='masked')).partition(' = ')[2]}") == title(
            text, truncation="masked"
        )
    except Diagnosed:
        return False


INDEXES = st.sampled_from([index for index in query.INDEXES if index != "everything"])
RELATIONS = st.sampled_from(["=", "<", "<=", ">=", ">", "<>"])
STRUCTURES = st.sampled_from(["phrase", "all", "some", "exact"])
PLACES = st.sampled_from([("any", "part"), ("first", "part"), ("any", "whole")])
TERMS = st.one_of(
    st.builds(
        lambda index, text, relation, structure, cut, place: Term(
            index=index, text=text, relation=relation, structure=structure, position=place[0], completeness=place[1],
            truncation=cut if len(text.split()) == 1 or structure in ("phrase", "exact") else "none",
        ),
        INDEXES, TEXTS, RELATIONS, STRUCTURES, st.sampled_from(["none", "right", "left", "both"]), PLACES,
    ),
    st.builds(
        lambda index, text, structure: Term(index=index, text=text, structure=structure, truncation="masked"),
        INDEXES, MASKED.filter(is_masked), st.sampled_from(["phrase", "exact"]),
    ),
    st.just(Term(index="everything", text="1")),
    TEXTS.map(SetOf),
)  # fmt: skip
TREES: st.SearchStrategy[Node] = st.recursive(
    TERMS,
    lambda nodes: st.builds(And, nodes, nodes)
    | st.builds(Or, nodes, nodes)
    | st.builds(Not, nodes, nodes)
    | st.builds(
        Near, left=nodes, right=nodes, distance=st.integers(1, 99), ordered=st.booleans(),
        unit=st.sampled_from(["word", "field", "record"]),
    ),
    max_leaves=10,
)  # fmt: skip


@given(TREES)
def test_a_tree_that_is_written_is_read_again(tree: Node) -> None:
    assert read(writer.text(tree)) == tree


def test_cut_words_of_a_list_are_written_one_by_one() -> None:
    tree = title("old wom", structure="all", truncation="right")
    assert writer.text(tree) == 'title all "old* wom*"'
    assert read(writer.text(tree)) == title("old* wom*", structure="all", truncation="masked")


@given(st.text(st.sampled_from('ab "\\*?^()=<>/.andortbyS>title家\n'), max_size=40) | st.text(max_size=40))
def test_any_text_is_a_query_or_a_diagnostic(text: str) -> None:
    try:
        tree = parse(text).tree
    except Diagnosed as told:
        assert 0 <= told.place <= len(text)
        assert told.number in diagnostics.TEXTS
    else:
        assert query.beyond(tree) == ""
