"""What a batch change makes of records, one page at a time (pure; runs in a process pool).

The record as it is kept, mended and edited, is what the change is made of; whether rules would send the result back is
found out before anything is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog import bodies, original
from catalog.batches import Edited, Fate
from catalog.model import Format, Source
from catalog.records import Row
from config.errors import BadRecord
from dms import batch_change, batch_edits, holdings, quality
from dms.batch_change import Operation
from dms.batch_edits import Edit
from dms.rules import kinds
from dms.rules.model import Profile
from protocols.marc import Record

# Why fields are not to be changed by batch, beside the control numbers, by format.
ORIGIN = "it says who made the record"
PROTECTED: Mapping[Format, Mapping[str, str]] = {
    Format.CNMARC: {"801": ORIGIN, "035": "it says by which number others know the record"},
    Format.MARC21: {"040": ORIGIN, "035": "it says by which number others know the record"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A page of records of one source, and what is to be done with them."""

    source: Source
    change: tuple[Operation, ...]
    rule: str  # only records in which this finds something; "" = all
    profile: Profile
    own: bool  # the records are changed; otherwise the change is offered to their owner
    rows: Sequence[Row]
    dictionaries: Mapping[int, bytes]


class Planned(NamedTuple):
    """What becomes of a record."""

    local_id: str
    state: str  # changed, same, refused, gone; "" = the rule finds nothing in it
    edits: tuple[Edit, ...] = ()
    reason: str = ""


def protected(source: Source, fmt: Format, own: bool) -> dict[str, str]:
    """Tags that are not to be changed, with the reasons."""
    found = dict(PROTECTED.get(fmt, {}))
    if source.identity[:3].isalnum():
        found[source.identity[:3]] = "the record is named by it"
    if not own:
        found |= dict.fromkeys(holdings.tags(source.mapping, fmt), "it is another library's holdings")
    return found


def plan(job: Job) -> list[Planned]:
    """The page, record by record."""
    inspector = quality.inspector(job.profile)
    found: list[Planned] = []
    changed: list[tuple[int, Record, Record, Format]] = []
    for row in job.rows:
        try:
            record = kept(row, job.dictionaries)
        except BadRecord as error:
            found.append(Planned(row.local_id, "refused", (), f"it can't be read: {error}"))
            continue
        fmt = Format(row.format)
        if job.rule:
            looked = inspector.whole(record, fmt, (), kinds.kind_of(record, fmt))
            if not any(one.rule == job.rule for one in looked.findings):
                found.append(Planned(row.local_id, ""))
                continue
        guarded = protected(job.source, fmt, job.own)
        made = batch_change.apply(record, fmt, job.change, guarded)
        if made.refused:
            found.append(Planned(row.local_id, "refused", (), made.refused))
        elif not made.edits:
            found.append(Planned(row.local_id, "same"))
        else:
            standing = batch_edits.Standing(0, made.edits, (0,) * len(made.edits))
            after = batch_edits.make(record, [standing]).record
            changed.append((len(found), record, after, fmt))
            found.append(Planned(row.local_id, "changed", made.edits))
    if job.own:
        _judge(found, changed, inspector)
    return found


def _judge(
    found: list[Planned], changed: Collection[tuple[int, Record, Record, Format]], inspector: quality.Inspector
) -> None:
    """Refuse what the rules would send back and would not have sent back before."""
    after = inspector.look((new, fmt, kinds.kind_of(new, fmt)) for _, _, new, fmt in changed)
    for (place, old, _, fmt), findings in zip(changed, after, strict=True):
        if errors := inspector.judged(findings).errors:
            before = {one.rule for one in inspector.judge(old, fmt, (), kinds.kind_of(old, fmt)).errors}
            if fresh := sorted({one.rule for one in errors} - before):
                found[place] = Planned(found[place].local_id, "refused", (), f"rule {fresh[0]} would send it back")


def kept(row: Row, dictionaries: Mapping[int, bytes]) -> Record:
    """The record in a row. BadRecord if it can't be read."""
    return original.record(bodies.open_body(row.body, row.dictionary, dictionaries), row.carrier, row.encoding)


def given(rows: Mapping[str, Row], dictionaries: Mapping[int, bytes], some: Sequence[Edited]) -> list[Fate]:
    """Edits that were told record by record, where the fields are as they expect."""
    fates = []
    for one in some:
        row = rows.get(one.local_id)
        edits = tuple(Edit(*edit) for edit in one.edits)
        standing = batch_edits.Standing(0, edits, (0,) * len(edits))
        made = batch_edits.make(kept(row, dictionaries), [standing]) if row else None
        over = sorted({edits[n].tag for _, n in made.dropped}) if made else []
        state = "gone" if made is None else "refused" if over else "changed" if made.receipts else "same"
        reason = f"changed since: {', '.join(over)}" if over else ""
        fates.append(Fate(local_id=one.local_id, state=state, edits=edits, ended=one.ended, reason=reason))
    return fates


def take_back(rows: Mapping[str, Row], dictionaries: Mapping[int, bytes], some: Sequence[Edited]) -> list[Fate]:
    """Edits whose field is still as they left it are taken back; what was changed since stays."""
    fates = []
    for one in some:
        row = rows.get(one.local_id)
        try:
            record = kept(row, dictionaries) if row else None
        except BadRecord:
            record = None
        ended = [
            -1 if end == 0 and record and batch_edits.is_made(record, Edit(*edit)) else end
            for edit, end in zip(one.edits, one.ended, strict=True)
        ]
        left = sorted({edit[0] for edit, end in zip(one.edits, ended, strict=True) if end != -1})
        reason = f"changed since: {', '.join(left)}" if row else "the record is gone"
        fates.append(
            Fate(
                local_id=one.local_id,
                state="kept" if left else "undone",
                edits=one.edits,
                ended=ended,
                reason=reason if left else "",
            )
        )
    return fates
