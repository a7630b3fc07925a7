"""Places by area, and the levels that a node of any kind offers."""

from __future__ import annotations

import dataclasses

import pytest
from multidict import MultiDict

from catalog import area
from catalog.model import Library, Symbol
from catalog.parents import Parent
from node.web import inputs
from services.discovery import ask, places, scope
from services.discovery.find import Question
from services.discovery.registry import directory
from services.discovery.scope import Kind, Place

UPLINK = Parent(symbol="CN-GD", name="岭南", uplink=True, address="http://gd.example/")
CLUBS = [Parent(symbol=f"CN-{n}", name=str(n), uplink=False, address="http://x.example/") for n in range(9)]


def library(symbol: str, where: str = "", node: str = "") -> Library:
    return Library(symbol=Symbol(symbol), name=symbol.lower(), area=where, node=node)


DIRECTORY = [
    library("A", "广东/深圳"), library("B", "广东省/深圳市/南山", "N2"), library("C", "广东/广州", "N3"),
    library("D", "天津", "N4"), library("E", "", "N5"),
]  # fmt: skip


def place(kind: Kind, home: str = "") -> Place:
    return Place(symbol="N1", name="本站", kind=kind, home=home)


def keys(kind: Kind, *parents: Parent, home: str = "", asked: Question | None = None) -> list[str]:
    return [
        level.key for level in scope.plan(place(kind, home), directory(DIRECTORY, parents), asked or Question()).own
    ]


@pytest.mark.parametrize(
    ("where", "city", "province"),
    [
        ("广东/深圳", ("广东", "深圳"), ("广东",)),
        ("廣東省/深圳市/南山區", ("广东", "深圳"), ("广东",)),
        ("广西壮族自治区/南宁市", ("广西", "南宁"), ("广西",)),
        ("湖北／沙市", ("湖北", "沙市"), ("湖北",)),
        ("天津/南开", ("天津",), ("天津",)),
        ("香港特别行政区", ("香港",), ("香港",)),
        ("广东", (), ("广东",)),
        ("Bavaria/Munich", ("bavaria", "munich"), ("bavaria",)),
        ("", (), ()),
        (" / ", (), ()),
    ],
)
def test_city_and_province_of_an_area(where: str, city: tuple[str, ...], province: tuple[str, ...]) -> None:
    assert places.city(where) == city and places.province(where) == province


def test_areas_are_kept_tidy() -> None:
    assert [area.tidy(each) for each in (" 广东 / 深圳/", "天津", "/", "")] == ["广东/深圳", "天津", "", ""]


def test_a_lone_librarys_node_has_one_level_and_it_is_all_there_is() -> None:
    made = scope.plan(place("here", "A"), directory(DIRECTORY, []), Question())
    assert [(level.key, level.libraries) for level in made.own] == [("library", None)]


def test_a_node_with_several_libraries_offers_them_all_as_one_catalogue() -> None:
    hosted = [dataclasses.replace(each, node="") for each in DIRECTORY]
    made = scope.plan(place("here", "A"), directory(hosted, []), Question())
    assert [level.key for level in made.own] == ["library", "city", "province", "here"] and made.current == "here"
    assert made.own[1].libraries == frozenset("AB") and made.own[2].libraries == frozenset("ABC")
    assert [level.key for level in scope.plan(place("here"), directory(hosted, []), Question()).own] == ["here"]
    # With an uplink, which knows more of the city, this node offers only what it holds.
    assert [level.key for level in scope.plan(place("here", "A"), directory(hosted, [UPLINK]), Question()).own] == [
        "library", "here",
    ]  # fmt: skip


def test_a_city_or_province_that_adds_nothing_is_left_out() -> None:
    chosen = {home: keys("nation", asked=Question(home=home)) for home in "ABCDE"}
    assert chosen == {
        "A": ["library", "city", "province", "nation"],
        "B": ["library", "city", "province", "nation"],
        "C": ["library", "province", "nation"],
        "D": ["library", "nation"],
        "E": ["library", "nation"],
    }
    assert keys("province", UPLINK, asked=Question(home="A")) == ["library", "city", "province"]
    assert keys("nation", asked=Question(home="nobody")) == ["nation"]


def test_who_answers_which_level() -> None:
    def answerer(key: str) -> Parent | None:
        return scope.plan(place("here", "A"), directory(DIRECTORY, [UPLINK, *CLUBS]), Question(scope=key)).answerer

    assert [answerer(key) for key in ("library", "city", "province", "nation")] == [None, UPLINK, UPLINK, UPLINK]
    assert answerer("CN-3") == CLUBS[3]
    with pytest.raises(scope.NoSuchScope):
        answerer("CN-4")  # one membership more than a question goes to
    with pytest.raises(scope.NoSuchScope):
        scope.plan(place("here", "A"), directory(DIRECTORY, []), Question(scope="nation"))


def test_a_library_alone_is_the_level_and_beside_a_scope_the_place_to_look_from() -> None:
    asked = Question(filters=(("library", "B"), ("kind", "map")))
    made = scope.plan(place("nation"), directory(DIRECTORY, []), asked)
    assert (made.current, made.home, made.question) == ("library", "B", asked)
    assert made.counted.filters == (("kind", "map"),)
    made = scope.plan(place("nation"), directory(DIRECTORY, []), dataclasses.replace(asked, scope="city"))
    assert (made.current, made.home, made.question.filters) == ("city", "B", (("kind", "map"),))
    made = scope.plan(place("nation"), directory(DIRECTORY, []), dataclasses.replace(asked, scope="city", home="A"))
    assert (made.home, made.question.filters) == ("A", asked.filters)
    both = Question(filters=(("library", "A"), ("library", "B")))
    made = scope.plan(place("here", "A"), directory(DIRECTORY, []), both)
    assert made.counted == both


def test_only_what_is_wider_is_taken_of_an_uplinks_levels() -> None:
    told = [
        ask.Level(scope="library", kind="library", count=1), ask.Level(scope="city", kind="city", count=2),
        ask.Level(scope="province", kind="province", count=3), ask.Level(scope="CN-X", kind="alliance", count=4),
        ask.Level(scope="nation", kind="nation", count=5, state="late"),
    ]  # fmt: skip
    made = scope.plan(place("province"), directory(DIRECTORY, [UPLINK]), Question(home="A"))
    assert [(level.key, level.count, level.state) for level in scope.of_uplink(made, told)] == [
        ("nation", None, "late")
    ]
    made = scope.plan(place("here", "A"), directory(DIRECTORY, [UPLINK]), Question())
    assert [level.key for level in scope.of_uplink(made, told)] == ["city", "province", "nation"]


@pytest.mark.parametrize(
    "asked",
    [
        Question(),
        Question(text="梦", scope="nation"),
        Question(scope="nation", home=""),
        Question(scope="nation", home="", filters=(("library", "A"),)),
        Question(scope="CN-X", home="A", filters=(("library", "B"), ("library", "C")), page=3),
        Question(home="A"),
    ],
)
def test_a_question_survives_its_address(asked: Question) -> None:
    assert inputs.question(MultiDict(inputs.pairs(asked))) == asked


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, (None, 0)),
        ({"Tianlu-Left": "1500", "Tianlu-Hops": "2"}, (1.5, 2)),
        ({"Tianlu-Left": "soon", "Tianlu-Hops": "-1"}, (None, 0)),
        ({"Tianlu-Left": "9" * 400, "Tianlu-Hops": "٣"}, (None, 0)),
    ],
)
def test_how_a_question_came(headers: dict[str, str], wanted: tuple[float | None, int]) -> None:
    assert inputs.passed_on(headers) == wanted
