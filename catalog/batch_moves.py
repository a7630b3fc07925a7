"""Batch changes that come with the records of a library which moves here from another node (store).

Their edits are told by the receipts that the records bear. Each batch of the other node becomes one here, which holds
through later loads and can be undone like any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from catalog import batches
from catalog.batches import Told
from catalog.connection import Connection

Brought = tuple[int, Told]  # number of the batch there, the edit
WHY = "came with the library"


async def adopt(
    conn: Connection, source: int, library: str, load: int, host: str, told: Mapping[str, Sequence[Brought]]
) -> None:
    """The edits of these records (by local id) hold here as they did at `host`, and no others of them do."""
    standing: dict[str, set[Told]] = {}
    over: dict[str, list[tuple[int, int]]] = {}
    for local_id, some in (await batches.edited(conn, source, list(told))).items():
        borne = {_meant(edit) for _, edit in told[local_id]}
        for one in some:
            for n, (edit, end) in enumerate(zip(one.edits, one.ended, strict=True)):
                if end == 0 and _meant(edit) in borne:
                    standing.setdefault(local_id, set()).add(_meant(edit))
                elif end == 0:
                    over.setdefault(local_id, []).append((one.batch, n))
    await batches.end(conn, source, load, over)
    new: dict[int, dict[str, list[Told]]] = {}
    for local_id, brought in told.items():
        for there, edit in brought:
            if _meant(edit) not in standing.get(local_id, ()):
                new.setdefault(there, {}).setdefault(local_id, []).append(edit)
    for there in sorted(new):
        batch = await _batch(conn, f"{host}: batch {there}", library, host)
        await conn.execute(
            """insert into batch_record (batch, source, local_id, state, load, edits, ended)
               select $1, $2, i.local_id, 'changed', $3, i.edits::jsonb,
                      array_fill(0::bigint, array[jsonb_array_length(i.edits::jsonb)])
               from unnest($4::text[], $5::text[]) i (local_id, edits) on conflict do nothing""",
            batch,
            source,
            load,
            list(new[there]),
            [json.dumps(edits) for edits in new[there].values()],
        )


def _meant(edit: Told) -> Told:
    """The edit whatever place it had: a receipt tells the place of that day."""
    tag, _, before, after = edit
    return tag, 0, before, after


async def _batch(conn: Connection, selection: str, library: str, host: str) -> int:
    """The batch here that stands for one there, entered with its first record."""
    found: int | None = await conn.fetchval(
        "select batch from batch where selection = $1 and libraries = array[$2] and state = 'done'", selection, library
    )
    if found is None:
        found = await conn.fetchval(
            """insert into batch (change, selection, libraries, who, why, state, finished_at)
               values ('[]', $1, array[$2], $3, $4, 'done', now()) returning batch""",
            selection,
            library,
            f"node:{host}",
            WHY,
        )
    assert found is not None
    return found
