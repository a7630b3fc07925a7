"""Queries of other programs against a real index: what each finds, and what is refused rather than not found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import tantivy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog import packing
from catalog.model import Format
from catalog.search import fielded, tree
from catalog.search.asking import Asker
from catalog.search.port import MOST_SORTED, Key, Request
from catalog.search.sorting import count
from catalog.search.tantivy import TantivyReader, TantivyWriter, schema
from protocols import marc, query
from protocols.query import And, Near, Node, Not, Or, SetOf, Term, Unanswerable
from tests.search_cases import CAST, NAMES, NUMBERS, published

HONGLOU = {"honglou", "honglou_tw"}
HONGLOU_TITLES = HONGLOU | {"honglou_yanjiu", "honglou_kaozheng"}


def numbered(name: str) -> bytes:
    """A record of the cast that has numbers which no description has."""
    fields = {
        "honglou": (("001", "ocm00112233"), ("035", marc.field("  ", [("a", "(OCoLC)112233")]))),
        "gibbon": (("010", marc.field("  ", [("a", "   85000002 ")])), ("028", marc.field("02", [("a", "BWV-988")]))),
    }
    return packing.pack(marc.Record("00000nam a2200000 a 4500", fields[name])) if name in fields else b""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyReader]:
    home = tmp_path_factory.mktemp("index")
    with TantivyWriter(home) as writer:
        states = [
            replace(
                published(name), body=numbered(name), format=Format.MARC21, at=datetime(2026, 1 + n % 12, 2, tzinfo=UTC)
            )
            for n, name in enumerate(CAST)
        ]
        writer.apply(states[:30])
        writer.commit(7, 30)
        writer.apply(states[30:])
        writer.commit(7, len(states))
    yield TantivyReader(home)


def found(reader: TantivyReader, asked: Node, **more: object) -> list[str]:
    request = Request(compiled=fielded.compiled(asked), limit=100, **more)  # type: ignore[arg-type]
    return [NAMES[hit.cluster] for hit in reader.search(request).hits]


T = Term
CASES: list[tuple[Node, set[str]]] = [
    # Words, pieces and the folding of readers.
    (T(index="title", text="红楼梦"), HONGLOU_TITLES),
    (T(index="title", text="紅樓夢"), HONGLOU_TITLES),
    (T(index="title", text="红楼梦", structure="phrase"), HONGLOU_TITLES),
    (T(index="title", text="hongloumeng"), HONGLOU_TITLES),
    (T(index="author", text="曹雪芹"), HONGLOU),
    (T(index="any", text="曹雪芹 红楼梦"), HONGLOU | {"cao_biography"}),
    (T(index="any", text="roman empire", structure="phrase"), {"gibbon"}),
    (T(index="any", text="empire roman", structure="phrase"), set()),
    (T(index="any", text="empire roman", structure="all"), {"gibbon"}),
    (T(index="title", text="miserables roman", structure="some"), {"miserables", "gibbon"}),
    (T(index="publisher", text="人民文学出版社"), {"honglou", "luxun", "sanguo"}),
    (T(index="series", text="馬克思恩格斯文集"), {"zibenlun"}),
    (T(index="place", text="臺北"), {"honglou_tw"}),
    (T(index="note", text="鲁迅"), {"luxun_note"}),
    (T(index="note", text="红楼梦"), {"cao_biography"}),
    # No sign is a sign of the reader's language.
    (T(index="any", text="-红楼梦 胡适"), {"honglou_kaozheng"}),
    (T(index="any", text="title:家书"), set()),
    (T(index="title", text="(红楼梦)"), HONGLOU_TITLES),
    # The beginning of a field, and the whole of it.
    (T(index="title", text="红楼梦", position="first"), HONGLOU | {"honglou_yanjiu"}),
    (T(index="title", text="紅樓", position="first"), HONGLOU | {"honglou_yanjiu"}),
    (T(index="title", text="楼梦", position="first"), set()),
    (T(index="title", text="the history", position="first"), {"gibbon"}),
    (T(index="title", text="the hist", position="first"), set()),
    (T(index="title", text="the hist", position="first", truncation="right"), {"gibbon"}),
    (T(index="title", text="红楼梦", completeness="whole"), HONGLOU),
    (T(index="title", text="红楼梦", structure="exact"), HONGLOU),
    (T(index="title", text="红楼", completeness="whole"), set()),
    (T(index="title", text="红楼", completeness="whole", truncation="right"), HONGLOU | {"honglou_yanjiu"}),
    (T(index="author", text="hugo victor", completeness="whole"), {"miserables"}),
    (T(index="author", text="hugo", completeness="whole"), set()),
    (T(index="author", text="曹雪芹", completeness="whole"), HONGLOU),
    (T(index="subject", text="鲁迅", completeness="whole"), {"luxun_about"}),
    (T(index="any", text="鲁迅", completeness="whole"), {"luxun", "luxun_about"}),
    (T(index="any", text="iserables", completeness="whole", truncation="left"), {"miserables"}),
    # Words that are cut.
    (T(index="title", text="histor", truncation="right"), {"gibbon", "lishi_tw"}),
    (T(index="title", text="istory", truncation="left"), {"gibbon", "lishi_tw"}),
    (T(index="title", text="isto", truncation="both"), {"gibbon", "lishi_tw"}),
    (T(index="title", text="decl fal", truncation="right"), {"gibbon"}),
    (T(index="title", text="decl a", truncation="right"), set()),  # too short to be cut: a word
    (T(index="title", text="history of the decline and fall of the roman empi", truncation="right"), {"gibbon"}),
    (T(index="title", text="istory ecline all roman empire", truncation="left"), {"gibbon"}),  # the first ones are cut
    (T(index="title", text="decline and fa", truncation="right", structure="phrase"), {"gibbon"}),
    (T(index="title", text="fall and decl", truncation="right", structure="phrase"), set()),
    (T(index="title", text="楼梦", truncation="both"), HONGLOU_TITLES),
    (T(index="title", text="decl?ne", truncation="masked"), {"gibbon"}),
    (T(index="title", text="de*ine and f?ll", truncation="masked", structure="phrase"), {"gibbon"}),
    (T(index="title", text="红?梦", truncation="masked"), HONGLOU_TITLES),
    (T(index="title", text="红?梦研究", truncation="masked"), {"honglou_yanjiu"}),
    (T(index="title", text="红??研究", truncation="masked"), {"honglou_yanjiu"}),
    (T(index="title", text="红?研究", truncation="masked"), set()),
    (T(index="title", text="红*研究", truncation="masked", completeness="whole"), {"honglou_yanjiu"}),
    # Numbers and codes.
    (T(index="isbn", text="7-02-000220-2"), {"honglou"}),
    (T(index="isbn", text="7-02-000220-2 (精装) :"), {"honglou"}),
    (T(index="isbn", text="978-7-02-0002", truncation="right"), {"honglou"}),
    (T(index="isbn", text="9787020002207 0140437648", structure="some"), {"honglou", "gibbon"}),
    (T(index="number", text="0459-1909"), {"lishi"}),
    (T(index="isbn", text="mineral"), set()),
    (T(index="class", text="I242.4"), HONGLOU | {"sanguo"}),
    (T(index="class", text="I242/.4"), HONGLOU | {"sanguo"}),
    (T(index="class", text="I242"), set()),
    (T(index="class", text="I242", truncation="right"), HONGLOU | {"sanguo"}),
    (T(index="letter", text="v"), {"zhuolu"}),
    (T(index="language", text="kor"), {"korean"}),
    (T(index="language", text="ko"), {"korean"}),
    (T(index="kind", text="Sound"), {"yinyue"}),
    (T(index="control", text="ocm00112233"), {"honglou"}),
    (T(index="control", text="(OCoLC)112233"), {"honglou"}),
    (T(index="control", text="112233"), {"honglou"}),
    (T(index="control", text=f"CN-T.{NUMBERS['jia']}"), {"jia"}),
    (T(index="national", text="85-2"), {"gibbon"}),
    (T(index="national", text="85000002"), {"gibbon"}),
    (T(index="music", text="BWV 988"), {"gibbon"}),
    # Years.
    (T(index="year", text="1947"), {"qian"}),
    (T(index="year", text="1900", relation="<"), {"miserables", "gibbon", "lodz"}),
    (And(T(index="year", text="1947", relation=">="), T(index="year", text="1952", relation="<")), {"qian", "homme"}),
    (And(T(index="year", text="1947", relation=">"), T(index="year", text="1951", relation="<=")), {"homme"}),
    (T(index="year", text="177", truncation="right"), {"gibbon"}),
    (T(index="year", text="1921-1933"), {"nv", "jia"}),
    # Operators.
    (And(T(index="title", text="红楼梦"), T(index="author", text="俞平伯")), {"honglou_yanjiu"}),
    (Or(T(index="author", text="巴金"), T(index="author", text="郭沫若")), {"jia", "nv"}),
    (Not(T(index="title", text="红楼梦"), T(index="author", text="曹雪芹")), {"honglou_yanjiu", "honglou_kaozheng"}),
    (
        Not(Not(T(index="title", text="红楼梦"), T(index="author", text="曹雪芹")), T(index="author", text="胡适")),
        {"honglou_yanjiu"},
    ),
    (And(T(index="title", text="红楼梦"), T(index="author", text="曹雪芹", relation="<>")), HONGLOU_TITLES - HONGLOU),
    (And(T(index="everything", text="1"), T(index="title", text="家书")), {"zeng"}),
    # Nearness.
    (Near(left=T(index="title", text="roman"), right=T(index="title", text="empire")), {"gibbon"}),
    (Near(left=T(index="title", text="empire"), right=T(index="title", text="roman")), {"gibbon"}),
    (Near(left=T(index="title", text="empire"), right=T(index="title", text="roman"), ordered=True), set()),
    (Near(left=T(index="title", text="decline"), right=T(index="title", text="fall"), distance=1), set()),
    (Near(left=T(index="title", text="decline"), right=T(index="title", text="fall"), distance=2), {"gibbon"}),
    (Near(left=T(index="title", text="红楼"), right=T(index="title", text="研究"), distance=1), set()),
    (Near(left=T(index="title", text="红楼"), right=T(index="title", text="研究"), distance=2), {"honglou_yanjiu"}),
    (
        Near(left=T(index="title", text="家书"), right=T(index="author", text="曾"), distance=0, unit="record"),
        {"zeng"},
    ),
]


@pytest.mark.parametrize(("asked", "expected"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_query_finds_these_and_no_others(reader: TantivyReader, asked: Node, expected: set[str]) -> None:
    assert set(found(reader, asked)) == expected, asked


def test_the_days_of_changes_are_spans(reader: TantivyReader) -> None:
    whole = set(found(reader, T(index="changed", text="2026")))
    assert whole == set(CAST)
    march = set(found(reader, T(index="changed", text="2026-03")))
    assert march == {name for n, name in enumerate(CAST) if n % 12 == 2}
    assert set(found(reader, T(index="changed", text="2026-03-02"))) == march
    assert found(reader, T(index="changed", text="20260303")) == []
    assert set(found(reader, T(index="changed", text="2026-03-01", relation=">"))) == {
        name for n, name in enumerate(CAST) if n % 12 >= 2
    }
    assert set(found(reader, T(index="changed", text="2026-03", relation="<>"))) == whole - march


REFUSED: list[tuple[Node, query.Why, str]] = [
    (T(text=""), "empty", ""),
    (T(index="title", text="《》"), "empty", "《》"),
    (T(index="title", text="**", truncation="masked"), "empty", "**"),
    (T(index="isbn", text="--"), "empty", "--"),
    (T(index="title", text="家", relation="<"), "relation", "<"),
    (T(index="year", text="soon"), "term", "soon"),
    (T(index="year", text="47", truncation="left"), "truncation", "left"),
    (T(index="changed", text="yesterday"), "term", "yesterday"),
    (T(index="year", text="1", relation="<"), "term", "1"),
    (T(index="isbn", text="0002207", truncation="left"), "truncation", "left"),
    (T(index="isbn", text="97", truncation="right"), "short", "97"),
    (T(index="note", text="鲁迅", position="first"), "position", "first"),
    (T(index="note", text="鲁迅", completeness="whole"), "completeness", "whole"),
    (T(index="title", text="history", position="first", truncation="left"), "combination", "first"),
    (T(index="title", text="h", truncation="right"), "short", "h*"),
    (T(index="title", text="d*ine", truncation="masked"), "short", "d*ine"),
    (T(index="title", text="ry", truncation="left"), "short", "*ry"),
    (T(index="title", text="红*研究", truncation="masked"), "truncation", "红*研究"),
    (T(index="title", text="红楼?", truncation="masked"), "truncation", "红楼?"),
    (SetOf("1"), "set", "1"),
    (And(T(text="家"), SetOf("old")), "set", "old"),
    (Near(left=T(text="a"), right=T(text="b"), distance=0), "distance", "0"),
    (Near(left=T(text="a"), right=T(text="b"), distance=11), "distance", "11"),
    (Near(left=T(text="a"), right=T(text="b"), unit="field"), "unit", "field"),
    (Near(left=T(text="a"), right=SetOf("1")), "proximity", ""),
    (Near(left=T(index="title", text="a"), right=T(index="author", text="b")), "proximity", ""),
    (Near(left=T(text="a", truncation="right"), right=T(text="b")), "proximity", "any"),
    (Near(left=T(text="a"), right=T(text="!")), "empty", "!"),
]


@pytest.mark.parametrize(("asked", "why", "value"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_cannot_be_answered_is_said(asked: Node, why: query.Why, value: str) -> None:
    with pytest.raises(Unanswerable) as told:
        fielded.compiled(asked)
    assert (told.value.why, told.value.value) == (why, value)


def test_words_with_many_signs_left_open_are_refused_before_the_engine_is_asked(reader: TantivyReader) -> None:
    open_ = "ab" + "?" * fielded.MOST_OF_WORD
    assert found(reader, T(index="title", text=open_, truncation="masked")) == []
    for text in (open_ + "?", "a" + "b*" * 9, "x " + open_ + "*"):
        for position in ("any", "first"):
            with pytest.raises(Unanswerable, match="of a word may be left open") as told:
                fielded.compiled(T(index="title", text=text, truncation="masked", position=position))
            assert told.value.why == "masks"
    with pytest.raises(Unanswerable, match="signs may be left open"):
        fielded.compiled(T(index="title", text=" ".join([open_] * 4), truncation="masked"))


def test_a_pattern_that_is_too_much_for_the_engine_is_told(reader: TantivyReader) -> None:
    pattern = tree.Pattern(field="title", pattern="ab" + "?" * 200)
    asked = tree.Query(wanted=(pattern,), unwanted=(), whole="", piece=())
    with pytest.raises(Unanswerable) as told:
        reader.search(Request(compiled=asked))
    assert told.value.why == "masks"


def test_too_much_is_refused(reader: TantivyReader) -> None:
    cut: Node = T(index="title", text="ab", truncation="right")
    for _ in range(fielded.MOST_CUT):
        cut = Or(cut, T(index="title", text="ab", truncation="right"))
    with pytest.raises(Unanswerable, match="may be cut"):
        fielded.compiled(cut)
    left: Node = T(index="title", text="abc", truncation="left")
    for _ in range(fielded.MOST_LEFT):
        left = Or(left, T(index="title", text="abc", truncation="left"))
    with pytest.raises(Unanswerable, match="may be cut"):
        fielded.compiled(left)
    many = T(index="title", text="家", position="first")
    first: Node = many
    for _ in range(fielded.MOST_FIRST):
        first = Or(first, many)
    with pytest.raises(Unanswerable, match="begin a field"):
        fielded.compiled(first)
    near = Near(left=T(text="家"), right=T(text="书"), distance=fielded.FARTHEST)
    gaps: Node = near
    for _ in range(fielded.MOST_GAPS // (2 * fielded.FARTHEST)):
        fielded.compiled(gaps)
        gaps = Or(gaps, near)
    with pytest.raises(Unanswerable, match="far from each other"):
        fielded.compiled(gaps)
    deep: Node = T(text="家")
    for n in range(fielded.DEEPEST + 1):
        deep = (And if n % 2 else Or)(deep, T(text="家"))
    with pytest.raises(Unanswerable, match="operators"):
        fielded.compiled(deep)
    with pytest.raises(Unanswerable, match="terms"):
        fielded.compiled(Or(chained(query.MOST_TERMS), T(text="家")))
    assert found(reader, chained(query.MOST_TERMS)) == ["honglou"]


def chained(length: int) -> Node:
    """As many ISBNs, of which one is held."""
    whole: Node = T(index="isbn", text="9787020002207")
    for n in range(length - 1):
        whole = Or(whole, T(index="isbn", text=f"97871110{n:05}"))
    return whole


def test_a_result_set_stands_for_its_query(reader: TantivyReader) -> None:
    sets: dict[str, Node] = {"1": T(index="title", text="红楼梦")}
    asked = Not(SetOf("1"), T(index="author", text="曹雪芹"))
    request = Request(compiled=fielded.compiled(fielded.resolved(asked, sets.__getitem__)), limit=100)
    assert {NAMES[hit.cluster] for hit in reader.search(request).hits} == HONGLOU_TITLES - HONGLOU
    assert fielded.resolved(asked, sets.__getitem__) == Not(sets["1"], T(index="author", text="曹雪芹"))


def test_result_sets_that_double_each_other_end(reader: TantivyReader) -> None:
    sets: dict[str, Node] = {"0": T(text="家")}
    for n in range(200):
        sets[str(n + 1)] = fielded.resolved(Or(SetOf(str(n)), SetOf(str(n))), sets.__getitem__)
    with pytest.raises(Unanswerable, match="terms"):
        fielded.compiled(fielded.resolved(SetOf("200"), sets.__getitem__))


def test_a_symbol_is_known_in_small_letters_too(reader: TantivyReader) -> None:
    held = {name for name, number in NUMBERS.items() if number % 2 == 0}
    for text in ("CN-NLC", "cn-nlc", " CN-NLC "):
        assert set(found(reader, T(index="library", text=text))) == held


LEAVES = [asked for asked, _ in CASES if isinstance(asked, Term)]
EXPECTED = [expected for asked, expected in CASES if isinstance(asked, Term)]
TREES: st.SearchStrategy[Node] = st.recursive(
    st.sampled_from(LEAVES),
    lambda nodes: st.builds(And, nodes, nodes) | st.builds(Or, nodes, nodes) | st.builds(Not, nodes, nodes),
    max_leaves=7,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES)
def test_operators_do_to_results_what_they_do_to_sets(reader: TantivyReader, asked: Node) -> None:
    def meant(node: Node) -> set[str]:
        match node:
            case And():
                return meant(node.left) & meant(node.right)
            case Or():
                return meant(node.left) | meant(node.right)
            case Not():
                return meant(node.left) - meant(node.right)
        return dict(zip(map(repr, LEAVES), EXPECTED, strict=True))[repr(node)]

    try:
        assert set(found(reader, asked)) == meant(asked)
    except Unanswerable as told:
        assert told.why == "masks"


def test_scopes_and_filters_bind_compiled_queries_too(reader: TantivyReader) -> None:
    asked = Or(T(index="title", text="红楼梦"), T(index="everything", text="1"))
    names = set(found(reader, asked, libraries=frozenset({"CN-NLC"})))
    assert names == set(found(reader, T(index="everything", text="1"), libraries=frozenset({"CN-NLC"}))) != set(CAST)
    without = Not(T(index="everything", text="1"), T(index="title", text="红楼梦"))
    assert set(found(reader, without, libraries=frozenset({"CN-NLC"}))) == names - HONGLOU_TITLES
    assert reader.search(Request(compiled=fielded.compiled(asked), libraries=frozenset())).total == 0


def test_the_title_itself_comes_first(reader: TantivyReader) -> None:
    names = found(reader, T(index="title", text="红楼梦"))
    assert set(names[:2]) == HONGLOU and names[2] == "honglou_yanjiu"


def test_one_key_or_several_sort(reader: TantivyReader) -> None:
    everything = T(index="everything", text="1")
    for descending in (False, True):
        years = [CAST[name].year for name in found(reader, everything, keys=(Key("year", descending),))]
        assert years == sorted(years, reverse=descending)
    titles = found(reader, T(index="class", text="I246.5"), keys=(Key("title"),))
    assert [CAST[name].title for name in titles] == ["边城", "家", "圍城"]
    authors = found(reader, T(index="class", text="I246.5"), keys=(Key("author"),))
    assert [CAST[name].authors for name in authors] == [("巴金",), ("錢鍾書",), ("沈从文",)]
    several = found(reader, everything, keys=(Key("author"), Key("year", descending=True)))
    cao = [name for name in several if CAST[name].authors[:1] == ("曹雪芹",)]
    assert cao == ["honglou", "honglou_tw"]
    both = found(reader, everything, keys=(Key("year", descending=True), Key("title")))
    assert [CAST[name].year for name in both] == sorted((one.year for one in CAST.values()), reverse=True)
    same = [name for name in both if CAST[name].year == 1984]
    assert same == ["honglou_tw", "lv"]


def test_what_has_no_author_is_less_than_any(reader: TantivyReader) -> None:
    everything = T(index="everything", text="1")
    number = sum(not one.authors for one in CAST.values())
    for second in ((), (Key("year"),)):
        up = found(reader, everything, keys=(Key("author"), *second))
        assert not any(CAST[name].authors for name in up[:number]) and all(CAST[name].authors for name in up[number:])
        down = found(reader, everything, keys=(Key("author", descending=True), *second))
        assert not any(CAST[name].authors for name in down[-number:]), second


def test_pages_of_a_sorted_result_join_to_the_whole(reader: TantivyReader) -> None:
    keys = (Key("year"), Key("title"))
    compiled = fielded.compiled(T(index="everything", text="1"))
    whole = [hit.cluster for hit in reader.search(Request(compiled=compiled, keys=keys, limit=100)).hits]
    pages = [
        hit.cluster
        for offset in range(0, len(CAST), 7)
        for hit in reader.search(Request(compiled=compiled, keys=keys, offset=offset, limit=7)).hits
    ]
    assert pages == whole and len(CAST) < MOST_SORTED


VALUES = st.text(alphabet="abz*é史红\U0001f4d6: .?+(", min_size=1, max_size=9)


@given(values=st.lists(VALUES, min_size=1, max_size=12), stem=VALUES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_that_begin_so_are_found_and_no_others(values: list[str], stem: str) -> None:
    index = tantivy.Index(schema())
    writer = index.writer(15_000_000, 1)
    for value in values:
        writer.add_document(tantivy.Document(heading=[value]))
    writer.commit()
    index.reload()
    asked = Asker(schema()).node(tree.Stem(field="heading", stem=stem))
    assert count(index.searcher(), asked) == sum(value.startswith(stem) for value in values)
