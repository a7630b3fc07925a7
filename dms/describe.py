"""The human-readable description of a record: what lists, pages, facets, oai_dc and the index need of it.

Each format has a module of its own; `describe` only chooses. Nothing here fails on a record: what is missing or odd is
left empty.
"""

from __future__ import annotations

from catalog.model import Description, Format
from dms import describe_cnmarc, describe_marc21
from protocols import marc

_FORMATS = {Format.MARC21: describe_marc21.describe, Format.CNMARC: describe_cnmarc.describe}


def describe(record: marc.Record, fmt: Format) -> Description:
    """The record's description. A record without a title has the empty one."""
    return _FORMATS[fmt](record)
