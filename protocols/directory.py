"""The directory of a damaged ISO 2709 record brought into agreement with its field terminators.

Every entry (tag, length, place) claims a run of bytes; every field terminator ends one. Entries whose claim begins and
ends at terminators are *anchors* and are believed. Between two anchors the remaining entries and the remaining runs are
paired in order. Nothing is thrown away without a finding.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

Finding = tuple[str, str]  # rule id, detail

Span = tuple[int, int]  # first byte, one past the last

STRAY = "ZZZ"  # tag given to contents whose own tag is lost: no dialect uses it


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One directory entry; -1 where the digits are no number."""

    tag: str
    length: int  # bytes, terminator included
    start: int  # from the base address


def entries_of(directory: bytes, leader: bytes, findings: list[Finding]) -> list[Entry]:
    """Entries of a directory (its terminator not included)."""
    widths = _widths(directory, leader)
    size = 3 + sum(widths)
    if len(directory) % size == 0:
        return [_entry(directory[at : at + size], widths) for at in range(0, len(directory), size)]
    findings.append(("iso2709-directory", f"the directory has {len(directory)} bytes, no multiple of {size}"))
    return _resynchronised(directory)


def _widths(directory: bytes, leader: bytes) -> tuple[int, int, int]:
    """Widths of length, place and own part of an entry (leader 20-22); 4, 5, 0 unless only the stated map fits."""
    map_ = leader[20:23]
    if len(directory) % 12 == 0 or not map_[:2].isdigit() or min(map_[0], map_[1]) == 0x30:
        return 4, 5, 0
    length, place_ = map_[0] - 0x30, map_[1] - 0x30
    own = map_[2] - 0x30 if map_[2:].isdigit() else 0
    return (length, place_, own) if len(directory) % (3 + length + place_ + own) == 0 else (4, 5, 0)


def _entry(text: bytes, widths: tuple[int, int, int]) -> Entry:
    length = text[3 : 3 + widths[0]]
    start = text[3 + widths[0] : 3 + widths[0] + widths[1]]
    return Entry(
        tag=text[:3].decode("latin-1"),
        length=int(length) if length.isdigit() and length.isascii() else -1,
        start=int(start) if start.isdigit() and start.isascii() else -1,
    )


def _resynchronised(directory: bytes) -> list[Entry]:
    """Entries of a directory in which bytes were lost or added: the running place shows where entries begin again."""
    found: list[Entry] = []
    at = expected = 0
    while at + 9 <= len(directory):
        for shift in (0, 1, -1, 2, -2, 3, -3, 4, 5, 6):
            candidate = _entry(directory[max(at + shift, 0) : max(at + shift, 0) + 12], (4, 5, 0))
            if at + shift >= 0 and candidate.start == expected and candidate.length > 0:
                at += shift
                break
        else:
            candidate = _entry(directory[at : at + 12], (4, 5, 0))
        found.append(candidate)
        expected = candidate.start + candidate.length if candidate.length > 0 else -1
        at += 12
    return found


def missing(entries: list[Entry], body: bytes, base: int) -> int:
    """How many fields lack their end in a record without terminator. Lengths can be wrong, so terminators count; the
    last field may have lost its own with the record's, and is whole if it has the length that its entry says.
    """
    ends = body.count(b"\x1e", base)
    lacking = max(len(entries) - ends, 0)
    last = max((entry.start + entry.length for entry in entries if min(entry.start, entry.length) >= 0), default=0)
    if lacking == 1 and not body.endswith(b"\x1e") and base + last - 1 == len(body):
        return 0
    return lacking


def place(entries: list[Entry], body: bytes, base: int, findings: list[Finding]) -> list[tuple[str, bytes]]:
    """(tag, content) of every field, in directory order; `body` has no record terminator, `base` is true."""
    runs = _runs(body, base)
    spans = _anchors(entries, base, runs)
    wrong = [entry.tag for entry, span in zip(entries, spans, strict=True) if span is None]
    if wrong:
        shown = " ".join(wrong[:8]) + (" …" if len(wrong) > 8 else "")
        findings.append(("iso2709-directory", f"{len(wrong)} of {len(entries)} entries point wrong: {shown}"))
    stray = _fill(entries, spans, base, runs)
    fields: list[tuple[str, bytes]] = []
    for entry, span in zip(entries, spans, strict=True):
        if span is None:
            findings.append(("iso2709-entry-without-field", f"entry {entry.tag!r} has no content"))
        else:
            fields.append((_readable(entry.tag, findings), _content(body[span[0] : span[1]], findings)))
    for start, end in stray:
        if end > start:
            findings.append(("iso2709-field-without-entry", f"{end - start} bytes kept as {STRAY}"))
            fields.append((STRAY, body[start:end]))
    return fields


