"""A record on its way out turned into the MARC dialect that was asked for (pure)."""

from __future__ import annotations

from config.errors import BadRecord
from dms.crosswalk.marc import between
from dms.rules import kinds
from dms.rules.model import Kind
from services.delivery.forms import Going

DIALECTS = tuple(sorted(between.FORMATS))


def turned(going: Going, dialect: str) -> Going:
    """The record in a dialect of `DIALECTS`; without one as it is.

    Raises `BadRecord` that names the record: authority records and holdings have no other dialect.
    """
    if not dialect:
        return going
    if kinds.kind_of(going.record, going.format) is not Kind.BIBLIOGRAPHIC:
        raise BadRecord(f"{going.ident}: only bibliographic records have another dialect")
    return Going(going.ident, between.to(going.record, going.format, dialect).record, between.FORMATS[dialect])
