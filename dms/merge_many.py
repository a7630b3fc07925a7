"""MERGE, the pure half: kept bodies of a cluster's members in, the merged record and its description out.

Runs in the process pool, so it imports nothing that opens a database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from catalog import bodies, packing
from catalog.model import CARRIER_NAMES, Carrier, Format
from dms import describe, merge
from protocols import marc, reading


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A member as it is kept."""

    key: str  # source name / local id
    trust: int
    format: int
    carrier: int
    encoding: str
    dictionary: int
    body: bytes


class Job(msgspec.Struct, array_like=True, frozen=True):
    """One cluster to merge: its members, by key."""

    cluster: int
    members: list[Kept]


class Made(msgspec.Struct, array_like=True, frozen=True):
    """A merged record, packed, and its fingerprint; or the fault of ours that kept it from being made."""

    cluster: int
    format: int
    fingerprint: bytes
    description: bytes
    dictionary: int
    content: bytes  # compressed packing.pack_content
    fault: str = ""


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
            made.append(Made(job.cluster, 0, b"", b"", 0, b"", fault=f"{type(error).__name__}: {error}"))
    return made


def _made(job: Job, dictionaries: Mapping[int, bytes], newest: Mapping[int, tuple[int, bytes]]) -> Made:
    members = [
        merge.Member(key=kept.key, format=_FORMATS[kept.format], record=_record(kept, dictionaries), trust=kept.trust)
        for kept in job.members
    ]
    merged = merge.merge(members)
    description = packing.pack_description(describe.describe(merged.record, merged.format))
    number, dictionary = newest.get(merged.format, (0, b""))
    content = bodies.shrink(packing.pack_content(merged.body, description), dictionary)
    return Made(job.cluster, merged.format, merged.fingerprint, description, number, content)


_FORMATS = {int(fmt): fmt for fmt in Format}


def _record(kept: Kept, dictionaries: Mapping[int, bytes]) -> marc.Record:
    raw = bodies.open_body(kept.body, kept.dictionary, dictionaries)
    return reading.decode(raw, CARRIER_NAMES[Carrier(kept.carrier)], kept.encoding)
