"""MARC 21 and the UNIMARC family are told apart by content."""

from __future__ import annotations

import pytest

from protocols import dialect
from protocols.marc import Record

CODED = "20081106d2008    em y0chiy0110    ea"


@pytest.mark.parametrize(
    ("leader", "fields", "expected"),
    [
        ("00000nam a2200000 a 4500", (("001", "1"), ("245", "10\x1faTitle")), "marc21"),
        ("00000nam0 2200000   450 ", (("001", "1"), ("200", "1 \x1fa题名\x1ff著者")), "cnmarc"),
        ("00000nam  2200000   4500", (("001", "1"), ("200", "1 \x1fa题名\x1ff著者")), "cnmarc"),
        (
            "00000nam  2200000   4500",
            (("100", f"  \x1fa{CODED}"), ("010", "  \x1fa978-7-113-05198-7\x1fd38.00")),
            "cnmarc",
        ),
        (
            "00000nam  2200000   4500",
            (("100", "1 \x1faAbbott, Edwin,\x1fd1838-1926"), ("020", "  \x1fa0486272635")),
            "marc21",
        ),
        ("00000nam  2200000   4500", (("010", "  \x1fa   00020737 "), ("008", "x" * 40)), "marc21"),
        ("00000nx  a2200000   4500", (("004", "1"), ("852", "  \x1faDLC")), "marc21"),
        ("00000cas a2200000   4500", (("210", "0 \x1faBull. Soc.\x1fb(Paris)"), ("222", " 0\x1faBulletin")), "marc21"),
        ("00000nas  2200000   450 ", (("011", "  \x1fa0750-6848"), ("801", " 0\x1faFR\x1fbABES")), "cnmarc"),
        ("                        ", (("001", "1"),), "marc21"),
    ],
)
def test_family(leader: str, fields: tuple[tuple[str, str], ...], expected: str) -> None:
    record = Record(leader=leader, fields=fields)
    assert dialect.family(record) == expected, dialect.weigh(record)


def test_every_point_has_a_name() -> None:
    found = dict(
        dialect.weigh(Record(leader="00000nam a2200000 a 4500", fields=(("245", "00\x1faT"), ("606", "0 \x1faX"))))
    )
    assert found["245"] > 0 > found["606"]
    assert "leader" in found
