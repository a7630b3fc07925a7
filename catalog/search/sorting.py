"""Hits in an order: by one key by the engine, by several here, where they are few enough."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import cast

import tantivy

from catalog.search.port import MOST_SORTED, Key
from protocols.query import Unanswerable

FIELDS = {"title": "order", "author": "by", "year": "year", "changed": "changed"}


def total(found: tantivy.SearchResult) -> int:
    """How many documents fit."""
    return int(found.count)  # type: ignore[attr-defined]  # its stub lacks it


def count(searcher: tantivy.Searcher, asked: tantivy.Query) -> int:
    """How many documents fit a query."""
    return total(searcher.search(asked, 1))


def by(searcher: tantivy.Searcher, asked: tantivy.Query, key: Key, limit: int, offset: int) -> tantivy.SearchResult:
    """A page of hits by one key."""
    order = tantivy.Order.Desc if key.descending else tantivy.Order.Asc
    return searcher.search(asked, limit, True, FIELDS[key.index], offset, order)


def whole(searcher: tantivy.Searcher, asked: tantivy.Query, keys: Sequence[Key]) -> array[int]:
    """The clusters of all documents that fit, by several keys. Raises Unanswerable: they are too many."""
    last = by(searcher, asked, keys[-1], MOST_SORTED, 0)
    if total(last) > MOST_SORTED:
        raise Unanswerable(
            "keys", str(len(keys)), f"More than {MOST_SORTED:,} titles can be sorted by one key only; narrow the query."
        )
    hits = last.hits
    for key in reversed(keys[:-1]):
        ranks = {_address(at): value for value, at in by(searcher, asked, key, MOST_SORTED, 0).hits}
        hits.sort(key=lambda hit: ranks[_address(hit[1])], reverse=key.descending)  # stable, reversed too
    return array("Q", clusters(searcher, [at for _, at in hits]))


def clusters(searcher: tantivy.Searcher, addresses: list[tantivy.DocAddress]) -> list[int]:
    """The numbers that documents stand for."""
    return cast(list[int], searcher.fast_field_values("cluster", addresses)) if addresses else []  # each has one


def _address(at: tantivy.DocAddress) -> tuple[int, int]:
    return at.segment_ord, at.doc
