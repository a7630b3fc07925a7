"""Fields that stand twice, and headings that stand in more than one place (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from catalog.model import Format
from catalog.search.fold import fold
from dms.rules import bulk, edit
from dms.rules.bulk import Bools, Columns
from dms.rules.content.model import ContentRule, Fix, Look
from dms.rules.content.values import LONGEST_VALUE
from dms.rules.model import Finding, Kind, Mended
from protocols.marc import DELIMITER, Record, is_control, subfields

_MAIN = ("100", "110", "111", "130")
_ADDED = {"700": "100", "710": "110", "711": "111"}
_SIGNS = re.compile(r"[^\w]")


def _drops(tag: str) -> bool:
    """Whether a second field of the same content says nothing new: not control, local, holdings or items."""
    local = not tag.isdecimal() or tag[0] == "9" or tag[1:2] == "9"
    return not local and not is_control(tag) and (tag == "856" or tag[:2] not in ("85", "86", "87"))


_DROPPED = bulk.of_tags(tag for number in range(1000) if _drops(tag := f"{number:03d}"))


def _among(columns: Columns, fmt: Format) -> Bools:
    """Records with two fields of a tag that are as long and end alike; and those in which a field is out of the
    ordinary."""
    del fmt  # the same in both
    fields = columns.tagged(_DROPPED)
    starts, ends = columns.starts[fields], columns.ends[fields]
    keys = columns.record[fields] * bulk.NO_DIGITS + columns.digits[fields] << 32
    keys |= (ends - starts & 0xFFFF) << 16 | columns.octets[ends - 1].astype(np.int64) << 8 | columns.octets[ends - 2]
    keys.sort()
    again = keys[1:][keys[1:] == keys[:-1]]
    rows = columns.rows_of(columns.outline == bulk.ODD)
    rows[(again >> 32) // bulk.NO_DIGITS] = True
    return rows


def _shown(text: str) -> str:
    return text[2:].replace(DELIMITER, " ‡").strip()[:LONGEST_VALUE]


def _twice(seen: Look) -> Iterator[Finding]:
    for tag, texts in seen.fields.items():
        if len(texts) > 1 and len(set(texts)) < len(texts) and _drops(tag):
            known: set[str] = set()
            for nth, text in enumerate(texts, 1):
                if text in known:
                    yield Finding("field-twice", tag, nth, "", -1, _shown(text))
                known.add(text)


def _alike(seen: Look) -> Iterator[Finding]:
    for tag, texts in seen.fields.items():
        if len(texts) > 1 and _drops(tag) and len({text[2:] for text in texts}) < len(set(texts)):
            known: dict[str, str] = {}
            for nth, text in enumerate(texts, 1):
                if known.setdefault(text[2:], text) != text:
                    yield Finding("field-twice-indicators", tag, nth, "", -1, _shown(text))


def _mend_twice(record: Record, fmt: Format) -> Mended:
    del fmt
    known: set[tuple[str, str]] = set()

    def change(tag: str, text: str) -> str | None:
        if not _drops(tag):
            return text
        if (tag, text) in known:
            return None
        known.add((tag, text))
        return text

    return edit.fields(record, "field-twice", change)


def _heading(text: str) -> tuple[tuple[str, str], ...]:
    """A heading's subfields without marks, for comparison; links and identifiers don't count, roles do."""
    return tuple(
        (code, plain)
        for code, held in subfields(text)
        if code not in "012356789w" and (plain := _SIGNS.sub("", fold(held)))
    )


def _main_again(record: Record) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Headings of 1XX by the tag that they would have in 7XX."""
    return {(added, _heading(text)) for added, tag in _ADDED.items() for text in record.all(tag)}


def _added(seen: Look) -> Iterator[Finding]:
    """7XX with all that 1XX has, role and all."""
    if not any(tag in seen.fields for tag in _MAIN):
        return
    mains = _main_again(seen.record)
    starts = {(tag, heading[0][1][:2]) for tag, heading in mains if heading}
    for tag in _ADDED:
        for nth, text in enumerate(seen.texts(tag), 1):
            if (
                (tag, _SIGNS.sub("", fold(text[4:12]))[:2]) in starts
                and (tag, _heading(text)) in mains
                and "\x1f6" not in text
            ):
                yield Finding("added-entry-main", tag, nth, "", -1, _shown(text), _ADDED[tag])


