"""Mending: the fixes of the chosen rules, one after the other, with a receipt of each change (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType

from catalog.model import Format
from dms.rules import catalogue, content, repairs
from dms.rules.content.model import Fix
from dms.rules.model import Mended, Receipt
from protocols.marc import Record

ROUNDS = 8  # bounds fixes that would undo each other; two or three are usual


@cache
def fixes() -> Mapping[str, Fix]:
    """Every fix by rule id, in the catalogue's order."""
    known = {**content.fixes(), **repairs.FIXES}
    return MappingProxyType({id_: known[id_] for id_ in catalogue.rules() if id_ in known})


def mend(record: Record, fmt: Format, rules: Collection[str]) -> Mended:
    """The record after the fixes of `rules`; ids without a fix mend nothing. A second time changes nothing.

    One fix may make room for another: two titles that differ in an indicator are one title said twice once that is
    mended. So all are gone through again until none has anything to do.
    """
    chosen = [fix for id_, fix in fixes().items() if id_ in rules]
    receipts: list[Receipt] = []
    for _ in range(ROUNDS):
        before = len(receipts)
        for fix in chosen:
            mended = fix(record, fmt)
            record = mended.record
            receipts += mended.receipts
        if len(receipts) == before:
            break
    return Mended(record, tuple(receipts))
