"""MERGE, the pure half: kept bodies of a cluster's members in, the merged record and its description out.

Most clusters change because a record joins that adds nothing. So what is known of the members is kept with the merged
record as a memo: which one is the base, and who is idle beside it. Then a join costs reading two records, however many
there are. A memo never changes an answer: with it and without it the merged record is the same.

Runs in the process pool, so it imports nothing that opens a database.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import msgspec

from catalog import bodies, packing
from catalog.model import CARRIER_NAMES, Carrier, Format
from dms import describe, merge, merge_policy
from dms.merge import Member, Merged
from protocols import reading

VERSION = 1  # part of every memo: raise it when records are merged or described differently
MARK = 8  # bytes


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


class Job(msgspec.Struct, array_like=True, frozen=True):
    """One cluster to merge: its members, by key, and the memo of the last time (b"" = none)."""

    cluster: int
    members: list[Kept]
    memo: bytes = b""

    def __reduce__(self) -> tuple[Callable[[bytes], Job], tuple[bytes]]:
        """To the pool and back in one piece: member by member, pickling costs five times as much."""
        return _unpacked, (_encode(self),)


class Made(msgspec.Struct, array_like=True, frozen=True):
    """A merged record, packed, and its fingerprint; or the fault of ours that kept it from being made."""

    cluster: int
    format: int
    fingerprint: bytes  # 16 bytes over format and record, and the rules that made and described them
    dictionary: int
    content: bytes | None  # compressed packing.pack_content; None = what it was when the memo was made
    memo: bytes
    fault: str = ""


class Memo(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of a cluster since it was merged. A mark stands for a member as it was then."""

    rules: bytes
    fingerprint: bytes  # Made.fingerprint
    base: bytes  # mark of the base
    active: bytes  # marks, one after the other, of members that were asked
    idle: bytes  # marks of members that may be left out (`merge.idle`)


_encode = msgspec.msgpack.Encoder().encode
_decode_memo = msgspec.msgpack.Decoder(Memo).decode
_decode_job = msgspec.msgpack.Decoder(Job).decode


def make(jobs: Sequence[Job], dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> list[Made]:
    """Merge clusters. The same members give the same bytes, whatever their order or numbers.

    `dictionaries`: of the kept bodies, by number; `newest`: (number, bytes) to compress merged records with, by format.
    A cluster that our rules fail on doesn't keep the others from being merged.
    """
    # One object for each dictionary, however often it comes: (de)compressors are found by it.
    known = {number: _dictionaries.setdefault(number, body) for number, body in dictionaries.items()}
    best = {fmt: (number, _dictionaries.setdefault(number, body)) for fmt, (number, body) in newest.items()}
    made = []
    for job in jobs:
        try:
            made.append(_made(job, known, best))
        except Exception as error:
            made.append(Made(job.cluster, 0, b"", 0, None, b"", fault=f"{type(error).__name__}: {error}"))
    return made


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
        kept = self.kept[mark]
        raw = bodies.open_body(kept.body, kept.dictionary, self._dictionaries)
        record = reading.decode(raw, CARRIER_NAMES[Carrier(kept.carrier)], kept.encoding)
        self._read[mark] = found = Member(key=kept.key, format=_FORMATS[kept.format], record=record, trust=kept.trust)
        return found

    def memo(self, fingerprint: bytes, base: bytes, idle: Set[bytes]) -> bytes:
        """What is known of it now."""
        others = [mark for mark in self.kept if mark != base]
        active = b"".join([mark for mark in others if mark not in idle])
        return _encode(Memo(_rules(), fingerprint, base, active, b"".join([mark for mark in others if mark in idle])))


def _made(job: Job, dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> Made:
    cluster = _Cluster(job, dictionaries)
    memo = _decode_memo(job.memo) if job.memo else None
    if memo is None or memo.rules != _rules() or memo.base not in cluster.kept:
        return _whole(job.cluster, cluster, b"", newest)
    base = cluster.kept[memo.base]
    active, idle = _split(memo.active), _split(memo.idle)
    asked = [mark for mark in cluster.kept if mark != memo.base and mark not in idle]
    fresh = [mark for mark in asked if mark not in active]
    useless = merge.idle(cluster.members([memo.base])[0], cluster.members(fresh))
    if useless is None:
        return _whole(job.cluster, cluster, memo.fingerprint, newest)
    idle.update(cluster.marks[key] for key in useless)
    if idle.issuperset(fresh) and len(asked) == len(fresh) + len(active):  # nobody has left who was asked
        found = cluster.memo(memo.fingerprint, memo.base, idle)
        return Made(job.cluster, base.format, memo.fingerprint, 0, None, found)
    merged = merge.merge(cluster.members([memo.base, *(mark for mark in asked if mark not in idle)]))
    if merged.base != base.key:
        return _whole(job.cluster, cluster, memo.fingerprint, newest)
    return _packed(job.cluster, cluster, merged, idle, memo.fingerprint, newest)


def _whole(number: int, cluster: _Cluster, before: bytes, newest: Mapping[int, tuple[int, bytes]]) -> Made:
    """Merge all members."""
    return _packed(number, cluster, merge.merge(cluster.members(cluster.kept)), set(), before, newest)


def _packed(
    number: int,
    cluster: _Cluster,
    merged: Merged,
    idle: set[bytes],
    before: bytes,
    newest: Mapping[int, tuple[int, bytes]],
) -> Made:
    """The merged record for the feed; `before`: the fingerprint that stands."""
    idle.update(cluster.marks[key] for key in merged.idle)
    fingerprint = hashlib.blake2b(_rules() + merged.fingerprint, digest_size=16).digest()
    memo = cluster.memo(fingerprint, cluster.marks[merged.base], idle)
    if fingerprint == before:
        return Made(number, merged.format, fingerprint, 0, None, memo)
    description = packing.pack_description(describe.describe(merged.record, merged.format))
    kind, dictionary = newest.get(merged.format, (0, b""))
    content = bodies.shrink(packing.pack_content(merged.body, description), dictionary)
    return Made(number, merged.format, fingerprint, kind, content, memo)


_FORMATS = {int(fmt): fmt for fmt in Format}
_dictionaries: dict[int, bytes] = {}


def _unpacked(job: bytes) -> Job:
    return _decode_job(job)


@functools.cache
def _rules() -> bytes:
    return hashlib.blake2b(b"%d" % VERSION + merge_policy.builtin().digest, digest_size=8).digest()


def _mark(kept: Kept) -> bytes:
    """Another one if anything of the member that counts is another."""
    told = f"{kept.key}\0{kept.trust}\0{kept.format}\0".encode() + kept.digest
    return hashlib.blake2b(told, digest_size=MARK).digest()


def _split(marks: bytes) -> set[bytes]:
    return {marks[at : at + MARK] for at in range(0, len(marks), MARK)}
