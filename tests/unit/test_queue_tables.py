"""The queue's tables are those of the pgqueuer that is installed."""

from __future__ import annotations

from importlib import metadata

from catalog.work import queue


def test_the_tables_are_made_again_with_every_release_of_pgqueuer() -> None:
    assert queue.TABLES.split() == ["pgqueuer", metadata.version("pgqueuer")]
