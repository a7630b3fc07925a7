"""Fields embedded in 4XX by $1 (UNIMARC Bibliographic, 4--)."""

from __future__ import annotations

import pytest

from protocols import embedded


def text(written: str) -> str:
    return written.replace("$", "\x1f")


@pytest.mark.parametrize(
    ("field", "inner"),
    [
        (" 0$12001 $aTitle$v3", [("200", "1 $aTitle$v3")]),
        (" 0$1001012345$12001 $aTitle$1210  $aPlace", [("001", "012345"), ("200", "1 $aTitle"), ("210", "  $aPlace")]),
        (" 0$tTitle$v3", [("", "$tTitle$v3")]),
        (" 0$tTitle$12001 $aTitle", [("", "$tTitle"), ("200", "1 $aTitle")]),
        (" 0$1001012345$v3", [("", "$v3"), ("001", "012345")]),
        (" 0$12001$aTitle", [("200", "1 $aTitle")]),
        (" 0$1", [("", "  ")]),
        (" 0", []),
    ],
)
def test_embedded_fields_are_read_as_fields(field: str, inner: list[tuple[str, str]]) -> None:
    assert [(tag, held.replace("\x1f", "$")) for tag, held in embedded.fields(text(field))] == inner


@pytest.mark.parametrize(("field", "wrong"), [(" 0$1红楼梦", True), (" 0$12001 $aX", False), (" 0$tX", False)])
def test_a_link_that_opens_no_field_is_broken(field: str, wrong: bool) -> None:
    assert embedded.broken(text(field)) is wrong
