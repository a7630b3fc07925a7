"""Which of a cluster's records is the base, and by which question it was chosen (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.model import Format
from dms import identity
from dms.merge_policy import Policy, Wanted, builtin
from protocols import marc
from protocols.marc import Record

Rank = tuple[object, ...]

# The questions, in their order; each counts only between records that all questions before it leave equal.
STEPS = (
    "pinned",  # a cataloguer said so
    "trust",  # in the agency that made or last changed the record, if it is known, else in the source
    "level",  # encoding level
    "findings",  # points that the rules' findings cost
    "agency",  # made by an agency that is known
    "essential",  # what a catalogue can't do without: responsibility, subjects, class number
    "complete",
    "stamp",  # newest 005: so late because batch corrections refresh it
    "key",  # lowest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A source record of the cluster."""

    key: str  # source name / local id: unique in the cluster and the same at every rebuild
    format: Format
    record: Record
    trust: int = 0  # of the source
    findings: int = 0  # points that findings of the rules cost it (100 less its score)
    pinned: bool = False  # a cataloguer made it the base


def rank(member: Member, policy: Policy) -> Rank:
    """The order in which members are asked, the base first: an answer to each of STEPS, the lower the better."""
    rules = policy.formats[member.format]
    record = member.record
    tags = {tag for tag, _ in record.fields}
    made, changed = _agencies(member)
    trusts = [policy.agencies[agency] for agency in (made, changed) if agency in policy.agencies]
    return (
        not member.pinned,
        -(max(trusts) if trusts else member.trust),
        rules.levels.get(record.leader[17:18], 9),
        member.findings,
        made not in policy.agencies,
        -_count(record, tags, rules.essential),
        -_count(record, tags, rules.completeness),
        -int(identity.stamp(record) or 0),
        member.key,
    )


def ranked(members: Sequence[Member], policy: Policy | None = None) -> list[Member]:
    """The members in the order in which they are asked."""
    policy = policy or builtin()
    return sorted(members, key=lambda member: rank(member, policy))


def decided(members: Sequence[Member], policy: Policy | None = None) -> str:
    """The one of STEPS by which the base stands before the next member; "" where there is no other."""
    policy = policy or builtin()
    if len(members) == 1:
        return ""
    best, second = (rank(member, policy) for member in ranked(members, policy)[:2])
    different = [a != b for a, b in zip(best, second, strict=True)]
    return STEPS[different.index(True)]


def _count(record: Record, tags: set[str], asked: Sequence[Wanted]) -> int:
    return len([
        1
        for wanted, code in asked
        if not wanted.isdisjoint(tags)
        and (not code or marc.DELIMITER + code in "".join([text for tag, text in record.fields if tag in wanted]))
    ])  # fmt: skip


def _agencies(member: Member) -> tuple[str, str]:
    """Who made and who last changed the record: CNMARC 801 with second indicator 0 and 2, MARC 21 040 $a and $d."""
    if member.format is Format.MARC21:
        text = member.record.first("040") or ""
        return marc.value(text, "a").strip(), (marc.values(text, "d") or [""])[-1].strip()
    chain = member.record.all("801")
    made = next((marc.value(text, "b") for text in chain if text[1:2] == "0"), "")
    changed = [marc.value(text, "b") for text in chain if text[1:2] == "2"]
    return made.strip(), changed[-1].strip() if changed else ""
