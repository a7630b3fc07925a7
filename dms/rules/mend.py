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


@cache
def fixes() -> Mapping[str, Fix]:
    """Every fix by rule id, in the catalogue's order."""
    known = {**content.fixes(), **repairs.FIXES}
    return MappingProxyType({id_: known[id_] for id_ in catalogue.rules() if id_ in known})


def mend(record: Record, fmt: Format, rules: Collection[str]) -> Mended:
    """The record after the fixes of `rules`; ids without a fix mend nothing. A second time changes nothing."""
    receipts: list[Receipt] = []
    for id_, fix in fixes().items():
        if id_ in rules:
            mended = fix(record, fmt)
            record = mended.record
            receipts += mended.receipts
    return Mended(record, tuple(receipts))
