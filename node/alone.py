"""How this node merges a record that nobody else's is merged with: what a library's new node will tell of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.records import Row
from dms import merge_many
from dms.merge_many import Job, Kept


def alone(rows: Sequence[Row], known: Mapping[int, bytes]) -> list[tuple[int, bytes] | None]:
    """(format, zstd of the content) by record, None where our rules fail. `known`: dictionaries of the bodies."""
    jobs = [
        Job(
            number,
            [Kept(row.local_id, 0, row.format, row.carrier, row.encoding, row.dictionary, row.digest, row.body)],
        )
        for number, row in enumerate(rows)
    ]
    made = merge_many.make(jobs, known, {})
    return [(one.format, one.content) if one.content is not None and not one.fault else None for one in made]
