"""Edits: what was changed of one record by hand, made again of whatever its library sends next (pure).

An edit says what it expects: the field's text before. Where the field is no longer that, the edit is over: what the
library says counts, and a finding tells it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from dms.rules.model import LEADER, Receipt
from protocols.marc import Record

RULE = "batch-"  # and the number of the batch: the rule in a receipt
DROPPED = "edit-superseded"  # the finding


class Edit(NamedTuple):
    """One field of one record: its text before and after; "" = there was, or is, none. LDR stands for the leader."""

    tag: str
    nth: int  # n-th of that tag in the record of then, 1 = first; 0 = it was put in. For people
    before: str
    after: str


class Standing(NamedTuple):
    """The edits of one batch to one record."""

    batch: int
    edits: tuple[Edit, ...]
    ended: tuple[int, ...]  # in step: 0 = it holds, -1 = taken back, else the load that ended it


class Made(NamedTuple):
    """A record after its edits."""

    record: Record
    receipts: tuple[Receipt, ...]
    dropped: tuple[tuple[int, int], ...]  # (batch, which edit): the field is not as was expected


def make(record: Record, standing: Iterable[Standing]) -> Made:
    """Make the edits that hold, batch by batch in order."""
    receipts: list[Receipt] = []
    dropped: list[tuple[int, int]] = []
    for batch, edits, ended in standing:
        for n, (edit, end) in enumerate(zip(edits, ended, strict=True)):
            if end:
                continue
            made = _one(record, edit)
            if made is None:
                dropped.append((batch, n))
            elif made is not record:
                record = made
                receipts.append(Receipt(f"{RULE}{batch}", edit.tag, edit.nth, edit.before, edit.after))
    return Made(record, tuple(receipts), tuple(dropped))


def borne(receipts: Iterable[tuple[str, str, int, str, str]]) -> tuple[tuple[int, Edit], ...]:
    """The edits (number of the batch, edit) that a record bears by its receipts."""
    found = []
    for rule, tag, nth, before, after in receipts:
        number = rule.removeprefix(RULE)
        if number != rule and number.isdecimal():
            found.append((int(number), Edit(tag, nth, before, after)))
    return tuple(found)


def digest(standing: Iterable[Standing]) -> bytes:
    """Of the edits that were not taken back: part of a record's digest, so that the same bytes under the same edits are
    unchanged, also at another node to which its library moved. Nothing of no edits.
    """
    told = hashlib.blake2b(digest_size=16)
    some = False
    for _, edits, ended in standing:
        for edit, end in zip(edits, ended, strict=True):
            if end >= 0:
                some = True
                told.update(f"{edit.tag}\0{edit.before}\0{edit.after}\0".encode("utf-8", "replace"))
    return told.digest() if some else b""


def _one(record: Record, edit: Edit) -> Record | None:
    """The record after an edit; the same one if it says so already; None if it is not what was expected."""
    tag, nth, before, after = edit
    if tag == LEADER:
        if record.leader == after:
            return record
        return Record(after, record.fields) if record.leader == before else None
    fields = list(record.fields)
    if not before:
        return record if (tag, after) in fields else Record(record.leader, tuple(put(fields, tag, after)))
    places = [n for n, pair in enumerate(fields) if pair == (tag, before)]
    if not places:
        return record if not after or (tag, after) in fields else None
    tagged = [n for n, (each, _) in enumerate(fields) if each == tag]
    there = tagged[nth - 1] if 0 < nth <= len(tagged) and tagged[nth - 1] in places else places[0]
    fields[there : there + 1] = [(tag, after)] if after else []
    return Record(record.leader, tuple(fields))


def put(fields: Sequence[tuple[str, str]], tag: str, text: str) -> list[tuple[str, str]]:
    """The fields with one more, behind the last of those whose tag is not greater."""
    place = next((n + 1 for n in range(len(fields) - 1, -1, -1) if fields[n][0] <= tag), 0)
    return [*fields[:place], (tag, text), *fields[place:]]


def between(old: Record, new: Record) -> tuple[Edit, ...]:
    """The edits that make one record of the other."""
    found = []
    if old.leader != new.leader:
        found.append(Edit(LEADER, 1, old.leader, new.leader))
    numbers: list[int] = []
    seen: dict[str, int] = {}
    for tag, _ in old.fields:
        seen[tag] = seen.get(tag, 0) + 1
        numbers.append(seen[tag])
    matcher = SequenceMatcher(None, old.fields, new.fields, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        coming = list(new.fields[c:d])
        for n in range(a, b):
            tag, before = old.fields[n]
            same = next((each for each in coming if each[0] == tag), None)
            if same:
                coming.remove(same)
            found.append(Edit(tag, numbers[n], before, same[1] if same else ""))
        found += [Edit(tag, 0, "", after) for tag, after in coming]
    return tuple(found)


def is_made(record: Record, edit: Edit) -> bool:
    """Whether the record is as the edit left it: only then it can be taken back."""
    if edit.tag == LEADER:
        return record.leader == edit.after
    if edit.after:
        return (edit.tag, edit.after) in record.fields
    return (edit.tag, edit.before) not in record.fields
