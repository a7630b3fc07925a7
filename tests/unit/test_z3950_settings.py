"""Settings of the Z39.50 door that are lists, and in which characters a client is read that doesn't say."""

from __future__ import annotations

import pytest

from config import z3950
from node.z3950 import characters
from services.retrieval.databases import Database, Databases


def test_an_account_comes_before_its_network_and_a_narrow_network_before_a_wide_one() -> None:
    told = z3950.clients("10.0.0.0/8 charset=utf-8; Wang charset=gbk records=9; 10.20.0.0/16 sessions=2 databases=A+b")
    assert told.of("wang", "10.20.0.1").charset == "gbk"
    assert told.of("wang", "10.20.0.1").records == 9
    assert told.of("", "10.20.0.1").sessions == 2
    assert told.of("", "10.20.0.1").databases == frozenset(("a", "b"))
    assert told.of("li", "10.21.0.1").charset == "utf-8"
    assert told.of("", "192.0.2.1") == told.of("", "") == z3950.NOBODY


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("wang", "wang"),
        ("wang charset=koi8", "koi8"),
        ("wang colour=red", "colour"),
        ("wang records=many", "many"),
        ("10.0.0.0/33 charset=gbk", "10.0.0.0/33"),
    ],
)
def test_a_wrong_item_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        z3950.clients(text)


def test_databases_are_named_with_dialect_and_scope() -> None:
    (one, two) = z3950.databases("UCS01=cnmarc-nlc, own=MARC21@CN-TJU")
    assert (one.name, one.dialect, one.scope) == ("UCS01", "cnmarc-nlc", "")
    assert (two.name, two.dialect, two.scope) == ("own", "marc21", "CN-TJU")
    with pytest.raises(ValueError, match="broken"):
        z3950.databases("broken")


def test_a_name_of_the_operators_comes_before_ours() -> None:
    every = Databases([Database(name="Default", dialect="cnmarc-calis", scope="library")])
    found = every.find("DEFAULT")
    assert found is not None
    assert (found.dialect, found.scope) == ("cnmarc-calis", "library")
    city = every.find("cnmarc-nlc-City")
    assert city is not None
    assert (city.dialect, city.scope) == ("cnmarc-nlc", "city")
    of_library = every.find("MARC21-cn-tju")
    assert of_library is not None
    assert of_library.scope == "CN-TJU"
    assert every.find("MARC22") is None


@pytest.mark.parametrize(
    ("octets", "first"),
    [
        (b"minerals", "utf-8"),
        ("红楼梦".encode(), "utf-8"),
        ("红楼梦".encode("gbk"), "gb18030"),
        ("微系统".encode("gbk"), "gb18030"),
        ("小写".encode("gbk"), "gb18030"),
        ("économie".encode(), "utf-8"),
        ("Don’t look".encode(), "gb18030"),  # a sign alone says little
        ("Война и мир".encode(), "utf-8"),
        ("Ελλάδα".encode(), "utf-8"),
        ("한국어".encode(), "utf-8"),
        ("Élégie en ré".encode("latin-1"), "latin-1"),
        (b"\xff\xfe", "latin-1"),
    ],
)
def test_what_a_client_does_not_say_is_guessed_for_the_whole_query(octets: bytes, first: str) -> None:
    assert characters.guesses([octets, b"isbn"])[0] == first


def test_western_letters_that_could_be_chinese_are_asked_both_ways() -> None:
    assert set(characters.guesses(["Élégie".encode()])) == {"utf-8", "gb18030"}


@pytest.mark.parametrize("text", ["红楼梦", "中国·历史", "Python编程", "ノルウェイの森", "𠮷野家"])
def test_chinese_in_utf8_can_be_nothing_else(text: str) -> None:
    assert characters.guesses([text.encode()]) == ("utf-8",)


def test_a_word_that_reads_as_both_is_asked_both_ways() -> None:
    both = next(
        word
        for one in map(chr, range(0x4E00, 0x9000, 7))
        for two in map(chr, range(0x4E00, 0x9000, 11))
        if _reads(word := (one + two).encode("gbk", "ignore"), "utf-8")
    )
    assert set(characters.guesses([both])) == {"utf-8", "gb18030"}


def _reads(octets: bytes, encoding: str) -> bool:
    try:
        return len(octets) == 4 and not octets.isascii() and bool(octets.decode(encoding))
    except UnicodeDecodeError:
        return False
