"""One record out of a cluster's records, by policy; the same set in any order gives the same bytes.

The base record is chosen by a total order that knows no row numbers and no arrival. Its fields stand; other records of
its format add what it lacks (merge_policy.toml). Holdings and local fields are not part of a merged record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from catalog import packing
from catalog.model import Format
from dms import identity, merge_fields
from dms.formats import identifiers
from dms.merge_policy import FormatPolicy, Policy, builtin
from protocols import marc

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A source record of the cluster."""

    key: str  # source name / local id: unique in the cluster and the same at every rebuild
    format: Format
    record: marc.Record
    trust: int = 0  # of the source
    findings: int = 0  # faults that the checks found in it
    pinned: bool = False  # a cataloguer made it the base


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The cluster's record."""

    format: Format
    record: marc.Record
    body: bytes  # the record packed (catalog.packing)
    fingerprint: bytes  # 16 bytes over format and body: equal if and only if nothing would be seen to change
    base: str  # key of the base member
    origins: tuple[str, ...]  # for each field, the key of the member whose text it is


def merge(members: Sequence[Member], policy: Policy | None = None) -> Merged:
    """Merge one or more members with distinct keys."""
    policy = policy or builtin()
    ranked = _ranked(members, policy)
    base, fields = ranked[0]
    origins = (base.key,) * len(fields)
    if len(ranked) > 1:
        fields, origins = _with_others(ranked, policy)
    record = marc.Record(_leader(base.record.leader), fields)
    body = packing.pack(record)
    fingerprint = hashlib.blake2b(body, digest_size=16, person=base.format.name.encode()).digest()
    return Merged(format=base.format, record=record, body=body, fingerprint=fingerprint, base=base.key, origins=origins)


def _ranked(members: Sequence[Member], policy: Policy) -> list[tuple[Member, Fields]]:
    """One member for each different content, the base first, with the fields that count."""
    if len(members) == 1:
        return [(members[0], _kept(members[0].record, policy.formats[members[0].format]))]
    contents: dict[tuple[Format, str, Fields], list[Member]] = {}
    for member in members:  # most members are copies of one shared record
        kept = _kept(member.record, policy.formats[member.format])
        contents.setdefault((member.format, _leader(member.record.leader), kept), []).append(member)
    firsts = [(min(same, key=_copy_rank), kept) for (_, _, kept), same in contents.items()]
    if len(firsts) > 1:
        firsts.sort(key=lambda first: (_rank(first[0], policy), first[0].record.leader, first[0].record.fields))
    return firsts


def _with_others(ranked: Sequence[tuple[Member, Fields]], policy: Policy) -> tuple[Fields, tuple[str, ...]]:
    base, fields = ranked[0]
    gathering = merge_fields.Gathering(policy.formats[base.format], fields, base.key)
    for member, kept in ranked[1:]:
        if member.format is base.format:
            gathering.add(kept, member.key)
    fields, origins = gathering.result()
    foreign = [member for member, _ in ranked if member.format is not base.format]
    return _with_identifiers(foreign, base.format, fields, origins, policy) if foreign else (fields, origins)


def _kept(record: marc.Record, rules: FormatPolicy) -> Fields:
    """Fields that can be in a merged record."""
    rule = rules.rules
    return tuple([
        pair for pair in record.fields
        if rule[pair[0]] and (pair[0] != "856" or not merge_fields.is_private(pair[1]))  # Rule.DROP is 0
    ])  # fmt: skip


def _leader(leader: str) -> str:
    """The base's leader without lengths: they would tell of fields that are not here."""
    leader = leader.ljust(24)[:24]
    return f"00000{leader[5:12]}00000{leader[17:]}"


def _copy_rank(member: Member) -> tuple[object, ...]:
    """The order among members with one content: what in `_rank` does not come from the content."""
    return not member.pinned, -member.trust, member.findings, -int(identity.stamp(member.record) or 0), member.key


def _rank(member: Member, policy: Policy) -> tuple[object, ...]:
    """The order in which members are asked, the base first: pinned, trust (of the cataloguing agency if it is known,
    else of the source), encoding level, a known cataloguer, fewest findings, completeness, newest 005, lowest key.
    """
    rules = policy.formats[member.format]
    record = member.record
    tags = {tag for tag, _ in record.fields}
    complete = 0
    for wanted, code in rules.completeness:
        if not wanted.isdisjoint(tags):
            complete += not code or any(marc.DELIMITER + code in text for text in record.all(*wanted))
    made, changed = _agencies(member)
    trust = max((policy.agencies[agency] for agency in (made, changed) if agency in policy.agencies), default=None)
    return (
        not member.pinned,
        -(member.trust if trust is None else trust),
        rules.levels.get(record.leader[17:18], 9),
        made not in policy.agencies,
        member.findings,
        -complete,
        -int(identity.stamp(record) or 0),
        member.key,
    )


def _agencies(member: Member) -> tuple[str, str]:
    """Who made and who last changed the record: CNMARC 801 with second indicator 0 and 2, MARC 21 040 $a and $d."""
    if member.format is Format.MARC21:
        text = member.record.first("040") or ""
        return marc.value(text, "a").strip(), (marc.values(text, "d") or [""])[-1].strip()
    chain = member.record.all("801")
    made = next((marc.value(text, "b") for text in chain if text[1:2] == "0"), "")
    changed = [marc.value(text, "b") for text in chain if text[1:2] == "2"]
    return made.strip(), changed[-1].strip() if changed else ""


def _with_identifiers(
    foreign: Sequence[Member], fmt: Format, fields: Fields, origins: tuple[str, ...], policy: Policy
) -> tuple[Fields, tuple[str, ...]]:
    """Standard numbers of the members of the other format, where they are missing (until records are converted)."""
    for kind, places in policy.identifiers:
        read = _READERS[kind]
        tag, code = places[fmt]
        have = {read(value) for t, text in fields if t == tag for value in marc.values(text, code)}
        for member in foreign:
            their_tag, their_code = places[member.format]
            for text in member.record.all(their_tag):
                value = marc.value(text, their_code).strip()
                number = read(value)
                if number and number not in have:
                    have.add(number)
                    at = merge_fields.place(fields, tag)
                    fields = (*fields[:at], (tag, marc.field("  ", [(code, value)])), *fields[at:])
                    origins = (*origins[:at], member.key, *origins[at:])
    return fields, origins


_READERS = {"isbn": lambda value: str(identifiers.isbn(value) or ""), "issn": identifiers.issn}
