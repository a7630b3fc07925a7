"""MERGE, the pure half: kept bodies of a cluster's members in, the merged record and its description out.

Most clusters change because a record joins that adds nothing. So what is known of the members is kept with the merged
record as a memo: which one is the base, and who is idle beside it. Then a join costs reading two records, however many
there are. A memo never changes an answer: with it and without it the merged record is the same.

Runs in the process pool, so it imports nothing that opens a database.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from catalog import bodies, packing
from catalog.model import CARRIER_NAMES, Carrier, Format
from dms import describe, merge, merge_policy
from dms.merge import Member
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


def make(jobs: Sequence[Job], dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> list[Made]:
    """Merge clusters. The same members give the same bytes, whatever their order or numbers.

    `dictionaries`: of the kept bodies, by number; `newest`: (number, bytes) to compress merged records with, by format.
    A cluster that our rules fail on doesn't keep the others from being merged.
    """
    made = []
    for job in jobs:
        try:
            made.append(_made(job, dictionaries, newest))
        except Exception as error:
            made.append(Made(job.cluster, 0, b"", 0, None, b"", fault=f"{type(error).__name__}: {error}"))
    return made


def _made(job: Job, dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> Made:
    opened: dict[int, Member] = {}

    def members(places: Iterable[int]) -> list[Member]:
        for place in places:
            if place not in opened:
                opened[place] = _member(job.members[place], dictionaries)
        return [opened[place] for place in places]

    marks = [_mark(kept) for kept in job.members]
    memo = _decode_memo(job.memo) if job.memo else None
    merged = None
    idle: set[bytes] = set()
    if memo is not None and memo.rules == _rules() and memo.base in marks:
        base = marks.index(memo.base)
        idle = _split(memo.idle)
        active = _split(memo.active)
        asked = [place for place, mark in enumerate(marks) if place != base and mark not in idle]
        fresh = [place for place in asked if marks[place] not in active]
        if len(asked) == len(fresh) + len(active):  # none of those that were asked has left
            useless = merge.idle(members([base])[0], members(fresh))
            if len(useless) == len(fresh):
                idle.update(marks[place] for place in fresh)
                found = _memo(memo.fingerprint, marks, base, idle)
                return Made(job.cluster, job.members[base].format, memo.fingerprint, 0, None, found)
        merged = merge.merge(members([base, *asked]))
        if merged.base != job.members[base].key:
            merged, idle = None, set()
    merged = merged or merge.merge(members(range(len(marks))))
    places = {kept.key: place for place, kept in enumerate(job.members)}
    idle.update(marks[places[key]] for key in merged.idle)
    fingerprint = hashlib.blake2b(_rules() + merged.fingerprint, digest_size=16).digest()
    found = _memo(fingerprint, marks, places[merged.base], idle)
    if memo is not None and memo.fingerprint == fingerprint:
        return Made(job.cluster, merged.format, fingerprint, 0, None, found)
    description = packing.pack_description(describe.describe(merged.record, merged.format))
    number, dictionary = newest.get(merged.format, (0, b""))
    content = bodies.shrink(packing.pack_content(merged.body, description), dictionary)
    return Made(job.cluster, merged.format, fingerprint, number, content, found)


_FORMATS = {int(fmt): fmt for fmt in Format}


def _member(kept: Kept, dictionaries: Mapping[int, bytes]) -> Member:
    raw = bodies.open_body(kept.body, kept.dictionary, dictionaries)
    record = reading.decode(raw, CARRIER_NAMES[Carrier(kept.carrier)], kept.encoding)
    return Member(key=kept.key, format=_FORMATS[kept.format], record=record, trust=kept.trust)


@functools.cache
def _rules() -> bytes:
    return hashlib.blake2b(b"%d" % VERSION + merge_policy.builtin().digest, digest_size=8).digest()


def _mark(kept: Kept) -> bytes:
    """Another one if anything of the member that counts is another."""
    told = f"{kept.key}\0{kept.trust}\0{kept.format}\0".encode() + kept.digest
    return hashlib.blake2b(told, digest_size=MARK).digest()


def _split(marks: bytes) -> set[bytes]:
    return {marks[at : at + MARK] for at in range(0, len(marks), MARK)}


def _memo(fingerprint: bytes, marks: Sequence[bytes], base: int, idle: Set[bytes]) -> bytes:
    """The memo of the members with these marks."""
    others = [mark for place, mark in enumerate(marks) if place != base]
    active = b"".join([mark for mark in others if mark not in idle])
    return _encode(Memo(_rules(), fingerprint, marks[base], active, b"".join([m for m in others if m in idle])))
