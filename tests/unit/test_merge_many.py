"""A cluster's memo spares reading its members and never changes what is made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import bodies, packing, stub
from catalog.model import Carrier, Format
from dms import merge_many, sharing
from dms.authority_links import Conflict
from dms.merge import Amendment
from dms.merge_base import Member
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


def made(members: Sequence[Kept], memo: bytes = b"", amendments: tuple[Amendment, ...] = ()) -> Made:
    (one,) = merge_many.make([Job(7, list(members), memo, amendments)], {}, {})
    assert not one.fault
    return one


@settings(max_examples=300, deadline=None)
@given(test_merge.members(), st.data())
def test_with_a_memo_and_without_it_the_same_is_made(found: list[Member], data: st.DataObject) -> None:
    """Records join, leave, change and are trusted otherwise, and the memo is handed on."""
    cast = [kept(member) for member in found]
    cast += [kept(replace(found[0], trust=1 - found[0].trust)), kept(replace(found[-1], key=found[0].key))]
    memo, standing = b"", b""
    conflicts: tuple[Conflict, ...] | None = None
    for _ in range(data.draw(st.integers(2, 5))):
        now = data.draw(st.lists(st.sampled_from(cast), min_size=1, unique_by=lambda one: one.key))
        with_memo, fresh = made(now, memo), made(now)
        assert (with_memo.format, with_memo.fingerprint) == (fresh.format, fresh.fingerprint)
        standing = standing if with_memo.content is None else with_memo.content
        assert standing == fresh.content
        conflicts = conflicts if with_memo.conflicts is None else with_memo.conflicts
        assert conflicts == fresh.conflicts
        memo = with_memo.memo


@settings(max_examples=100, deadline=None)
@given(test_merge.members(), st.data())
def test_a_stub_is_what_the_reduced_members_are_matched_by(found: list[Member], data: st.DataObject) -> None:
    """Nothing to show, whatever was shown before, and the same in any order."""
    unique = {member.key: member for member in found}.values()
    drop = data.draw(st.sampled_from([(), ("2..",)]))
    cast = [msgspec.structs.replace(kept(member), drop=drop) for member in unique]
    shown = made(cast)
    jobs = [Job(7, order, shown.memo, stub=True) for order in (cast, data.draw(st.permutations(cast)))]
    one, other = merge_many.make(jobs, {}, {})
    assert not one.fault and one == other and one.content == b"" == one.memo and one.fingerprint != shown.fingerprint
    if one.format != shown.format:  # what is kept back may be what made the base: no outward form beside it to compare
        return
    leaves = shown.content if shown.outward is None else shown.outward
    whole, _ = packing.unpack_content(bodies.grow(leaves)) if leaves else (b"", b"")
    body, _ = packing.unpack_content(bodies.grow(one.outward)) if one.outward else (b"", b"")
    expected = stub.stub(whole, Format(one.format)) if whole else b""
    assert body == (expected if expected and packing.unpack(expected).fields else b"")


@settings(max_examples=300, deadline=None)
@given(test_merge.members(), st.data())
def test_the_same_where_fields_are_kept_back_and_corrected(found: list[Member], data: st.DataObject) -> None:
    """Sources keep fields back or share them again, and corrections are accepted."""
    tags = sorted({tag for member in found for tag, _ in member.record.fields})
    drops = st.lists(st.sampled_from([*tags, "...", "6..", f"{tags[0]}$a"]), max_size=2).map(tuple)
    fields = [field for member in found for field in member.record.fields]
    memo = b""
    standing: tuple[bytes | None, bytes | None] = b"", None
    corrections: tuple[tuple[str, str, str], ...] = ()
    for _ in range(data.draw(st.integers(2, 5))):
        now = [
            msgspec.structs.replace(kept(member), drop=data.draw(drops))
            for member in data.draw(st.lists(st.sampled_from(found), min_size=1, unique_by=lambda one: one.key))
        ]
        if data.draw(st.booleans()):
            (tag, old), (_, new) = data.draw(st.sampled_from(fields)), data.draw(st.sampled_from(fields))
            corrections += ((tag, old, new),)
        with_memo = made(now, memo, corrections)
        fresh = made(now, b"", corrections)
        assert (with_memo.format, with_memo.fingerprint) == (fresh.format, fresh.fingerprint)
        if with_memo.content is not None:
            standing = with_memo.content, with_memo.outward
        assert standing == (fresh.content, fresh.outward)
        memo = with_memo.memo
        check_outward(now, fresh, corrections)


def check_outward(now: Sequence[Kept], fresh: Made, corrections: tuple[tuple[str, str, str], ...]) -> None:
    """No field leaves that only those have who keep it back."""
    if fresh.outward is None:
        return
    leaving = set(packed_record(fresh.outward).fields) if fresh.outward else set()
    given = {(tag, text) for one in now for tag, text in reduced(one).fields} | {
        (tag, new) for tag, _, new in corrections
    }
    kept_back = {pair for one in now for pair in record_of(one).fields} - given
    assert not leaving & kept_back


def packed_record(content: bytes) -> marc.Record:
    return packing.unpack(packing.unpack_content(bodies.grow(content))[0])


def record_of(one: Kept) -> marc.Record:
    return reading.decode(bodies.grow(one.body), "marcjson", "utf-8")


def reduced(one: Kept) -> marc.Record:
    return sharing.reduced(record_of(one), one.drop)


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


def test_what_is_kept_back_is_shown_here_and_leaves_only_if_another_shares_it() -> None:
    note = test_merge.member("n", "245 10$aTitle", "500 __$aInternal", "650 _0$aHistory")
    one = made([msgspec.structs.replace(kept(note), drop=("500",))])
    assert one.content is not None and one.outward
    assert packed_record(one.content).first("500") and not packed_record(one.outward).first("500")
    assert made([kept(note)]).outward is None, "nothing kept back: one form"
    assert made([msgspec.structs.replace(kept(note), drop=("9..",))]).outward is None, "nor where it has none"
    assert made([msgspec.structs.replace(kept(note), drop=("...",))]).outward == b"", "nothing is left to leave"
    twin = kept(replace(note, key="z"))
    both = made([msgspec.structs.replace(kept(note), drop=("500",)), twin], one.memo)
    assert both.outward is None and both.content is not None
    assert both.fingerprint != one.fingerprint, "the outward form alone is news"


def test_a_correction_names_the_very_field_and_says_nothing_twice() -> None:
    wrong, right = "_0\x1faHistry".replace("_", " "), "_0\x1faHistory".replace("_", " ")
    member = test_merge.member("a", "245 10$aTitle", "650 _0$aHistry", "650 _0$aHistory", "651 _0$aHistry")
    one = made([kept(member)], b"", (("650", wrong, right),))
    assert one.content is not None
    record = packed_record(one.content)
    assert record.all("650") == [right] and record.all("651") == [wrong]
    same = made([kept(member)], b"", (("650", "  \x1fanobody", right),))
    assert same.fingerprint == made([kept(member)]).fingerprint, "one that finds nothing is no news"
    chain = made([kept(member)], b"", (("651", wrong, right), ("651", right, wrong + "!")))
    assert chain.content is not None and packed_record(chain.content).all("651") == [wrong + "!"]