def _runs(body: bytes, base: int) -> list[Span]:
    """(start, end) of the contents between field terminators; the last need not be terminated."""
    runs: list[Span] = []
    start = base
    while (end := body.find(0x1E, start)) >= 0:
        runs.append((start, end))
        start = end + 1
    if body[start:].strip(b"\r\n\t \x00\x1a"):
        runs.append((start, len(body)))
    return runs


def _anchors(entries: list[Entry], base: int, runs: list[Span]) -> list[Span | None]:
    """The span of every entry that begins where a run begins, ends where a run ends and shares no run with another.

    An entry over several runs (a terminator inside a field) gives way to entries that name one run each.
    """
    begins = {start: index for index, (start, _) in enumerate(runs)}
    ends = {end: index for index, (_, end) in enumerate(runs)}
    claims: list[tuple[int, int, int]] = []  # number of runs, entry, first run
    for index, entry in enumerate(entries):
        first = begins.get(base + entry.start, -1) if entry.start >= 0 else -1
        last = ends.get(base + entry.start + entry.length - 1, -1)
        if entry.length > 0 and 0 <= first <= last:
            claims.append((last - first + 1, index, first))
    spans: list[Span | None] = [None] * len(entries)
    taken: list[Span] = []  # first and one past the last run, in order
    for width, index, first in sorted(claims):
        at = bisect_right(taken, (first, 1 << 62))
        if (not at or taken[at - 1][1] <= first) and (at == len(taken) or first + width <= taken[at][0]):
            taken.insert(at, (first, first + width))
            spans[index] = (runs[first][0], runs[first + width - 1][1])
    return spans


def _fill(entries: list[Entry], spans: list[Span | None], base: int, runs: list[Span]) -> list[Span]:
    """Give spans to the entries that have none, from the runs no anchor took; returns the runs nobody names."""
    anchored = sorted(span for span in spans if span)
    if len(anchored) == len(runs) == len(entries):
        return []
    free = [run for run in runs if not _covered(run, anchored)]
    open_ = [index for index, span in enumerate(spans) if span is None]
    if len(free) == len(open_):
        for index, run in zip(open_, free, strict=True):
            spans[index] = run
        return []
    stray: list[Span] = []
    group: list[int] = []
    used = 0  # of `free`
    for index in range(len(entries) + 1):
        span = spans[index] if index < len(entries) else (1 << 62, 1 << 62)
        if span is None:
            group.append(index)
        elif group or index == len(entries):
            end = bisect_left(free, span, used)
            stray.extend(_pair(entries, spans, group, free[used:end], base))
            group, used = [], max(used, end)
    return stray


def _covered(run: Span, anchored: list[Span]) -> bool:
    at = bisect_right(anchored, (run[0], 1 << 62)) - 1
    return at >= 0 and anchored[at][0] <= run[0] and run[1] <= anchored[at][1]


def _pair(
    entries: list[Entry], spans: list[Span | None], group: list[int], inside: list[Span], base: int
) -> list[Span]:
    """Pair the entries of one gap with its runs: by the directory if it fills the gap exactly, else in order."""
    if group and inside and len(group) != len(inside):
        at = inside[0][0]
        stated: list[Span] = []
        for index in group:
            entry = entries[index]
            if entry.length < 1 or base + entry.start != at:
                break
            stated.append((at, at + entry.length - 1))
            at += entry.length
        if len(stated) == len(group) and at == inside[-1][1] + 1:  # a terminator was overwritten
            for index, span in zip(group, stated, strict=True):
                spans[index] = span
            return []
    for index, run in zip(group, inside, strict=False):
        spans[index] = run
    return inside[len(group) :]


def _content(content: bytes, findings: list[Finding]) -> bytes:
    if b"\x1e" in content or b"\x1d" in content:
        findings.append(("iso2709-terminator-in-field", "a terminator inside a field became a blank"))
        return content.replace(b"\x1e", b" ").replace(b"\x1d", b" ")
    return content


def _readable(tag: str, findings: list[Finding]) -> str:
    """The tag itself if it can be written anywhere; others are kept under `STRAY`."""
    if len(tag) == 3 and tag.isascii() and tag.isalnum():
        return tag
    kept = tag if len(tag) == 3 and tag.isascii() and tag.isprintable() and " " not in tag else STRAY
    findings.append(("iso2709-tag", f"tag {tag!r} kept as {kept!r}"))
    return kept
