"""What a draft of a profile would change: records looked at under the active one and under the draft (pure).

Nothing is written: `look` compares some records, `Shadow.add` sums up, `Shadow.told` is what is kept with the draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from catalog import bodies, original
from catalog.model import CARRIER_NAMES, Carrier, Format
from config.errors import BadRecord
from dms import formats, quality, quality_texts
from dms.quality import Inspector, Judged
from dms.rules.model import Finding, Profile, Receipt
from protocols import reading
from protocols.marc import Record

EXAMPLES = 10  # of each kind of change
RULE_EXAMPLES = 3
COUNTS = ("records", "unreadable", "returned", "restored", "mended", "score_before", "score_after", "standing")


NONE: tuple[Receipt, ...] = ()


class Seen(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A record as it is kept, or one that came back (`returned`), whose format and encoding are told anew."""

    name: str  # source / local id, or the case's number
    body: bytes
    dictionary: int
    carrier: int
    encoding: str
    format: int  # 0 = not known
    findings: tuple[tuple[str, str], ...] = ()  # of reading
    returned: bool = False


class Rule(msgspec.Struct, gc=False):
    """Records with findings of a rule, before and after."""

    before: int = 0
    after: int = 0
    examples: list[str] = []  # of records that have it under one of the two only
    level_before: str = ""  # what the rule is taken for: off, note, warning or error
    level_after: str = ""


class Shadow(msgspec.Struct, gc=False):
    """What a draft would change."""

    records: int = 0  # looked at
    unreadable: int = 0  # of these
    returned: int = 0  # stand now and would come back
    restored: int = 0  # have come back and would be taken
    mended: int = 0  # whose fields would be others than now
    score_before: int = 0  # sum over the records that stand
    score_after: int = 0
    standing: int = 0
    rules: dict[str, Rule] = {}
    returned_examples: list[tuple[str, list[Finding]]] = []  # name, why
    restored_examples: list[tuple[str, list[Finding]]] = []
    mended_examples: list[tuple[str, str]] = []

    def add(self, more: Shadow) -> None:
        """Sum up."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(more, name))
        for rule, row in more.rules.items():
            mine = self.rules.setdefault(rule, Rule())
            mine.before += row.before
            mine.after += row.after
            mine.examples += row.examples[: RULE_EXAMPLES - len(mine.examples)]
            mine.level_before, mine.level_after = row.level_before, row.level_after
        for name in ("returned_examples", "restored_examples", "mended_examples"):
            mine_, its = getattr(self, name), getattr(more, name)
            mine_ += its[: EXAMPLES - len(mine_)]

    def told(self) -> dict[str, Any]:
        """As plain values; of the rules only those that find something else, or are taken for more or less."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        found["rules"] = {
            id_: row
            for id_, row in found["rules"].items()
            if row["before"] != row["after"] or row["level_before"] != row["level_after"]
        }
        return found


def look(some: Sequence[Seen], known: dict[int, bytes], before: Profile, after: Profile) -> Shadow:
    """Compare. `known`: dictionaries of the bodies, by number."""
    shadow = Shadow()
    old, new = quality.inspector(before), quality.inspector(after)
    for seen in some:
        shadow.records += 1
        try:
            record, fmt, asked = _received(seen, known)
        except BadRecord:
            shadow.unreadable += 1
            continue
        _compare(shadow, seen, record, fmt, asked, old, new)
    return shadow


def _compare(
    shadow: Shadow, seen: Seen, record: Record, fmt: Format, asked: frozenset[str], old: Inspector, new: Inspector
) -> None:
    told = seen.carrier == Carrier.PACKED  # by another node: it is neither mended nor sent back here
    was, receipts_was = (record, NONE) if told else old.mend(record, fmt, asked)
    now, receipts_now = (record, NONE) if told else new.mend(record, fmt, asked)
    judged_was, judged_now = old.judge(was, fmt, seen.findings), new.judge(now, fmt, seen.findings)
    _count(shadow, seen.name, judged_was, judged_now)
    for rule in {one.rule for judged in (judged_was, judged_now) for one in judged.findings}:
        row = shadow.rules[rule]
        row.level_before, row.level_after = (_level(each, rule) for each in (old, new))
    if was != now:
        shadow.mended += 1
        if len(shadow.mended_examples) < EXAMPLES:
            shadow.mended_examples.append((seen.name, _changed(receipts_now, receipts_was)))
    errors = () if told else judged_now.errors
    if seen.returned:
        if not errors:
            shadow.restored += 1
            if len(shadow.restored_examples) < EXAMPLES:
                shadow.restored_examples.append((seen.name, list(judged_was.errors[: quality_texts.TOLD])))
        return
    shadow.standing += 1
    shadow.score_before += judged_was.score
    shadow.score_after += judged_now.score
    if errors and not judged_was.errors:
        shadow.returned += 1
        if len(shadow.returned_examples) < EXAMPLES:
            shadow.returned_examples.append((seen.name, list(errors[: quality_texts.TOLD])))


def _received(seen: Seen, known: dict[int, bytes]) -> tuple[Record, Format, frozenset[str]]:
    """The record as it came, what its tags mean, and what somebody had mended of it."""
    raw = bodies.open_body(seen.body, seen.dictionary, known)
    if seen.returned:
        read = reading.read(raw, CARRIER_NAMES[Carrier(seen.carrier)], encoding=seen.encoding).reads
        if len(read) != 1:
            raise BadRecord("no record, or several")
        return read[0].record, formats.format_of(read[0].record, "auto"), frozenset()
    came = original.received(raw, seen.carrier, seen.encoding)
    return original.record(came.raw, came.carrier, came.encoding), Format(seen.format), frozenset(came.asked)


def _count(shadow: Shadow, name: str, was: Judged, now: Judged) -> None:
    before, after = {one.rule for one in was.findings}, {one.rule for one in now.findings}
    for rule in before | after:
        row = shadow.rules.setdefault(rule, Rule())
        row.before += rule in before
        row.after += rule in after
        if (rule in before) != (rule in after) and len(row.examples) < RULE_EXAMPLES:
            row.examples.append(name)


def _level(inspector: Inspector, rule: str) -> str:
    level = inspector.levels.get(rule)
    return "" if level is None else level.name.lower()


def _changed(now: Sequence[Receipt], was: Sequence[Receipt]) -> str:
    """The first change that one of the two makes and the other doesn't."""
    differing = [one for one in now if one not in was] or [one for one in was if one not in now]
    if not differing:
        return ""
    one = differing[0]
    return f"{one.rule}: {one.tag} {one.before} → {one.after}".replace("\x1f", "$")
