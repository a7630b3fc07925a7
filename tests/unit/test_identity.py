"""What a record is called within its source, and when it counts as deleted or hidden."""

from __future__ import annotations

import pytest

from dms import identity
from protocols import marc
from protocols.marc import Record

LEADER = "00000nam a2200000   4500"


def a_record(*fields: tuple[str, str], leader: str = LEADER) -> Record:
    return Record(leader, fields)


def a_field(**subfields: str) -> str:
    return marc.field("  ", subfields.items())


BOOK = a_record(
    ("001", " ocm001 "),
    ("003", "OCoLC"),
    ("005", "20240102030405.6"),
    ("035", a_field(z="(X)0", a="(OCoLC)1")),
    ("905", a_field(a="BNU", b="0012345")),
    ("999", a_field(i="item-7")),
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("001", "ocm001"),
        ("001+003", "(OCoLC)ocm001"),
        ("035a", "(OCoLC)1"),
        ("905b", "0012345"),
        ("999$i", "item-7"),
        ("003$a", "OCoLC"),  # a control field has no subfields: its value is the id whatever the code
    ],
)
def test_each_rule_names_the_record_by_its_field(rule: str, expected: str) -> None:
    assert identity.local_id(BOOK, rule, b"raw") == expected


def test_a_record_without_the_field_is_named_by_its_bytes() -> None:
    nameless = a_record(("245", a_field(a="Title")))
    first = identity.local_id(nameless, "001", b"bytes")
    assert first == identity.local_id(nameless, "905b", b"bytes") == identity.local_id(nameless, "digest", b"bytes")
    assert first != identity.local_id(nameless, "001", b"other bytes")
    assert first.startswith("sha256:") and len(first) == len("sha256:") + 16


@pytest.mark.parametrize("value", ["", "   ", "x" * 500])
def test_an_unusable_001_counts_as_none(value: str) -> None:
    assert identity.local_id(a_record(("001", value)), "001", b"raw").startswith("sha256:")


def test_control_characters_never_get_into_an_id() -> None:
    assert identity.local_id(a_record(("001", "12\x0034\n")), "001", b"") == "1234"


def test_001_with_003_where_003_is_missing_is_001_alone() -> None:
    assert identity.local_id(a_record(("001", "7")), "001+003", b"") == "7"


def test_an_unknown_rule_is_refused_by_name() -> None:
    with pytest.raises(identity.BadRule, match="barcode"):
        identity.local_id(BOOK, "barcode", b"")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240102030405.6", "2024010203040560"),
        ("20240102030405.0", "2024010203040500"),
        ("20240102", "2024010200000000"),
        ("", ""),
        ("n/a", ""),
    ],
)
def test_stamps_are_sortable(value: str, expected: str) -> None:
    assert identity.stamp(a_record(("005", value))) == expected


@pytest.mark.parametrize(("status", "dead"), [("n", False), ("c", False), ("d", True), ("s", True), ("x", True)])
def test_leader_05_tells_the_deleted(status: str, dead: bool) -> None:
    assert identity.is_deleted(a_record(leader=f"00000{status}am a2200000   4500")) is dead


def test_a_record_is_suppressed_by_its_librarys_own_mark() -> None:
    hidden, shown = a_record(("942", a_field(n="1"))), a_record(("942", a_field(n="0")))
    mapping = {"suppress": ["942$n=1", "998$s"]}
    assert identity.suppressed(hidden, mapping)
    assert not identity.suppressed(shown, mapping)
    assert identity.suppressed(a_record(("998", a_field(s="yes"))), mapping)
    assert not identity.suppressed(hidden, {})
    with pytest.raises(identity.BadRule):
        identity.suppressed(hidden, {"suppress": "hidden"})


def test_the_report_advises_001_when_it_is_there_and_unique() -> None:
    sample = [a_record(("001", str(n)), ("905", a_field(b=f"B{n}"))) for n in range(100)]
    assert identity.identity_report(sample).advice == "001"


def test_the_report_advises_another_rule_when_001_is_a_copied_number() -> None:
    sample = [a_record(("001", "same"), ("905", a_field(b=f"B{n}"))) for n in range(100)]
    report = identity.identity_report(sample)
    assert report.advice == "905b"
    assert {r.rule: (r.missing, r.repeated) for r in report.rules}["001"] == (0, 99)


def test_the_report_advises_the_digest_when_nothing_names_the_records() -> None:
    report = identity.identity_report([a_record(("245", a_field(a=str(n)))) for n in range(10)])
    assert report.advice == "digest"
    assert all(r.missing == 10 for r in report.rules)
