"""The one visibility predicate: what no output may show (suppressed, private, held) is decided here and nowhere else.

`VISIBLE` is for queries that name the record table `r`. Whatever leaves the node (pages, API, OAI-PMH, exports, index,
merged records) is made from rows that passed it.
"""

from __future__ import annotations

from catalog.model import Visibility

VISIBLE = "r.visibility = 0"


def is_visible(visibility: int) -> bool:
    """The same predicate for a row in hand."""
    return visibility == Visibility.PUBLIC


def reason(visibility: int) -> str:
    """Why a record is not shown, as a word for `explain`."""
    return Visibility(visibility).name.lower()
