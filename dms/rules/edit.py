"""Changing fields with a receipt of each change (pure): what every fix is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from dms.rules.model import LEADER, Mended, Receipt
from protocols.marc import Record


def fields(record: Record, rule: str, change: Callable[[str, str], str | None], tags: Collection[str] = ()) -> Mended:
    """Put every field (of `tags`, if some are named) through `change(tag, text)`, which gives the text that should
    stand there, the same text for no change, or None to drop the field."""
    kept: list[tuple[str, str]] = []
    receipts: list[Receipt] = []
    seen: Counter[str] = Counter()
    for pair in record.fields:
        tag, text = pair
        if tags and tag not in tags:
            kept.append(pair)
            continue
        seen[tag] += 1
        after = change(tag, text)
        if after is None or after != text:
            receipts.append(Receipt(rule, tag, seen[tag], text, after or ""))
        if after is not None:
            kept.append(pair if after == text else (tag, after))
    return Mended(Record(record.leader, tuple(kept)), tuple(receipts)) if receipts else Mended(record, ())


def leader(record: Record, rule: str, after: str) -> Mended:
    """Give the record another leader."""
    if after == record.leader:
        return Mended(record, ())
    return Mended(Record(after, record.fields), (Receipt(rule, LEADER, 1, record.leader, after),))
