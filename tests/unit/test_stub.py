"""What is left of a record where only its holdings are shared."""

from __future__ import annotations

from catalog import packing, stub
from catalog.model import Format
from protocols import marc
from protocols.marc import Record
from tests import builders


def field(*parts: tuple[str, str]) -> str:
    return marc.field("  ", list(parts))


def reduced(record: Record, fmt: Format) -> tuple[tuple[str, str], ...]:
    once = stub.stub(packing.pack(record), fmt)
    assert stub.stub(once, fmt) == once, "a stub stays as it is"
    return packing.unpack(once).fields


def test_a_field_in_another_script_stays_with_the_field_that_it_writes() -> None:
    title, note = field(("6", "245-01/$1"), ("a", "园冶")), field(("6", "500-02/$1"), ("a", "金丝雀"))
    record = Record(
        builders.a_marc21().leader,
        (("245", field(("6", "880-01"), ("a", "Yuan ye"))), ("500", "  \x1faNote"), ("880", title), ("880", note)),
    )
    assert reduced(record, Format.MARC21) == (record.fields[0], ("880", title))


def test_prices_are_nothing_to_match_by() -> None:
    record = Record(
        builders.a_cnmarc().leader,
        (
            ("010", field(("a", "7-301-00001-1"), ("d", "CNY12.00"))),
            ("010", field(("d", "赠阅"))),
            ("200", "1 \x1fa园冶"),
        ),
    )
    assert reduced(record, Format.CNMARC) == (("010", field(("a", "7-301-00001-1"))), ("200", "1 \x1fa园冶"))
