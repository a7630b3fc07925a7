"""Formats: how MARC 21 and CNMARC records become Facts. One module per format; nothing below knows a tag.

May import catalog and protocols.
"""

from __future__ import annotations

from typing import assert_never

from catalog.facts import AUTHORITY, HOLDINGS, Facts
from catalog.model import Format
from dms.formats import cnmarc, marc21
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import dialect, marc

WANTED: frozenset[str] = marc21.WANTED | cnmarc.WANTED | kinds.WANTED


_CLASSES = {Kind.AUTHORITY: Facts(record_class=AUTHORITY), Kind.HOLDINGS: Facts(record_class=HOLDINGS)}


def facts(record: marc.Record, format: Format, *, kind: Kind | None = None, held: bool = False) -> Facts:
    """Facts of a record whose tags mean what `format` says; of authority and holdings records their class only.

    `kind`: where it is known already. `held`: copies are told beside it, not in its fields.
    """
    kind = kinds.kind_of(record, format) if kind is None else kind
    if kind is not Kind.BIBLIOGRAPHIC:
        return _CLASSES[kind]
    match format:
        case Format.MARC21:
            return marc21.facts(record)
        case Format.CNMARC:
            return cnmarc.facts(record, held)
        case _:
            assert_never(format)


def format_of(record: marc.Record, said: str) -> Format:
    """What its tags mean: as the source said (a name of `dialect.DIALECTS`), or by the record itself ("auto")."""
    family = dialect.family(record) if said == "auto" else dialect.DIALECTS.get(said, said)
    return Format.MARC21 if family == dialect.MARC21 else Format.CNMARC


def describable(facts: Facts) -> bool:
    """Whether there is a title, an identifier or a name; of authority and holdings records nothing is asked."""
    return not facts.bibliographic or bool(
        any(facts.titles)
        or facts.romanised
        or facts.parts
        or facts.isbns
        or facts.issns
        or facts.authors
        or facts.control_numbers
        or facts.unified_numbers
        or facts.responsibility
        or facts.host
    )
