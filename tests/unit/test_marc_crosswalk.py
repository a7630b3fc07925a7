"""Crosswalks between MARC formats: the examples in their tables, and that nothing vanishes."""

from __future__ import annotations

import pytest

from dms.crosswalk.marc import table
from dms.crosswalk.marc.engine import Engine
from dms.crosswalk.marc.table import Example, Row

TABLES = ("cnmarc_marc21", "marc21_cnmarc")


def _shown(text: str) -> str:
    return text.replace("\x1f", "$")


def _cases() -> list[tuple[str, str, Row, Example]]:
    return [
        (name, tag, row, example)
        for name in TABLES
        for tag, rows in table.table(name).rows.items()
        for row in rows
        for example in row.example
        if tag == row.tags[0]
    ]


@pytest.mark.parametrize(
    ("name", "tag", "row", "example"), _cases(), ids=lambda one: one if isinstance(one, str) else ""
)
def test_an_example_in_a_table_is_what_comes_out(name: str, tag: str, row: Row, example: Example) -> None:
    engine = Engine(table.table(name))
    outcome = engine.field(tag, example.given.replace("$", "\x1f"))
    made = [f"{one.tag} {_shown(one.text)}" for one in outcome.made]
    made += [f"880 {_shown(one.twin)}" for one in outcome.made if one.twin]
    assert made == list(example.made), row.reference
