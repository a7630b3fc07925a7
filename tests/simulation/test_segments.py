"""Segments as bytes, and the rules of producer, consumer and reconcile where the simulator looks from afar."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
import zstandard

from catalog import payload
from catalog.payload import BUCKETS, CLUSTERS, NOTICES, Change, Kind, encode
from config.errors import BadRecord
from exchange import consumer, manifest, producer, reconcile
from exchange.consumer import CHILD, PARENT, Place, Verdict
from exchange.manifest import Content, Manifest
from exchange.model import (
    MOST_CHANGES,
    MOST_RAW,
    START,
    Cursor,
    Damaged,
    Draft,
    Feed,
    Implausible,
    Incompatible,
    Label,
    Leaf,
    Outgoing,
    Overtaken,
    Segment,
    Untrusted,
    leaf,
)
from tests.simulation.keys import SUITE, Key

KEY = Key("L1")
TRUSTED = {SUITE: KEY}
LABEL = Label(origin="L1", peer="D1", channel=CLUSTERS, made=1)
FEED = Feed(epoch=5, last=9)


def a_bib(ident: str = "t1", seq: int = 1, body: bytes = b"bib", *, epoch: int = 5, redirect: str = "") -> Change:
    return Change(Kind.BIB, ident, epoch, seq, body, redirect)


def a_segment(*changes: Change, base: bytes = b"", epoch: int = 5, seq: int = 9, repair: bool = False) -> Segment:
    return manifest.pack(Draft(epoch=epoch, seq=seq, changes=changes, repair=repair), LABEL, base, KEY)


def signed(core: object) -> bytes:
    packed = encode(core)
    return encode((packed, KEY.sign(packed)))


def judge(segment: Segment | bytes, cursor: Cursor = START, **to: Any) -> consumer.Judged:
    mine: dict[str, Any] = {"me": "D1", "peer": "L1", "channel": CLUSTERS, "trusted": TRUSTED} | to
    return consumer.judge(segment if isinstance(segment, bytes) else segment.manifest, cursor=cursor, **mine)


def opened(segment: Segment) -> Content:
    return manifest.unpack(judge(segment).manifest, segment.content, KEY)


def forged_content(raw: bytes, changes: int, **over: Any) -> tuple[Manifest, bytes]:
    """What a producer may sign, though it should not."""
    content = zstandard.ZstdCompressor().compress(raw)
    core = judge(a_segment()).manifest
    told = {"count": changes, "size": len(raw), "packed": len(content), "digest": KEY.digest(content), **over}
    return msgspec.structs.replace(core, **told), content


def test_a_segment_comes_back_as_it_was() -> None:
    changes = (a_bib(), a_bib("t2", 2, b"", redirect="t1"))
    segment = a_segment(*changes)
    assert manifest.split(manifest.join(segment.manifest, segment.content)) == (segment.manifest, segment.content)
    assert opened(segment) == Content(changes=changes)
    assert manifest.waiting(3, segment.link, segment.manifest).end == segment.end == Cursor(5, 9, segment.link)


@pytest.mark.parametrize("cut", [0, 3, 4, 40])
def test_half_a_manifest_is_damage(cut: int) -> None:
    segment = a_segment(a_bib())
    with pytest.raises(Damaged):
        manifest.split(manifest.join(segment.manifest, segment.content)[:cut])


def test_every_flipped_bit_is_noticed() -> None:
    segment = a_segment(a_bib())
    for at in range(len(segment.manifest) * 8):
        flipped = bytearray(segment.manifest)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises((Damaged, Untrusted)):
            judge(bytes(flipped))
    core = judge(segment).manifest
    for at in range(len(segment.content) * 8):
        flipped = bytearray(segment.content)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(Damaged):
            manifest.unpack(core, bytes(flipped), KEY)


def test_a_segment_for_another_stream_is_refused() -> None:
    segment = a_segment(a_bib())
    others: list[dict[str, Any]] = [{"me": "D2"}, {"peer": "L2"}, {"channel": NOTICES}]
    for other in others:
        with pytest.raises(Untrusted, match="stream of"):
            judge(segment, **other)


def test_an_unknown_suite_and_a_strange_key_are_refused() -> None:
    with pytest.raises(Untrusted, match="simulated"):
        judge(a_segment(), trusted={"sm2-sm3": KEY})
    with pytest.raises(Untrusted, match="no trusted key"):
        judge(a_segment(), trusted={SUITE: Key("D1")})


def test_a_later_release_may_add_values_at_the_end() -> None:
    core = judge(a_segment(a_bib())).manifest
    later = signed([*msgspec.to_builtins(core, builtin_types=(bytes,)), "new", 7])
    assert judge(later).manifest == core
    raw = encode([[*msgspec.to_builtins(a_bib(), builtin_types=(bytes,)), "new"]])
    assert manifest.unpack(*forged_content(raw, 1), KEY).changes == (a_bib(),)


def test_another_version_of_the_protocol_is_named() -> None:
    core = judge(a_segment()).manifest
    with pytest.raises(Incompatible, match="version 9"):
        judge(signed(msgspec.structs.replace(core, proto=9)))


def test_one_unreadable_element_is_set_apart() -> None:
    raw = encode([a_bib(), ["not", "a", "change"], a_bib("t2")])
    content = manifest.unpack(*forged_content(raw, 3), KEY)
    assert [change.id for change in content.changes] == ["t1", "t2"]
    [(element, reason)] = content.unreadable
    assert element == encode(["not", "a", "change"])
    assert reason


@pytest.mark.parametrize(
    ("raw", "over"),
    [
        (b"\xc1", {}),  # no MessagePack
        (encode({"a": 1}), {}),  # no list
        (encode([a_bib()]), {"count": 2}),
        (encode([a_bib()]), {"count": MOST_CHANGES + 1}),
        (encode([a_bib()]), {"size": MOST_RAW + 1}),
        (encode([a_bib()]), {"size": 1}),
    ],
)
def test_what_breaks_the_limits_is_refused_though_it_is_signed(raw: bytes, over: dict[str, int]) -> None:
    with pytest.raises(Incompatible):
        manifest.unpack(*forged_content(raw, 1, **over), KEY)


def test_content_that_needs_too_large_a_window_or_ends_otherwise_is_refused() -> None:
    raw = encode([a_bib(body=b"x" * (9 * 1024 * 1024))])
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    wide = zstandard.ZstdCompressor(compression_params=parameters).compress(raw)
    core, _ = forged_content(raw, 1, packed=len(wide), digest=KEY.digest(wide))
    with pytest.raises(Incompatible, match="window"):
        manifest.unpack(core, wide, KEY)
    more = zstandard.ZstdCompressor().compress(encode([])) + b"and more"
    core, _ = forged_content(encode([]), 0, packed=len(more), digest=KEY.digest(more))
    with pytest.raises(Incompatible, match="unpacked"):
        manifest.unpack(core, more, KEY)


def test_a_bomb_is_never_unpacked() -> None:
    """It says that it is small; the limit is what was announced."""
    bomb = zstandard.ZstdCompressor().compress(bytes(80 * 1024 * 1024))
    core, _ = forged_content(b"", 0, size=100, packed=len(bomb), digest=KEY.digest(bomb))
    with pytest.raises(Incompatible):
        manifest.unpack(core, bomb, KEY)


def test_a_producer_makes_no_segment_that_nobody_would_take() -> None:
    with pytest.raises(BadRecord, match="too large"):
        a_segment(*[a_bib(str(n)) for n in range(MOST_CHANGES + 1)])


def test_the_largest_cut_needs_no_larger_window() -> None:
    assert opened(a_segment(a_bib(body=bytes(range(256)) * (producer.BYTES // 256)))).changes


def test_a_cut_leaves_out_echoes_and_what_the_peer_never_had() -> None:
    known, gone = a_bib("known", 2), a_bib("gone", 3, b"")
    rendered = [known, gone, a_bib("never", 4, b"", redirect="t1"), a_bib("new", 5)]
    cut = producer.cut(FEED, Outgoing(), rendered, {known_key(known): known.digest, known_key(gone): b"alive"}, 9)
    assert [change.id for draft in cut.drafts for change in draft.changes] == ["gone", "new"]
    assert cut.told == (leaf(gone), leaf(rendered[3]))
    assert cut.outgoing.made.place == (5, 9)


def known_key(change: Change) -> tuple[int, str]:
    return change.kind, change.id


def test_an_empty_cut_moves_on_without_a_segment() -> None:
    cut = producer.cut(FEED, Outgoing(made=Cursor(5, 3, b"link")), [a_bib("never", 4, b"")], {}, 9)
    assert (cut.drafts, cut.told, cut.outgoing.made) == ((), (), Cursor(5, 9, b"link"))


def test_nothing_is_cut_while_a_reconcile_is_due() -> None:
    stands = Outgoing(held_up="set back")
    assert producer.cut(FEED, stands, [a_bib()], {}, 9) == producer.Cut(outgoing=stands)


def test_a_long_cut_becomes_a_chain() -> None:
    changes = [a_bib(str(n), n) for n in range(1, producer.CHANGES * 2 + 2)]
    cut = producer.cut(Feed(epoch=5, last=9999), Outgoing(), changes, {}, 9999)
    segments, outgoing = producer.chain(cut, LABEL, b"", KEY)
    assert [segment.end.place for segment in segments] == [(5, 4000), (5, 8000), (5, 9999)]
    cursor = START
    for segment in segments:
        judged = judge(segment, cursor)
        assert judged.verdict is Verdict.NEXT
        cursor = consumer.plan(judged, cursor, opened(segment), {}, CHILD, repr).cursor
    assert cursor == outgoing.made == segments[-1].end


def test_large_records_share_no_segment() -> None:
    half = bytes(producer.BYTES // 2 + 1)
    cut = producer.cut(FEED, Outgoing(), [a_bib("a", 1, half), a_bib("b", 2, half)], {}, 9)
    assert [len(draft.changes) for draft in cut.drafts] == [1, 1]


def test_an_acknowledgement_drops_what_is_behind_it() -> None:
    first, second = a_segment(a_bib()), a_segment(a_bib("t2"))
    waiting = [manifest.waiting(n, each.link, each.manifest) for n, each in enumerate((first, second), 1)]
    assert producer.admit(Outgoing(), waiting, START) == producer.Admitted(known=START, next=1)
    assert producer.admit(Outgoing(), waiting, first.end) == producer.Admitted(known=first.end, upto=1, next=2)
    assert producer.admit(Outgoing(), waiting, second.end) == producer.Admitted(known=second.end, upto=2)
    assert producer.admit(Outgoing(), waiting, Cursor(5, 9, b"strange")).known is None


def test_a_consumer_that_saw_a_lost_future_renews_the_epoch() -> None:
    """A producer is set back and writes on beyond the place that the consumer has seen."""
    stands = Outgoing(made=Cursor(5, 120, b"new"), known=Cursor(5, 50, b"old"))
    feed = Feed(epoch=5, last=130)
    assert producer.outrun(feed, stands, [], Cursor(5, 100, b"lost"), (5, 100)) == 5
    assert producer.outrun(feed, stands, [], Cursor(8, 1, b"lost"), (9, 7)) == 9
    assert producer.outrun(feed, stands, [], Cursor(5, 50, b"old"), (5, 121)) == 5, "its ledger is ahead of its cursor"


def test_a_consumer_that_was_set_back_renews_nothing() -> None:
    stands = Outgoing(made=Cursor(5, 120, b"new"), known=Cursor(5, 110, b"known"))
    assert producer.outrun(Feed(epoch=5, last=130), stands, [], Cursor(5, 60, b"older"), (5, 60)) is None
    assert producer.outrun(Feed(epoch=5, last=130), stands, [], START, (0, 0)) is None


def test_epochs_don_t_run_out_because_somebody_says_so() -> None:
    with pytest.raises(Implausible):
        producer.outrun(FEED, Outgoing(), [], Cursor(2**62, 1, b"far"), (0, 0))
    with pytest.raises(Implausible):
        producer.outrun(FEED, Outgoing(), [], START, (2**62, 0))


def test_a_stream_goes_on_over_a_new_epoch_where_nothing_was_lost() -> None:
    before = a_segment(a_bib())
    stands = Outgoing(made=before.end, known=before.end)
    cut = producer.cut(Feed(epoch=6, last=11), stands, [a_bib("t1", 11, b"newer", epoch=6)], {}, 11)
    [segment], _ = producer.chain(cut, LABEL, before.link, KEY)
    assert judge(segment, before.end).verdict is Verdict.NEXT


def test_the_verdict_is_by_link_and_never_back() -> None:
    first = a_segment(a_bib())
    second = a_segment(a_bib("t2"), base=first.link, seq=12)
    assert judge(first).verdict is Verdict.NEXT
    assert judge(first, first.end).verdict is Verdict.DONE
    assert judge(first, second.end).verdict is Verdict.STALE
    assert judge(second).verdict is Verdict.GAP
    assert judge(a_segment(base=first.link, seq=8), first.end).verdict is Verdict.STALE
    assert judge(second, Cursor(5, 9, b"same place, other link")).verdict is Verdict.GAP


def test_the_fence_keeps_what_is_newer() -> None:
    heard = {leaf(each).key: leaf(each) for each in (a_bib("older", 5), a_bib("same", 5), a_bib("newer", 5))}
    changes = [a_bib("older", 4), a_bib("same", 5), a_bib("newer", 6), a_bib("first", 1), a_bib("newer", 3)]
    kept = [change.id for change, _ in consumer.fence(changes, heard, repair=False)]
    assert kept == ["newer", "first"]


def test_a_repair_replaces_the_same_version_where_it_differs() -> None:
    heard = {leaf(a_bib("same", 5)).key: leaf(a_bib("same", 5))}
    assert consumer.fence([a_bib("same", 5, b"other")], heard, repair=False) == []
    assert consumer.fence([a_bib("same", 5)], heard, repair=True) == []
    assert [change.payload for change, _ in consumer.fence([a_bib("same", 5, b"other")], heard, repair=True)] == [
        b"other"
    ]


def test_each_kind_lands_where_it_belongs_and_others_are_poison() -> None:
    correction = Change(Kind.CORRECTION, "c1", 5, 3, b"...")
    segment = a_segment(a_bib(), correction)
    plan = consumer.plan(judge(segment), START, opened(segment), {}, CHILD, repr)
    assert plan.landing == {Place.INBOX: (a_bib(),)}
    assert [poison.change for poison in plan.poison] == [correction]
    assert [line.id for line in plan.heard] == ["t1", "c1"], "poison was heard too, and is not asked for again"
    plan = consumer.plan(judge(segment), START, opened(segment), {}, PARENT, repr)
    assert set(plan.landing) == {Place.RECEIVED}


def test_a_payload_that_can_t_be_read_is_poison_and_a_tombstone_is_not_read() -> None:
    def read(change: Change) -> None:
        if change.id != "good":
            raise BadRecord("unreadable")

    segment = a_segment(a_bib("good"), a_bib("bad"), a_bib("gone", 1, b""))
    plan = consumer.plan(judge(segment), START, opened(segment), {}, CHILD, read)
    assert [change.id for change in plan.landing[Place.INBOX]] == ["good", "gone"]
    assert [(poison.body, poison.reason) for poison in plan.poison] == [(b"bib", "unreadable")]


def test_buckets_and_leaves_find_what_differs() -> None:
    ledger = [leaf(a_bib(f"t{n}", n)) for n in range(2000)]
    other = [line._replace(epoch=4) for line in ledger if line.id != "t7"]  # versions don't count
    other[100] = other[100]._replace(digest=b"x" * 16)
    other.append(leaf(a_bib("extra")))
    other.append(Leaf(Kind.BIB, "gone", 5, 1, None))  # nor does what is gone
    buckets = reconcile.differing(reconcile.summary(ledger), reconcile.summary(other))
    names = {"t7", other[100].id, "extra"}
    assert set(buckets) == {payload.bucket(Kind.BIB, name) for name in names}
    assert not reconcile.compare(reconcile.summary(ledger), reconcile.summary(other)).equal
    assert {ident for _, ident in reconcile.unequal(ledger, other)} == names
    assert reconcile.top(other) == (5, 1)
    assert reconcile.top([]) == (0, 0)


def test_equal_ledgers_are_proved_equal() -> None:
    ledger = [leaf(a_bib(f"t{n}", n)) for n in range(50)]
    assert reconcile.compare(reconcile.summary(ledger), reconcile.summary(reversed(ledger))).equal
    assert reconcile.summary([]) == bytes(BUCKETS * reconcile.WIDTH)


def test_half_a_summary_is_damage() -> None:
    with pytest.raises(Damaged):
        reconcile.differing(reconcile.summary([]), b"half")


def test_a_repair_takes_the_consumer_over_from_wherever_it_is() -> None:
    feed, cursor = Feed(epoch=6, last=20), Cursor(5, 100, b"lost")
    opening = producer.open_repair(feed, Outgoing(made=Cursor(5, 12, b"mine")), cursor, "set back")
    [first], outgoing = producer.chain(opening, LABEL, cursor.link, KEY)
    assert judge(first, cursor).verdict is Verdict.NEXT
    assert (outgoing.known, outgoing.made.place, outgoing.held_up) == (cursor, (6, 12), "set back")
    keys = [(Kind.BIB, "gone"), (Kind.BIB, "here")]
    cut = producer.repair(outgoing, first.link, keys, [a_bib("here", 3)], final=True)
    [draft] = cut.drafts
    assert [(change.id, change.epoch, change.seq, change.payload) for change in draft.changes] == [
        ("gone", 6, 12, b""),
        ("here", 6, 12, b"bib"),
    ]
    assert draft.repair
    assert cut.outgoing.held_up == ""
    [second], done = producer.chain(cut, LABEL, outgoing.made.link, KEY)
    assert judge(second, first.end).verdict is Verdict.NEXT
    assert judge(first, second.end).verdict is Verdict.STALE
    assert done == replace(outgoing, made=second.end, held_up="")
    for stands in (outgoing, done):  # it has gone on, or is over
        with pytest.raises(Overtaken):
            producer.repair(stands, b"another link", keys, [], final=True)
    with pytest.raises(Overtaken):
        producer.repair(done, second.link, keys, [], final=True)


def test_a_ledger_is_set_right_by_what_is_kept() -> None:
    line = leaf(a_bib())
    assert reconcile.corrected(line, line.digest) is None
    assert reconcile.corrected(line, None) == line._replace(digest=None)
