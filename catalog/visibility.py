"""The one visibility predicate: what no output may show (suppressed, private, held) is decided here and nowhere else.

There are two questions. `VISIBLE`: may what the record says be shown? Whatever leaves the node (pages, API, OAI-PMH,
exports, index, merged records) is made from rows that passed it. `HOLDS`: may its holdings be shown, with the merged
record of the others in its cluster? Of a source that shares holdings only they may; `HOLDS_ONLY` names those records.
A holdings record is part of no merged record: its holdings are all that it gives.
All are for queries that name the record table `r`.
"""

from __future__ import annotations

from catalog.model import Visibility

VISIBLE = "(r.visibility = 0 and r.kind <> 2)"
HOLDS = "r.visibility in (0, 4)"
HOLDS_ONLY = "(r.visibility = 4 and r.kind <> 2)"


def is_visible(visibility: int) -> bool:
    """`VISIBLE` for the visibility of a row in hand, whatever its kind."""
    return visibility == Visibility.PUBLIC


def reason(visibility: int) -> str:
    """Why a record is not shown, as a word for `explain`."""
    return Visibility(visibility).name.lower()
