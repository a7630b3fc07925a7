"""How segments travel by HTTP: ranges, sizes of parts, places in a query."""

from __future__ import annotations

import pytest

from config.errors import BadRecord
from exchange import parcels
from exchange.model import START, Cursor
from exchange.parcels import LARGEST, SMALLEST, Pace


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-400", (90, 100)),
        ("bytes=99-99", (99, 100)),
        # Whatever can't be met is answered with the whole (RFC 9110, 14.2).
        ("bytes=100-", (0, 100)),
        ("bytes=-5", (0, 100)),
        ("bytes=7-3", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("lines=0-9", (0, 100)),
        ("bytes", (0, 100)),
        ("", (0, 100)),
    ],
)
def test_one_range_from_a_known_beginning(field: str, expected: tuple[int, int]) -> None:
    assert parcels.wanted(field, 100) == expected


def test_the_size_of_the_whole() -> None:
    assert parcels.total("bytes 0-9/100") == 100
    assert parcels.total("bytes 0-9/*") is None
    assert parcels.total("") is None


def test_a_place_survives_the_query() -> None:
    cursor = Cursor(7, 30, b"\x00\xff")
    path, _, query = parcels.down("clusters", cursor, 25.0).partition("?")
    told = dict(part.split("=") for part in query.split("&"))
    assert (path, told["wait"]) == ("/x/down/clusters", "25")
    assert parcels.place(told["epoch"], told["seq"], told["link"]) == cursor
    assert parcels.place("", "", "") == START
    for wrong in (("x", "1", ""), ("1", "1", "zz")):
        with pytest.raises(BadRecord):
            parcels.place(*wrong)


def test_parts_are_smaller_where_the_line_breaks() -> None:
    pace = Pace()
    pace.held()
    assert pace.size == LARGEST
    for _ in range(9):
        pace.broke()
    assert pace.size == SMALLEST
    pace.held()
    assert pace.size == 2 * SMALLEST
