"""MERGE, the pure half: kept bodies of a cluster's members in, the merged record and its description out.

Most clusters change because a record joins that adds nothing. So what is known of the members is kept with the merged
record as a memo: which one is the base, and who is idle beside it. Then a join costs reading two records, however many
there are. A memo never changes an answer: with it and without it the merged record is the same.

Where a member's source keeps fields back, there are two views of the cluster: the one that is shown here, and the one
of the reduced members, which leaves the node. Each has a memo of its own.

Runs in the process pool, so it imports nothing that opens a database.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from catalog import bodies, original, packing, stub
from catalog.model import Format
from dms import describe, merge, merge_policy, sharing
from dms.authority_links import Conflict
from dms.merge import Merged
from dms.merge_base import Member
from protocols.charsets import private

VERSION = 2  # part of every memo: raise it when records are merged or described differently
MARK = 8  # bytes
BEST = 100  # score of a record without findings


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A member as it is kept."""

    key: str  # source name / local id
    trust: int
    format: int
    carrier: int
    encoding: str
    dictionary: int
    digest: bytes  # of the bytes as received
    body: bytes
    score: int | None = None  # 0 to 100 by the rules; None = not judged
    drop: tuple[str, ...] = ()  # what its source keeps back (dms.sharing)
    pinned: bool = False  # a cataloguer made it the base


class Job(msgspec.Struct, array_like=True, frozen=True):
    """One cluster to merge: its members, by key, the memo of the last time (b"" = none), accepted corrections.

    `stub`: of its members the holdings only are shared.
    """

    cluster: int
    members: list[Kept]
    memo: bytes = b""
    amendments: tuple[merge.Amendment, ...] = ()
    stub: bool = False

    def __reduce__(self) -> tuple[Callable[[bytes], Job], tuple[bytes]]:
        """To the pool and back in one piece: member by member, pickling costs five times as much."""
        return _unpacked, (_encode(self),)


class Made(msgspec.Struct, array_like=True, frozen=True):
    """A merged record, packed, and its fingerprint; or the fault of ours that kept it from being made."""

    cluster: int
    format: int
    fingerprint: bytes  # 16 bytes over format, record and outward form, and the rules that made and described them
    dictionary: int  # of content and outward
    content: bytes | None  # compressed packing.pack_content; None = it and `outward` are what they were; empty = a stub
    memo: bytes
    outward: bytes | None = None  # what leaves the node, the same way; None = the content; empty = nothing
    fault: str = ""
    conflicts: tuple[Conflict, ...] | None = None  # ids of authority records that contradict; None = as they were


