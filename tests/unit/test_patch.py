"""A correction as a person writes it."""

from __future__ import annotations

import pytest

from config.errors import Conflict, NotFound
from services.cataloguing import patch
from tests import builders

RECORD = builders.a_cnmarc(
    f200="1 $a园冶注释$f计成", f300=["  $a价$$12", "  $a有图有图"], f606=["0 $a园林$x史", "0 $a园林$x艺术"]
)


def test_the_field_is_found_and_its_new_text_made() -> None:
    assert patch.patch(RECORD, "200", "注释", "註釋") == ("1 \x1fa园冶注释\x1ff计成", "1 \x1fa园冶註釋\x1ff计成")
    _, new = patch.patch(RECORD, "200", "$a园冶注释$f", "$a园冶$e注释$f")
    assert new == "1 \x1fa园冶\x1fe注释\x1ff计成"
    assert patch.shown(new) == "1 $a园冶$e注释$f计成"
    assert patch.patch(RECORD, "606", "$x史", "$x历史")[1] == "0 \x1fa园林\x1fx历史"


def test_a_dollar_is_written_twice() -> None:
    record = builders.a_marc21()
    field = ("500", "  \x1faCost $5")
    record = type(record)(record.leader, (*record.fields, field))
    assert patch.patch(record, "500", "$$5", "$$6")[1] == "  \x1faCost $6"
    assert patch.shown(field[1]) == "  $aCost $$5"


@pytest.mark.parametrize(
    ("tag", "find", "fault"),
    [
        ("200", "没有", NotFound),
        ("999", "园", NotFound),
        ("200", "", NotFound),
        ("606", "园林", Conflict),
        ("300", "有图", Conflict),
    ],
)
def test_nothing_or_too_much_found_is_said(tag: str, find: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        patch.patch(RECORD, tag, find, "x")