def _added_among(columns: Columns, fmt: Format) -> Bools:
    del fmt  # the rule is of one
    rows = np.zeros(columns.records, np.bool_)
    for added, main in _ADDED.items():
        rows |= columns.rows_of(columns.digits == int(added)) & columns.rows_of(columns.digits == int(main))
    return rows


def _mend_added(record: Record, fmt: Format) -> Mended:
    if fmt != Format.MARC21:
        return Mended(record, ())
    mains = _main_again(record)

    def change(tag: str, text: str) -> str | None:
        return None if (tag, _heading(text)) in mains and "\x1f6" not in text else text

    return edit.fields(record, "added-entry-main", change, _ADDED.keys())


def _several(seen: Look) -> Iterator[Finding]:
    """Main entries of several kinds; that one kind repeats is told by the definitions."""
    found = [tag for tag in _MAIN if tag in seen.fields]
    if len(found) > 1:
        yield Finding("main-entry-several", found[1], 1, "", -1, str(len(found)), "1")


# ---- authority records: 1XX of MARC 21, 2XX of UNIMARC


def _is_main(tag: str, fmt: Format) -> bool:
    return tag[:1] == ("1" if fmt == Format.MARC21 else "2") and tag.isdecimal()


def _authority(seen: Look) -> Iterator[Finding]:
    tags = [tag for tag in seen.fields if _is_main(tag, seen.format)]
    count = sum(len(seen.fields[tag]) for tag in tags)
    if not count:
        yield Finding("heading-missing", "1XX" if seen.format == Format.MARC21 else "2XX")
        return
    if count > 1:
        last = tags[-1]
        yield Finding("heading-several", last, len(seen.fields[last]), "", -1, str(count), "1")
    if seen.format != Format.MARC21 and count > 1:
        return  # parallel scripts: each has references of its own
    mains = {(tag[1:], _heading(text)) for tag in tags for text in seen.fields[tag]}
    for tag, texts in seen.fields.items():
        if tag[0] in "45":
            for nth, text in enumerate(texts, 1):
                if (tag[1:], _heading(text)) in mains:
                    yield Finding("reference-to-itself", tag, nth, "", -1, _shown(text))


def _mend_reference(record: Record, fmt: Format) -> Mended:
    """A reference from a heading to itself leads nowhere."""
    kind = record.leader[6:7]
    if kind != "z" and not (fmt == Format.CNMARC and kind in "xyz"):
        return Mended(record, ())
    mains = [(tag[1:], _heading(text)) for tag, text in record.fields if _is_main(tag, fmt)]
    if fmt != Format.MARC21 and len(mains) > 1:
        return Mended(record, ())
    tags = {tag for tag, _ in record.fields if tag[0] in "45" and tag.isdecimal()}
    if not tags or not mains:
        return Mended(record, ())
    return edit.fields(
        record, "reference-to-itself", lambda tag, text: None if (tag[1:], _heading(text)) in mains else text, tags
    )


RULES: tuple[ContentRule, ...] = (
    ContentRule(ids=("field-twice",), look=_twice, kinds=frozenset(Kind), among=_among),
    ContentRule(ids=("field-twice-indicators",), look=_alike, formats=frozenset((Format.MARC21,)), among=_among),
    ContentRule(
        ids=("added-entry-main",),
        look=_added,
        among=_added_among,
        tags=frozenset(_ADDED),
        formats=frozenset((Format.MARC21,)),
    ),
    ContentRule(ids=("main-entry-several",), look=_several, tags=frozenset(_MAIN), formats=frozenset((Format.MARC21,))),
    ContentRule(
        ids=("heading-missing", "heading-several", "reference-to-itself"),
        look=_authority,
        kinds=frozenset((Kind.AUTHORITY,)),
    ),
)
FIXES: Mapping[str, Fix] = {
    "field-twice": _mend_twice,
    "added-entry-main": _mend_added,
    "reference-to-itself": _mend_reference,
}
