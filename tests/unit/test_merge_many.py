"""A cluster's memo spares reading its members and never changes what is made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import bodies
from catalog.model import Carrier
from dms import merge_many
from dms.merge import Member
from dms.merge_many import Job, Kept, Made
from protocols import marc, marcjson, reading
from tests.unit import test_merge


def kept(member: Member) -> Kept:
    raw = marcjson.write(member.record).encode()
    return Kept(
        key=member.key,
        trust=member.trust,
        format=member.format,
        carrier=Carrier.MARCJSON,
        encoding="utf-8",
        dictionary=0,
        digest=hashlib.sha256(raw).digest(),
        body=bodies.shrink(raw),
    )


def made(members: Sequence[Kept], memo: bytes = b"") -> Made:
    (one,) = merge_many.make([Job(7, list(members), memo)], {}, {})
    assert not one.fault
    return one


@settings(max_examples=300, deadline=None)
@given(test_merge.members(), st.data())
def test_with_a_memo_and_without_it_the_same_is_made(found: list[Member], data: st.DataObject) -> None:
    """Records join, leave, change and are trusted otherwise, and the memo is handed on."""
    cast = [kept(member) for member in found]
    cast += [kept(replace(found[0], trust=1 - found[0].trust)), kept(replace(found[-1], key=found[0].key))]
    memo, standing = b"", b""
    for _ in range(data.draw(st.integers(2, 5))):
        now = data.draw(st.lists(st.sampled_from(cast), min_size=1, unique_by=lambda one: one.key))
        with_memo, fresh = made(now, memo), made(now)
        assert (with_memo.format, with_memo.fingerprint) == (fresh.format, fresh.fingerprint)
        standing = standing if with_memo.content is None else with_memo.content
        assert standing == fresh.content
        memo = with_memo.memo


BASE = test_merge.member("a", "245 10$aTitle", "650 _0$aHistory", "260 __$aBeijing", trust=5)
COPY = test_merge.member("b", "001 1", "245 10$aTitle", "650 _0$aHistory")
GIVER = test_merge.member("c", "245 10$aTitle", "650 _0$aGeography")


def test_a_record_that_adds_nothing_is_merged_by_reading_it_and_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made([kept(BASE), kept(COPY), kept(GIVER)])
    assert first.content is not None
    read: list[int] = []
    sound = reading.decode

    def counting(raw: bytes, carrier: str, encoding: str) -> marc.Record:
        read.append(len(raw))
        return sound(raw, carrier, encoding)

    monkeypatch.setattr(reading, "decode", counting)
    another = kept(replace(COPY, key="d"))
    second = made([kept(BASE), kept(COPY), kept(GIVER), another], first.memo)
    assert (second.content, second.fingerprint, len(read)) == (None, first.fingerprint, 2)
    third = made([kept(BASE), kept(GIVER), another], second.memo)
    assert (third.content, third.fingerprint, len(read)) == (None, first.fingerprint, 3)


def test_a_memo_made_by_other_rules_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [kept(BASE), kept(COPY)]
    before = made(members)
    monkeypatch.setattr(merge_many, "_rules", lambda: b"newrules")
    after = made(members, before.memo)
    assert after.content == before.content
    assert after.fingerprint != before.fingerprint


def test_under_another_base_nobody_is_idle_by_the_old_memo() -> None:
    first = made([kept(BASE), kept(COPY)])
    better = kept(test_merge.member("z", "245 10$aTitle", "300 __$a1 p.", trust=9))
    second = made([kept(BASE), kept(COPY), better], first.memo)
    assert second.fingerprint != first.fingerprint
    changed = kept(
        test_merge.member("a", "245 10$aTitle", "260 __$aBeijing", trust=5)
    )  # its subject is COPY's alone now
    third = made([changed, kept(COPY), better], second.memo)
    assert third.fingerprint == made([changed, kept(COPY), better]).fingerprint == second.fingerprint


def test_an_older_copy_from_a_trusted_source_leaves_the_base_where_it_is() -> None:
    """The agency is known, so the trust of who sent the record doesn't count."""
    base = kept(test_merge.member("a", "005 20240101000000.0", "040 __$aDLC", "245 10$aTitle"))
    other = kept(test_merge.member("b", "005 20200101000000.0", "040 __$aDLC", "245 10$aTITLE"))
    copy = kept(test_merge.member("c", "005 20100101000000.0", "040 __$aDLC", "245 10$aTitle", trust=9))
    first = made([base, other])
    joined = made([base, other, copy], first.memo)
    assert joined.fingerprint == made([base, other, copy]).fingerprint == first.fingerprint
