"""One record out of a cluster's records, by policy; the same set in any order gives the same bytes.

The base record is chosen by a total order that knows no row numbers and no arrival. Its fields stand; other records of
its format add what it lacks (merge_policy.toml). Holdings and local fields are not part of a merged record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog import packing
from catalog.model import Format
from dms import merge_fields
from dms.authority_links import Conflict
from dms.formats import identifiers
from dms.merge_base import Member, rank
from dms.merge_policy import FormatPolicy, Policy, builtin
from protocols import marc

Fields = tuple[tuple[str, str], ...]
Amendment = tuple[str, str, str]  # tag, old and new text of a field


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The cluster's record."""

    format: Format
    record: marc.Record
    body: bytes  # the record packed (catalog.packing)
    fingerprint: bytes  # 16 bytes over format and body: equal if and only if nothing would be seen to change
    base: str  # key of the base member
    origins: tuple[str, ...]  # for each field, the key of the member whose text it is
    idle: frozenset[str]  # keys of members that were not needed, see `idle`
    conflicts: tuple[Conflict, ...] = ()  # ids of authority records that contradict


def merge(members: Sequence[Member], policy: Policy | None = None) -> Merged:
    """Merge one or more members with distinct keys."""
    policy = policy or builtin()
    useless: frozenset[str] = frozenset()
    conflicts: tuple[Conflict, ...] = ()
    if len(members) == 1:
        base = members[0]
        fields = kept(base.record, policy.formats[base.format])
        origins = (base.key,) * len(fields)
    else:
        base, fields, origins, useless, conflicts = _together(members, policy)
    record = marc.Record(_leader(base.record.leader), fields)
    body = packing.pack(record)
    return Merged(
        format=base.format,
        record=record,
        body=body,
        fingerprint=_fingerprint(base.format, body),
        base=base.key,
        origins=origins,
        idle=useless,
        conflicts=conflicts,
    )


def amended(merged: Merged, amendments: Sequence[Amendment]) -> Merged:
    """The merged record with corrections applied in their order: (tag, text that must stand there, text instead).

    Where the new text is there already, the field that would say it twice goes. No text before: a field is put in,
    behind those of smaller tags; none after: it goes.
    """
    fields = list(zip(merged.record.fields, merged.origins, strict=True))
    for tag, old, new in amendments:
        if not new:
            fields = [one for one in fields if one[0] != (tag, old)]
        elif not old:
            if all(pair != (tag, new) for pair, _ in fields):
                place = next((n + 1 for n in range(len(fields) - 1, -1, -1) if fields[n][0][0] <= tag), 0)
                fields.insert(place, ((tag, new), merged.base))
        elif any(pair == (tag, old) for pair, _ in fields):
            found = [((tag, new), origin) if pair == (tag, old) else (pair, origin) for pair, origin in fields]
            fields = [
                one for place, one in enumerate(found)
                if one[0] != (tag, new) or all(other != (tag, new) for other, _ in found[:place])
            ]  # fmt: skip
    now = tuple(pair for pair, _ in fields)
    if now == merged.record.fields:
        return merged
    record = marc.Record(merged.record.leader, now)
    body = packing.pack(record)
    return replace(
        merged,
        record=record,
        body=body,
        fingerprint=_fingerprint(merged.format, body),
        origins=tuple(origin for _, origin in fields),
    )


def _fingerprint(fmt: Format, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16, person=fmt.name.encode()).digest()


def idle(base: Member, others: Sequence[Member], policy: Policy | None = None) -> frozenset[str] | None:
    """Keys of the members that add nothing to `base`, whoever else adds what; None if one ranks above it.

    As long as `base` is the base, a cluster gives the same merged record with them and without them.
    """
    policy = policy or builtin()
    stands = rank(base, policy)
    if any(rank(member, policy) < stands for member in others):
        return None
    beside = _Beside(base, kept(base.record, policy.formats[base.format]), policy)
    return frozenset([m.key for m in others if beside.is_idle(m, kept(m.record, policy.formats[m.format]))])


