"""Copying: which record is the best, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.model import Format
from dms.rules.model import Profile as Rules
from protocols import marc
from protocols.marc import Record
from protocols.query import Term, terms
from services.copying import candidates, choosing, queries, taking
from services.copying.asking import Found
from services.copying.candidates import Candidate, Judge
from services.copying.choosing import Wish
from tests import builders, targets

CNMARC = Wish(format=Format.CNMARC)


def came(name: str, *records: Record, **profile: Any) -> list[Candidate]:
    """What a target sent, read."""
    found = [Found(raw=builders.iso2709(each), carrier="iso2709", position=n) for n, each in enumerate(records, 1)]
    read, said = candidates.read(targets.a_target(name, **profile), found, Judge(Rules()))
    assert not said
    return read


def names(choice: choosing.Choice) -> list[str]:
    return [each.target.name for each in choice.ranked]


def test_a_fuller_record_is_better_and_the_question_that_says_so_is_told() -> None:
    full = builders.a_cnmarc(title="园冶注解", local_id="1")
    bare = Record(full.leader, tuple(each for each in full.fields if each[0] in ("001", "100", "101", "200", "801")))
    choice = choosing.choose([*came("bare", bare), *came("full", full)], CNMARC)
    assert names(choice) == ["full", "bare"]
    assert choice.by in ("findings", "essential", "complete")


def test_among_equal_records_the_target_that_was_named_first_wins() -> None:
    record = builders.a_cnmarc(title="园冶注解")
    both = [*came("a", record), *came("b", record)]
    for order in (["a", "b"], ["b", "a"]):
        choice = choosing.choose(both, CNMARC, order)
        assert (names(choice), choice.by) == (order, "target")


def test_a_record_in_the_librarys_own_format_needs_no_conversion() -> None:
    both = [*came("en", builders.a_marc21(title="Garden")), *came("zh", builders.a_cnmarc(title="园冶"))]
    assert names(choosing.choose(both, CNMARC)) == ["zh", "en"]
    assert names(choosing.choose(both, Wish(format=Format.MARC21))) == ["en", "zh"]


def test_the_language_of_cataloguing_comes_before_all() -> None:
    both = [*came("en", builders.a_marc21(title="Garden")), *came("zh", builders.a_cnmarc(title="园冶"))]
    assert {choosing.language(each) for each in both} == {"eng", "chi"}
    assert names(choosing.choose(both, Wish(format=Format.CNMARC, language="eng"))) == ["en", "zh"]


def test_what_is_only_near_the_isbn_that_was_asked_for_is_no_candidate() -> None:
    isbn = builders.isbn13(7)
    right, wrong = builders.a_cnmarc(isbn=isbn), builders.a_cnmarc(isbn=builders.isbn13(8))
    ten = builders.a_cnmarc(isbn=builders.isbn10(isbn))
    wish = Wish(format=Format.CNMARC, isbn=int(isbn))
    assert names(choosing.choose([*came("wrong", wrong), *came("right", right), *came("ten", ten)], wish)) == [
        "right",
        "ten",
    ]
    assert choosing.choose(came("wrong", wrong), wish).ranked == ()


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record("00000dam0 2200000   450 ", builders.a_cnmarc().fields), "deleted"),
        (Record("00000nx  a2200000   45  ", (("001", "a"), ("200", " 1\x1fa计成"))), "bibliographic"),
        (Record("00000nam0 2200000   450 ", (("001", "a"), ("100", "  \x1fa20240101"))), "describes"),
    ],
)
def test_what_can_not_be_copied_is_told_and_passed_over(record: Record, why: str) -> None:
    found = [Found(raw=builders.iso2709(record), carrier="iso2709", position=4)]
    read, (said,) = candidates.read(targets.a_target("nlc", dialect="cnmarc"), found, Judge(Rules()))
    assert read == []
    assert said.startswith("nlc 4: ")
    assert why in said


def test_what_is_no_record_is_told_too() -> None:
    found = [Found(raw=b"Internal Server Error", carrier="iso2709", position=1)]
    assert candidates.read(targets.a_target("nlc"), found, Judge(Rules()))[0] == []
    assert "nlc 1: " in candidates.read(targets.a_target("nlc"), found, Judge(Rules()))[1][0]


def test_records_of_a_target_that_says_gbk_are_read_so() -> None:
    record = builders.a_cnmarc(title="镕")
    found = [Found(raw=builders.iso2709(record, encoding="gb18030"), carrier="iso2709")]
    (one,), _ = candidates.read(targets.a_target("lib", records="gb18030"), found, Judge(Rules()))
    assert "镕" in (one.record.first("200") or "")


def test_the_character_set_is_judged_by_all_records_that_came_together() -> None:
    records = [builders.a_cnmarc(title=title) for title in ("镕", "中国园林史", "明代造园技术研究", "江南园林志")]
    found = [Found(raw=builders.iso2709(each, encoding="gb18030"), carrier="iso2709") for each in records]
    read, said = candidates.read(targets.a_target("lib"), found, Judge(Rules()))
    assert not said
    assert [marc.value(each.record.first("200") or "", "a") for each in read] == [
        "镕", "中国园林史", "明代造园技术研究", "江南园林志",
    ]  # fmt: skip
    odd = [*found, Found(raw=b"rubbish", carrier="iso2709", position=5)]
    read, said = candidates.read(targets.a_target("lib"), odd, Judge(Rules()))
    assert (len(read), len(said)) == (4, 1)


def test_a_copied_record_is_the_librarys_without_what_was_anothers() -> None:
    record = builders.a_cnmarc(title="园冶注解", local_id="n 17", f905="  \x1faNLC\x1fdTU-098", f690="  \x1faTU986")
    (one,) = came("nlc", record, drops=("69.",))
    copied = taking.take(one, "cnmarc-calis")
    tags = [tag for tag, _ in copied.record.fields]
    assert "905" not in tags
    assert "690" not in tags
    assert sorted(tag for tag, _ in copied.dropped) == ["690", "905"]
    assert tags[0] == "001"
    assert copied.record.first("001") == "nlc-n_17" == copied.number
    assert marc.value(copied.record.first("035") or "", "a") == "(nlc)n 17"
    assert tags == sorted(tags)


def test_a_converted_record_says_what_it_lost_and_whose_number_it_had() -> None:
    record = builders.a_marc21(title="Garden", local_id="99", f003="DLC", f583="  \x1farepaired")
    (one,) = came("loc", record)
    copied = taking.take(one, "cnmarc-nlc")
    assert copied.format is Format.CNMARC
    assert copied.record.first("200")
    assert copied.record.first("001") == "loc-99"
    assert copied.record.first("003") is None
    assert [marc.value(text, "a") for text in copied.record.all("035")] == ["(DLC)99"]
    assert {loss.tag for _, loss in copied.losses} >= {"583"}
    assert sum(taking.counts([copied]).values()) == len(copied.losses)


def test_a_number_is_its_targets_whoever_catalogued_the_record() -> None:
    record = builders.a_cnmarc(title="园冶注解", local_id="n17", f801=[" 0\x1faCN\x1fbBNU", " 2\x1faCN\x1fbBSD"])
    copied = taking.take(came("nlc", record)[0], "marc21")
    assert [marc.value(text, "a") for text in copied.record.all("035")] == ["(nlc)n17"]
    assert copied.record.first("001") == "nlc-n17"


def test_the_same_record_copied_twice_has_the_same_name_and_bytes() -> None:
    record = builders.a_marc21(title="Garden")
    first, second = (taking.take(came("loc", record)[0], "cnmarc-nlc") for _ in range(2))
    assert first.record == second.record


def test_a_record_without_a_number_is_named_after_its_bytes() -> None:
    record = builders.a_cnmarc(title="园冶")
    bare = Record(record.leader, tuple(each for each in record.fields if each[0] != "001"))
    assert taking.take(came("nlc", bare)[0], "cnmarc-calis").number.startswith("nlc-sha256:")


@pytest.mark.parametrize(
    ("typed", "index", "text"),
    [
        ("园冶 注解", "title", "园冶 注解"),
        ("1984", "title", "1984"),
        ("0317-8471", "issn", "0317-8471"),
        ("@attr 1=1003 计成", "author", "计成"),
        ('author = "计成"', "author", "计成"),
        ("dc.title all garden", "title", "garden"),
        ("E = mc2", "title", "E = mc2"),
        ("love all things", "title", "love all things"),
    ],
)
def test_a_query_is_read_as_it_is_typed(typed: str, index: str, text: str) -> None:
    query = queries.read(typed).query
    assert isinstance(query, Term)
    assert (query.index, query.text) == (index, text)


@pytest.mark.parametrize("typed", ["9787302511113", "7-302-51111-X", "978-7-302-51111-3", "７３０２５１１１１Ｘ"])
def test_an_isbn_is_asked_for_in_all_its_forms(typed: str) -> None:
    asked = queries.read(typed)
    assert asked.isbn == 9787302511113
    forms = [each.text for each in terms(asked.query)]
    assert forms[:4] == ["9787302511113", "730251111X", "978-7-302-51111-3", "7-302-51111-X"]


@pytest.mark.parametrize("typed", ["", "  ", "9787302511114", "@attr", "title = ", "@attr 1=9999 x", "x" * 400])
def test_what_is_no_query_is_refused(typed: str) -> None:
    with pytest.raises(queries.NO_QUERY):
        queries.read(typed)
