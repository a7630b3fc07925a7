"""Batch changes as plain values, for programs, tables and pages (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.batches import Batch
from dms import batch_change
from dms.batch_edits import Edit
from services.cataloguing import patch
from services.cataloguing.batch import Preview

Plain = dict[str, Any]
PREVIEWED = ("changed", "offered", "same", "refused")  # states of a preview
COUNTED = (*PREVIEWED, "superseded", "undone", "kept", "due", "gone")  # states of a batch's records


def batch(one: Batch, counts: Mapping[str, int]) -> Plain:
    """A batch with how many of its records are in which state."""
    return {
        "batch": one.batch,
        "at": one.at.isoformat(timespec="seconds"),
        "state": one.state,
        "who": one.who,
        "why": one.why,
        "selection": one.selection,
        "rule": one.rule,
        **{name: counts.get(name, 0) for name in COUNTED},
        "undone_by": one.undone_by,
        "undone_why": one.undone_why,
        "undone_at": one.undone_at and one.undone_at.isoformat(timespec="seconds"),
    }


def change(one: Batch) -> list[str]:
    """What it does, as it was written; nothing of a batch that was told record by record."""
    return [batch_change.written(each) for each in batch_change.of_plain(one.change)]


def record(row: Any) -> Plain:
    """A record of a batch (a row of `catalog.batches.listing`)."""
    return {
        "record": f"{row['source']}/{row['local_id']}",
        "library": row["library"],
        "state": row["state"],
        "reason": row["reason"],
        "edits": [
            {"field": tag, "old": patch.shown(old), "new": patch.shown(new), "holds": end == 0}
            for (tag, _, old, new), end in zip(row["edits"], row["ended"], strict=True)
        ],
    }


def preview(seen: Preview) -> Plain:
    """What a change would do."""
    return {
        "looked": seen.looked,
        **{name: seen.states[name] for name in PREVIEWED},
        "fields": dict(sorted(seen.fields.items())),
        "reasons": dict(seen.reasons.most_common()),
        "examples": [{"record": name, "edits": _edits(edits)} for name, edits in seen.examples],
    }


def _edits(edits: Iterable[Edit]) -> list[Plain]:
    return [{"field": e.tag, "old": patch.shown(e.before), "new": patch.shown(e.after)} for e in edits]