class _Beside:
    """A base, and what others add to it."""

    def __init__(self, base: Member, fields: Fields, policy: Policy) -> None:
        self._identifiers = policy.identifiers
        self.base = base
        self.gathering = merge_fields.Gathering(policy, base.format, fields, base.key)
        self.numbers = [_numbers(kind, fields, places[base.format]) for kind, places in policy.identifiers]

    def is_idle(self, member: Member, fields: Fields) -> bool:
        """Nothing is to be had from the member, whatever others add."""
        if member.format is self.base.format:
            return self.gathering.is_idle(fields)
        return all(
            number in known
            for (kind, places), known in zip(self._identifiers, self.numbers, strict=True)
            for number, _ in _offers(kind, member, places)
        )

    def with_identifiers(
        self, foreign: Sequence[Member], fields: Fields, origins: tuple[str, ...]
    ) -> tuple[Fields, tuple[str, ...]]:
        """Standard numbers of members of the other format, where they are missing (until records are converted)."""
        for (kind, places), known in zip(self._identifiers, self.numbers, strict=True):
            tag, code = places[self.base.format]
            have = known | _numbers(kind, fields, places[self.base.format])
            for member in foreign:
                for number, value in _offers(kind, member, places):
                    if number not in have:
                        have.add(number)
                        at = merge_fields.place(fields, tag)
                        fields = (*fields[:at], (tag, marc.field("  ", [(code, value)])), *fields[at:])
                        origins = (*origins[:at], member.key, *origins[at:])
        return fields, origins


def _together(
    members: Sequence[Member], policy: Policy
) -> tuple[Member, Fields, tuple[str, ...], frozenset[str], tuple[Conflict, ...]]:
    """The base, all fields, their origins, the keys of idle members, and conflicts of authority ids."""
    ranks = {member.key: rank(member, policy) for member in members}
    contents: dict[tuple[Format, str, Fields], list[Member]] = {}
    for member in members:  # many members are copies of one shared record
        content = kept(member.record, policy.formats[member.format])
        contents.setdefault((member.format, _leader(member.record.leader), content), []).append(member)
    # One member speaks for each different content, the base first.
    asked = [(min(same, key=lambda one: ranks[one.key]), found, same) for (_, _, found), same in contents.items()]
    asked.sort(key=lambda one: ranks[one[0].key])
    base, fields, _ = asked[0]
    beside = _Beside(base, fields, policy)
    useless: list[str] = []
    foreign = []
    for first, found, same in asked:
        if first is base or beside.is_idle(first, found):
            useless += [member.key for member in same if ranks[member.key] > ranks[base.key]]  # a copy may stand higher
        elif first.format is base.format:
            beside.gathering.add(found, first.key)
        else:
            foreign.append(first)
    fields, origins = beside.gathering.result()
    if foreign:
        fields, origins = beside.with_identifiers(foreign, fields, origins)
    return base, fields, origins, frozenset(useless), tuple(beside.gathering.conflicts)


def kept(record: marc.Record, rules: FormatPolicy) -> Fields:
    """Fields of a record as they can be in a merged one."""
    rule = rules.rules
    return tuple([
        pair if pair[0] != "856" else (pair[0], merge_fields.public(pair[1]))
        for pair in record.fields
        if rule[pair[0]] and (pair[0] != "856" or not merge_fields.is_private(pair[1]))  # Rule.DROP is 0
    ])  # fmt: skip


def _leader(leader: str) -> str:
    """The base's leader without lengths: they would tell of fields that are not here."""
    leader = leader.ljust(24)[:24]
    return f"00000{leader[5:12]}00000{leader[17:]}"


def offered(members: Sequence[Member], fmt: Format, policy: Policy) -> list[tuple[str, str, str]]:
    """Standard numbers that members of another format offer a record of this one: key, tag and text of the field."""
    found = []
    for kind, places in policy.identifiers:
        tag, code = places[fmt]
        for member in members:
            offers = () if member.format is fmt else _offers(kind, member, places)
            found += [(member.key, tag, marc.field("  ", [(code, value)])) for _, value in offers]
    return found


def _numbers(kind: str, fields: Fields, place: tuple[str, str]) -> set[str]:
    """The standard numbers in fields."""
    read = _READERS[kind]
    tag, code = place
    return {read(value) for t, text in fields if t == tag for value in marc.values(text, code)}


def _offers(kind: str, member: Member, places: Mapping[Format, tuple[str, str]]) -> list[tuple[str, str]]:
    """(standard number, as it is written) of a member."""
    read = _READERS[kind]
    tag, code = places[member.format]
    told = [marc.value(text, code).strip() for text in member.record.all(tag)]
    return [(number, value) for value in told if (number := read(value))]


_READERS: dict[str, Callable[[str], str]] = {
    "isbn": lambda value: str(identifiers.isbn(value) or ""),
    "issn": identifiers.issn,
}
