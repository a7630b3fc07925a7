"""Formats: how MARC 21 and CNMARC records become Facts. One module per format; nothing below knows a tag.

May import catalog and protocols.
"""

from __future__ import annotations

from typing import assert_never

from catalog.facts import Facts
from catalog.model import Format
from dms.formats import cnmarc, marc21
from protocols import marc

WANTED: frozenset[str] = marc21.WANTED | cnmarc.WANTED


def facts(record: marc.Record, format: Format, *, held: bool = False) -> Facts:
    """Facts of a record whose tags mean what `format` says. `held`: copies are told beside it, not in its fields."""
    match format:
        case Format.MARC21:
            return marc21.facts(record)
        case Format.CNMARC:
            return cnmarc.facts(record, held)
        case _:
            assert_never(format)
