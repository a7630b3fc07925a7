"""What is wrong with a query in CQL, as bib-1 says it (pure).

What is in no row is a query that can't be read: 108, with the character where it went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocols.cql.diagnostics import Diagnosed, Sru
from protocols.z3950.diagnostics import Bib1

DIAGNOSTICS: Mapping[Sru, Bib1] = {
    Sru.TOO_LONG: Bib1.TOO_MANY_TERMS,
    Sru.CONTEXT_SET: Bib1.ATTRIBUTE_SET,
    Sru.INDEX: Bib1.USE_ATTRIBUTE,
    Sru.RELATION: Bib1.RELATION_ATTRIBUTE,
    Sru.RELATION_MODIFIER: Bib1.RELATION_ATTRIBUTE,
    Sru.RELATION_OF_INDEX: Bib1.RELATION_ATTRIBUTE,
    Sru.TERM_TOO_LONG: Bib1.TOO_MANY_TERMS,
    Sru.EMPTY_TERM: Bib1.MALFORMED_TERM,
    Sru.MASKING: Bib1.TRUNCATION_ATTRIBUTE,
    Sru.MASKED_TOO_SHORT: Bib1.TRUNCATED_TOO_SHORT,
    Sru.TOO_MANY_MASKS: Bib1.TRUNCATION_ATTRIBUTE,
    Sru.ANCHOR: Bib1.POSITION_ATTRIBUTE,
    Sru.ANCHOR_PLACE: Bib1.POSITION_ATTRIBUTE,
    Sru.TERM_FORMAT: Bib1.ILLEGAL_TERM_VALUE,
    Sru.TOO_MANY_OPERATORS: Bib1.TOO_MANY_TERMS,
    Sru.PROXIMITY: Bib1.PROXIMITY_COMBINATION,
    Sru.PROXIMITY_RELATION: Bib1.PROXIMITY_RELATION,
    Sru.PROXIMITY_DISTANCE: Bib1.PROXIMITY_DISTANCE,
    Sru.PROXIMITY_UNIT: Bib1.PROXIMITY_UNIT,
    Sru.PROXIMITY_COMBINATION: Bib1.PROXIMITY_COMBINATION,
    Sru.BOOLEAN_MODIFIER: Bib1.OPERATOR,
    Sru.NO_SUCH_SET: Bib1.NO_SUCH_SET,
    Sru.SORT_PATH: Bib1.SORT_SEQUENCE,
    Sru.SORT_TOO_MANY_KEYS: Bib1.TOO_MANY_SORT_KEYS,
}


def of(error: Diagnosed) -> tuple[Bib1, str]:
    """Number and additional information."""
    number = DIAGNOSTICS.get(error.number)
    return (Bib1.MALFORMED_QUERY, str(error)) if number is None else (number, error.details)
