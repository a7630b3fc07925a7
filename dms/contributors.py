"""Who gave each field of a merged record: found from the members when somebody asks, and not kept (pure).

A member gives a field if it has an equal value by the policy's own comparison, whatever its wording. The wording is
that of the first of those, in the order in which MERGE asks, whose words are the very ones that stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.model import Format
from dms import merge, merge_base, merge_fields
from dms.merge_base import Member
from dms.merge_policy import Policy, Rule, builtin
from protocols import marc

_OWN = marc.DELIMITER + "5"
Value = tuple[str, ...]  # merge_fields.key_of
Held = tuple[str, str, tuple[str, ...]]  # who, text, optional parts of the value


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A field of a merged record and who gave it."""

    tag: str
    text: str
    wording: str  # key of the member whose words these are; "" = nobody's: a correction wrote them
    others: tuple[str, ...]  # further members that have the value, in the order in which they are asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """A whole merged record's."""

    base: str  # key of the base record
    decided: str  # the question that made it the base (merge_base.STEPS); "" where there is one record only
    fields: tuple[Contribution, ...]  # in the record's order


def of(
    fields: Iterable[tuple[str, str]], fmt: Format, members: Sequence[Member], policy: Policy | None = None
) -> Contributions:
    """Who gave these fields of a record that was merged from `members`, at least one."""
    policy = policy or builtin()
    asked = merge_base.ranked(members, policy)
    base = asked[0]
    known = _Values(asked, fmt, policy)
    return Contributions(
        base=base.key,
        decided=merge_base.decided(members, policy),
        fields=tuple(known.contribution(tag, text, base.key) for tag, text in fields),
    )


class _Values:
    """The values of ranked members."""

    def __init__(self, asked: Sequence[Member], fmt: Format, policy: Policy) -> None:
        self._rules = policy.formats[fmt]
        self._held: dict[Value, list[Held]] = {}
        self._read: dict[tuple[str, str], tuple[Value, tuple[str, ...]]] = {}
        for member in asked:
            if member.format is fmt:
                self._learn(member)
        # Of members of the other format, by tag and text; the first one asked stays.
        self._numbers = {(tag, text): key for key, tag, text in reversed(merge.offered(asked, fmt, policy))}

    def _learn(self, member: Member) -> None:
        for pair in merge.kept(member.record, self._rules):
            value, optional = self._value(pair)
            self._held.setdefault(value, []).append((member.key, pair[1], optional))

    def _value(self, pair: tuple[str, str]) -> tuple[Value, tuple[str, ...]]:
        found = self._read.get(pair)
        if found is None:
            found = self._read[pair] = merge_fields.key_of(self._rules, *pair)
        return found

    def contribution(self, tag: str, text: str, base: str) -> Contribution:
        """Who gave a field of the record with this base."""
        value, optional = self._value((tag, text))
        held = [one for one in self._held.get(value, ()) if merge_fields.agree(optional, one[2])]
        if self._rules.rules[tag] is Rule.BASE or _OWN in text:
            held = [one for one in held if one[0] == base]  # about the base's own work or copy, whoever has it too
        words = _words(tag, text)
        wording = next((who for who, theirs, _ in held if _words(tag, theirs) == words), "")
        if not held:
            wording = self._numbers.get((tag, text), "")
        others = dict.fromkeys(who for who, _, _ in held if who != wording)
        return Contribution(tag=tag, text=text, wording=wording, others=tuple(others))


def _words(tag: str, text: str) -> Sequence[object]:
    """What a wording is told by: not the link to a field in another script, which MERGE numbers anew."""
    return text if marc.is_control(tag) else [pair for pair in marc.subfields(text) if pair[0] != "6"]
