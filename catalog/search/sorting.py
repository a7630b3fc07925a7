"""Hits in an order: by one key by the engine, by several here, where they are few enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tantivy

from catalog.search.port import MOST_SORTED, Key
from protocols.query import Unanswerable

FIELDS = {"title": "order", "author": "by", "year": "year", "changed": "changed"}

Hits = list[tuple[Any, tantivy.DocAddress]]


def total(found: tantivy.SearchResult) -> int:
    """How many documents fit."""
    return int(found.count)  # type: ignore[attr-defined]  # its stub lacks it


def count(searcher: tantivy.Searcher, asked: tantivy.Query) -> int:
    """How many documents fit a query."""
    return total(searcher.search(asked, 1))


def page(
    searcher: tantivy.Searcher, asked: tantivy.Query, keys: Sequence[Key], offset: int, limit: int
) -> tuple[int, Hits]:
    """How many documents fit, and those of a page, by `keys`. Raises Unanswerable: too many for several keys."""
    if len(keys) == 1:
        found = _by(searcher, asked, keys[0], limit, offset)
        return total(found), found.hits
    last = _by(searcher, asked, keys[-1], MOST_SORTED, 0)
    if total(last) > MOST_SORTED:
        raise Unanswerable(
            "keys", str(len(keys)), f"More than {MOST_SORTED:,} titles can be sorted by one key only; narrow the query."
        )
    hits = last.hits
    for key in reversed(keys[:-1]):
        ranks = {_address(at): value for value, at in _by(searcher, asked, key, MOST_SORTED, 0).hits}
        hits.sort(key=lambda hit: ranks[_address(hit[1])], reverse=key.descending)  # stable, reversed too
    return total(last), hits[offset : offset + limit]


def _by(searcher: tantivy.Searcher, asked: tantivy.Query, key: Key, limit: int, offset: int) -> tantivy.SearchResult:
    order = tantivy.Order.Desc if key.descending else tantivy.Order.Asc
    return searcher.search(asked, limit, True, FIELDS[key.index], offset, order)


def _address(at: tantivy.DocAddress) -> tuple[int, int]:
    return at.segment_ord, at.doc
