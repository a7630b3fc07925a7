"""How this node merges a record that nobody else's is merged with: what a library's new node will tell of it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.records import Row
from dms import merge_many
from dms.merge_many import Job, Kept


def alone(
    rows: Sequence[Row], known: Mapping[int, bytes], drop: tuple[str, ...] = ()
) -> list[tuple[int, bytes] | None]:
    """(format, zstd of what leaves the node) by record, None where our rules fail or nothing leaves. `known`:
    dictionaries of the bodies; `drop`: what the records' source keeps back.
    """
    jobs = [
        Job(
            number,
            [
                Kept(
                    key=row.local_id,
                    trust=0,
                    format=row.format,
                    carrier=row.carrier,
                    encoding=row.encoding,
                    dictionary=row.dictionary,
                    digest=row.digest,
                    body=row.body,
                    drop=drop,
                )
            ],
        )
        for number, row in enumerate(rows)
    ]
    made = merge_many.make(jobs, known, {})
    leaving = [one.content if one.outward is None else one.outward for one in made]
    return [(one.format, out) if out and not one.fault else None for one, out in zip(made, leaving, strict=True)]
