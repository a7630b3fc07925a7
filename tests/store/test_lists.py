"""Ordered lists beside the index: what stands around a place, with how many titles, whatever happened to the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog.model import Cluster, Description, Published
from catalog.search import headings, lists
from catalog.search.port import LISTS, MOST_LISTED, BadQuery, NotBuilt, Request
from catalog.search.tantivy import TantivyReader, TantivyWriter
from tests.search_cases import CAST, LIBRARIES, NUMBERS, published


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TantivyReader]:
    home = tmp_path_factory.mktemp("index")
    with TantivyWriter(home) as writer:
        names = list(CAST)
        for part in (names[:30], names[30:]):
            writer.apply([published(name) for name in part])
            writer.commit(7, NUMBERS[part[-1]])
    yield TantivyReader(home)


def shown(reader: TantivyReader, index: str, text: str, before: int, count: int) -> list[tuple[str, int]]:
    return [(one.text, one.count) for one in reader.scan(index, text, before=before, count=count).values]


def test_titles_stand_in_the_order_of_their_sounds(reader: TantivyReader) -> None:
    assert shown(reader, "title", "红楼梦", 1, 4) == [
        ("河", 1),
        ("红楼梦", 2),  # in both scripts, as first written
        ("红楼梦研究", 1),
        ("後漢書", 1),
    ]


def test_pinyin_and_other_spellings_lead_to_the_same_place(reader: TantivyReader) -> None:
    place = shown(reader, "title", "红楼梦", 0, 2)
    assert shown(reader, "title", "紅樓夢", 0, 2) == place
    assert shown(reader, "title", "hong lou meng", 0, 2) == place
    assert shown(reader, "title", "hong", 0, 2) == place


def test_a_whole_list_is_walked_in_either_direction(reader: TantivyReader) -> None:
    for index in LISTS:
        onward = reader.scan(index, "0", before=0, count=MOST_LISTED)
        assert onward.end and onward.values, index
        assert not onward.before
        backward = reader.scan(
            index,
            {"year": "9999", "isbn": "X", "issn": "X"}.get(index, "\U0003ffff"),
            before=MOST_LISTED,
            count=MOST_LISTED,
        )
        assert backward.start and backward.values == onward.values, index
        assert backward.before == len(backward.values)
        orders = [headings.order(index, one.text) for one in onward.values]
        assert orders == sorted(orders), index


def test_counts_are_those_of_a_search(reader: TantivyReader) -> None:
    years = {one.text: one.count for one in reader.scan("year", "0", before=0, count=100).values}
    for year, count in years.items():
        assert reader.search(Request(filters={"year": (year,)}, limit=0)).total == count
    assert shown(reader, "author", "曹雪芹", 0, 1) == [("曹雪芹", 2)]
    assert shown(reader, "class", "I242.4", 0, 1) == [("I242.4", 3)]
    assert shown(reader, "isbn", "9787020002207", 0, 1) == [("9787020002207", 1)]
    assert shown(reader, "issn", "0459-1909", 0, 1) == [("0459-1909", 1)]
    assert shown(reader, "publisher", "人民文学出版社", 0, 1) == [("人民文学出版社", 3)]


def test_a_surname_stands_by_its_own_sound(reader: TantivyReader) -> None:
    around = [text for text, _ in shown(reader, "author", "zeng guo fan", 0, 1)]
    assert around == ["曾国藩"]


def test_only_what_a_scope_holds_is_listed_and_counted(reader: TantivyReader) -> None:
    scope = frozenset({LIBRARIES[2]})
    listed = reader.scan("title", "0", before=0, count=MOST_LISTED, libraries=scope)
    theirs = [CAST[name] for name, number in NUMBERS.items() if number % 3 == 0]
    held = {headings.key("title", text) for one in theirs for text in (one.title, *one.parallel)}
    assert {headings.key("title", one.text) for one in listed.values} == held
    assert sum(one.count for one in listed.values) == len([one for one in theirs for _ in (one.title, *one.parallel)])
    assert reader.scan("title", "0", before=0, count=5, libraries=frozenset()).values == ()


def test_what_went_with_its_last_title_is_passed_over(tmp_path: Path) -> None:
    with TantivyWriter(tmp_path) as writer:
        writer.apply([published("honglou"), published("shiji"), published("jia")])
        writer.commit(1, 3)
        reader = TantivyReader(tmp_path)
        assert [text for text, _ in shown(reader, "title", "a", 0, 9)] == ["红楼梦", "家", "史 记"]
        writer.apply([published("jia", deleted=True), replace(published("shiji"), description=Description(title="史"))])
        writer.commit(1, 5)
        reader.reload()
        assert shown(reader, "title", "a", 0, 9) == [("红楼梦", 1), ("史", 1)]
        writer.apply([published("jia")])
        writer.commit(1, 6)
        reader.reload()
        assert [text for text, _ in shown(reader, "title", "z", 9, 9)] == ["红楼梦", "家", "史"]


def test_a_scan_ends_where_too_much_is_passed_over(tmp_path: Path) -> None:
    far = lists.MOST_PASSED + 10
    with TantivyWriter(tmp_path) as writer:
        made = [replace(one(n), libraries=("CN-NLC",) if n == far else ()) for n in range(1, far + 1)]
        writer.apply(made)
        writer.commit(1, far)
        reader = TantivyReader(tmp_path)
        scope = frozenset({"CN-NLC"})
        passed = reader.scan("title", "t", before=0, count=1, libraries=scope)
        assert passed.values == () and not passed.end
        near = reader.scan("title", f"t{far - 5:05}", before=0, count=2, libraries=scope)
        assert [value.text for value in near.values] == [f"t{far:05}"] and near.end


def test_a_scan_ends_where_too_much_is_passed_over_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_PASSED_IN_ALL", 20)
    with TantivyWriter(tmp_path) as writer:
        writer.apply([replace(one(n), libraries=() if n % 10 else ("CN-NLC",)) for n in range(1, 61)])
        writer.commit(1, 60)
        reader = TantivyReader(tmp_path)
        found = reader.scan("title", "t", before=0, count=9, libraries=frozenset({"CN-NLC"}))
    assert [value.text for value in found.values] == ["t00010", "t00020"]
    assert not found.end


def one(number: int) -> Published:
    return replace(published("jia"), cluster=Cluster(number), description=Description(title=f"t{number:05}"))


def test_an_index_without_lists_is_made_again(tmp_path: Path) -> None:
    with TantivyWriter(tmp_path) as writer:
        writer.apply([published("honglou")])
        writer.commit(1, 1)
    for path in tmp_path.glob(f"*/{lists.FILE}*"):
        path.unlink()
    with pytest.raises(NotBuilt):
        TantivyReader(tmp_path).scan("title", "a", before=0, count=1)
    with TantivyWriter(tmp_path) as writer:
        assert writer.cursor() == (0, 0)


def test_damaged_lists_are_made_again(tmp_path: Path) -> None:
    with TantivyWriter(tmp_path) as writer:
        writer.apply([published("honglou")])
        writer.commit(1, 1)
    for path in tmp_path.glob(f"*/{lists.FILE}"):
        path.write_bytes(b"no database" * 1000)
    with pytest.raises(NotBuilt):
        TantivyReader(tmp_path).scan("title", "a", before=0, count=1)
    with TantivyWriter(tmp_path) as writer:
        assert writer.cursor() == (0, 0)


@pytest.mark.parametrize("statement", [lists.ONWARD, lists.BACKWARD])
def test_a_place_is_found_by_the_tree_and_never_sorted_for(tmp_path: Path, statement: str) -> None:
    lists.Values(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / lists.FILE)) as file:
        plan = [row[3] for row in file.execute(f"explain query plan {statement}", ("title", "a", "", 1))]
    assert plan == [
        next(step for step in plan if step.startswith("SEARCH listed USING PRIMARY KEY (kind=? AND (place"))
    ]


@pytest.mark.parametrize(
    ("index", "count", "before"), [("colour", 1, 0), ("title", 0, 0), ("title", 101, 0), ("title", 1, 2)]
)
def test_a_scan_out_of_bounds_is_refused(reader: TantivyReader, index: str, count: int, before: int) -> None:
    with pytest.raises(BadQuery):
        reader.scan(index, "a", before=before, count=count)


def test_without_an_index_a_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt):
        TantivyReader(tmp_path).scan("title", "a", before=0, count=1)


def test_two_threads_walk_at_once(reader: TantivyReader) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: shown(reader, "title", "红楼梦", 3, 8), range(40)))
    assert all(one == found[0] for one in found)