class Memo(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of a cluster since it was merged. A mark stands for a member as it was then."""

    rules: bytes
    fingerprint: bytes  # Made.fingerprint
    base: bytes  # mark of the base
    active: bytes  # marks, one after the other, of members that were asked
    idle: bytes  # marks of members that may be left out (`merge.idle`)
    outward: bytes = b""  # the memo of the reduced members, if they were merged


_encode = msgspec.msgpack.Encoder().encode
_decode_memo = msgspec.msgpack.Decoder(Memo).decode
_decode_job = msgspec.msgpack.Decoder(Job).decode


def make(jobs: Sequence[Job], dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> list[Made]:
    """Merge clusters. The same members give the same bytes, whatever their order or numbers.

    `dictionaries`: of the kept bodies, by number; `newest`: (number, bytes) to compress merged records with, by format.
    A cluster that our rules fail on doesn't keep the others from being merged.
    """
    # One object for each dictionary, however often it comes: (de)compressors are found by it.
    private.learn(dictionaries)
    known = {number: _dictionaries.setdefault(number, body) for number, body in dictionaries.items()}
    best = {fmt: (number, _dictionaries.setdefault(number, body)) for fmt, (number, body) in newest.items()}
    made = []
    for job in jobs:
        try:
            made.append(_made(job, known, best))
        except Exception as error:
            made.append(Made(job.cluster, 0, b"", 0, None, b"", fault=f"{type(error).__name__}: {error}"))
    return made


def member(kept: Kept, dictionaries: Mapping[int, bytes]) -> Member:
    """A member out of what is kept of it. BadRecord if the bytes can't be read."""
    raw = bodies.open_body(kept.body, kept.dictionary, dictionaries)
    return Member(
        key=kept.key,
        format=_FORMATS[kept.format],
        record=original.record(raw, kept.carrier, kept.encoding),
        trust=kept.trust,
        findings=0 if kept.score is None else BEST - kept.score,
        pinned=kept.pinned,
    )


class _Cluster:
    """A job's members by mark, read when they are asked for."""

    def __init__(self, job: Job, dictionaries: Mapping[int, bytes]) -> None:
        self._dictionaries = dictionaries
        self._read: dict[bytes, Member] = {}
        self.kept = {_mark(kept): kept for kept in job.members}
        self.marks = {kept.key: mark for mark, kept in self.kept.items()}

    def members(self, marks: Iterable[bytes]) -> list[Member]:
        """The members with these marks."""
        return [self._read.get(mark) or self._member(mark) for mark in marks]

    def _member(self, mark: bytes) -> Member:
        self._read[mark] = found = member(self.kept[mark], self._dictionaries)
        return found


class _Reduced(_Cluster):
    """The same members without what their sources keep back."""

    def __init__(self, whole: _Cluster) -> None:
        self.kept, self.marks = whole.kept, whole.marks
        self._whole = whole
        self._read = {}

    def _member(self, mark: bytes) -> Member:
        (found,) = self._whole.members([mark])
        drop = self.kept[mark].drop
        if drop:
            record = sharing.reduced(found.record, drop)
            found = replace(found, record=record)
        self._read[mark] = found
        return found


@dataclass(slots=True)
class _Seen:
    """One view of a cluster, merged."""

    base: bytes  # mark
    idle: set[bytes]  # marks
    merged: Merged | None = None  # None = what it was when the memo was made


def _made(job: Job, dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> Made:
    if job.stub:
        return _stub(job, dictionaries, newest)
    rules = _rules_for(job)
    whole = _Cluster(job, dictionaries)
    memo = _decode_memo(job.memo) if job.memo else None
    if memo is not None and (memo.rules != rules or memo.base not in whole.kept):
        memo = None
    inside = _see(whole, memo)
    reduced = _Reduced(whole) if [kept for kept in job.members if kept.drop] else None
    outside = _see_outward(reduced, memo) if reduced else None
    if memo and not inside.merged and bool(memo.outward) == bool(outside) and not (outside and outside.merged):
        found = _memo(whole, rules, memo.fingerprint, inside, outside)
        return Made(job.cluster, whole.kept[inside.base].format, memo.fingerprint, 0, None, found)
    shown = inside.merged or _again(whole, inside)
    if job.amendments:
        shown = merge.amended(shown, job.amendments)
    leaving = None
    if reduced and outside:
        leaving = outside.merged or _again(reduced, outside)
        if leaving.format is not shown.format:  # it is told of as a record of this format
            alike = [mark for mark, kept in reduced.kept.items() if kept.format == shown.format]
            leaving, outside = merge.merge(reduced.members(alike)), None
        leaving = merge.amended(leaving, job.amendments)
        if leaving.body == shown.body:
            leaving = None
    told = _rules() + shown.fingerprint + (leaving.fingerprint if leaving else b"")
    fingerprint = hashlib.blake2b(told, digest_size=16).digest()
    found = _memo(whole, rules, fingerprint, inside, outside)
    conflicts = shown.conflicts
    if memo and fingerprint == memo.fingerprint:
        return Made(job.cluster, shown.format, fingerprint, 0, None, found, conflicts=conflicts)
    number, dictionary = newest.get(shown.format, (0, b""))
    content = _content(shown, dictionary)
    outward = None if leaving is None else _content(leaving, dictionary) if leaving.record.fields else b""
    return Made(job.cluster, shown.format, fingerprint, number, content, found, outward, conflicts=conflicts)


def _stub(job: Job, dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> Made:
    """Nothing to show, and what the cluster is matched by to tell."""
    reduced = _Reduced(_Cluster(job, dictionaries))
    merged = merge.amended(merge.merge(reduced.members(reduced.kept)), job.amendments)
    body = stub.stub(merged.body, merged.format)
    fingerprint = hashlib.blake2b(b"stub" + _rules() + bytes([merged.format]) + body, digest_size=16).digest()
    number, dictionary = newest.get(merged.format, (0, b""))
    outward = bodies.shrink(packing.pack_content(body, b""), dictionary) if packing.unpack(body).fields else b""
    return Made(job.cluster, merged.format, fingerprint, number, b"", b"", outward, conflicts=())


def _see(cluster: _Cluster, memo: Memo | None) -> _Seen:
    """Merge as little as the memo allows."""
    if memo is None or memo.base not in cluster.kept:
        return _all(cluster)
    base = cluster.kept[memo.base]
    active, idle = _split(memo.active), _split(memo.idle)
    asked = [mark for mark in cluster.kept if mark != memo.base and mark not in idle]
    fresh = [mark for mark in asked if mark not in active]
    useless = merge.idle(cluster.members([memo.base])[0], cluster.members(fresh))
    if useless is None:
        return _all(cluster)
    idle.update(cluster.marks[key] for key in useless)
    seen = _Seen(memo.base, idle)
    if idle.issuperset(fresh) and len(asked) == len(fresh) + len(active):  # nobody has left who was asked
        return seen
    merged = _again(cluster, seen)
    return seen if merged.base == base.key else _all(cluster)


def _see_outward(cluster: _Cluster, memo: Memo | None) -> _Seen:
    return _see(cluster, _decode_memo(memo.outward) if memo and memo.outward else None)


def _all(cluster: _Cluster) -> _Seen:
    """Merge all members."""
    merged = merge.merge(cluster.members(cluster.kept))
    return _Seen(cluster.marks[merged.base], {cluster.marks[key] for key in merged.idle}, merged)


def _again(cluster: _Cluster, seen: _Seen) -> Merged:
    """Merge the base and those that are not idle."""
    others = [mark for mark in cluster.kept if mark != seen.base and mark not in seen.idle]
    seen.merged = merge.merge(cluster.members([seen.base, *others]))
    seen.idle.update(cluster.marks[key] for key in seen.merged.idle)
    return seen.merged


def _memo(cluster: _Cluster, rules: bytes, fingerprint: bytes, inside: _Seen, outside: _Seen | None) -> bytes:
    """What is known of the cluster now."""
    outward = _memo(cluster, rules, fingerprint, outside, None) if outside else b""
    others = [mark for mark in cluster.kept if mark != inside.base]
    active = b"".join([mark for mark in others if mark not in inside.idle])
    idle = b"".join([mark for mark in others if mark in inside.idle])
    return _encode(Memo(rules, fingerprint, inside.base, active, idle, outward))


def _content(merged: Merged, dictionary: bytes) -> bytes:
    description = packing.pack_description(describe.describe(merged.record, merged.format))
    return bodies.shrink(packing.pack_content(merged.body, description), dictionary)


_FORMATS = {int(fmt): fmt for fmt in Format}
_dictionaries: dict[int, bytes] = {}


def _unpacked(job: bytes) -> Job:
    return _decode_job(job)


@functools.cache
def _rules() -> bytes:
    return hashlib.blake2b(b"%d" % VERSION + merge_policy.builtin().digest, digest_size=8).digest()


def _rules_for(job: Job) -> bytes:
    """The rules and the corrections: a memo made under others counts for nothing."""
    if not job.amendments:
        return _rules()
    return hashlib.blake2b(_rules() + msgspec.msgpack.encode(job.amendments), digest_size=8).digest()


def _mark(kept: Kept) -> bytes:
    """Another one if anything of the member that counts is another."""
    told = f"{kept.key}\0{kept.trust}\0{kept.format}\0".encode() + kept.digest
    if kept.score is not None:
        told += b"\0%d" % kept.score
    if kept.drop:
        told += b"\0" + "\0".join(kept.drop).encode()
    if kept.pinned:
        told += b"\0pinned"
    return hashlib.blake2b(told, digest_size=MARK).digest()


def _split(marks: bytes) -> set[bytes]:
    return {marks[at : at + MARK] for at in range(0, len(marks), MARK)}
