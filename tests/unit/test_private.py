"""Private use: GB 18030's own assignments, a source's table, and names that keep them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Misconfigured
from protocols.charsets import points, private


def test_a_table_is_told_by_lines_of_code_point_and_character() -> None:
    stored = private.body("# ours\nU+E000\tU+4E2D\tremark\n\ue001\t文\n0xF8FF\t𠀀\n\n")
    assert private.parsed(stored) == {0xE000: "中", 0xE001: "文", 0xF8FF: "𠀀"}
    assert private.body("e001\t文\nf8ff\tU+20000\nE000\t4E2D\n") == stored  # one table, one number
    assert 0 < private.number(stored) < 1 << 31


@pytest.mark.parametrize("line", ["E000", "E000 4E2D", "XYZ\t中", "E000\tU+D800", "U+0041\tB", "E000\t", "110000\t中"])
def test_a_line_that_says_nothing_is_named(line: str) -> None:
    with pytest.raises(Misconfigured, match="line 2"):
        private.body(f"E001\t中\n{line}\n")


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(Misconfigured, match="rows"):
        private.body("# nothing\n")


def test_names_of_encodings_keep_the_table() -> None:
    stored = private.body("E000\t中\n")
    key = private.number(stored)
    named = private.name("utf-8", key)
    assert private.numbers(["utf-8", named, "gb18030/2022"]) == {key, private.GB18030_2022}
    private.learn({key: stored, 7: b"\x37\xa4\x30\xec a dictionary"})
    assert private.apart(named) == ("utf-8", {0xE000: "中"})
    assert private.apart("utf-8/77") == ("utf-8", None)
    assert private.apart("utf-8") == ("utf-8", None)


def test_the_ready_table_has_what_gbk_sent_to_private_use() -> None:
    rows = private.parsed(private.ready())
    assert (rows[0xE815], rows[0xE78D], rows[0xE816], rows[0xE7C8]) == ("⺁", "︐", "𠂇", "ǹ")
    assert set(private.two_bytes()) < set(rows)


@given(st.lists(st.text(st.sampled_from("a中\ue000\uf8ff\ufb01\U000f0000\U00020000\U0010fffd\U000e0000"), max_size=4)))
def test_private_use_is_found_by_record(records: list[str]) -> None:
    expected = {number for number, each in enumerate(records) if private.PRIVATE.search(each)}
    assert points.private(points.code_points("".join(f"{each}\x1d" for each in records))) == expected
