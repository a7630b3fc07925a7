"""What of a record's structure can be mended without a cataloguer's eye (pure).

Each function mends what its rule tells, and only where one value can be meant: nothing that says anything is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalog.model import Format
from dms.rules import edit, kinds
from dms.rules.coded import CONSTANT, Coded
from dms.rules.content.model import Fix
from dms.rules.definitions.tables import Codes, Definitions, definitions_of
from dms.rules.model import LEADER, Mended
from dms.rules.shapes import meant
from protocols.marc import DELIMITER, Record, is_control

_NOTHING = frozenset("#|\\^-\xa0\t")  # what people and programs write for a blank
_BLANK = " "


def _known(record: Record, fmt: Format) -> Definitions:
    return definitions_of(record, fmt, kinds.kind_of(record, fmt)) or Definitions()


def indicators(record: Record, fmt: Format) -> Mended:
    """A blank where nothing else is legal, or where another sign stands for one."""
    fields = _known(record, fmt).fields

    def change(tag: str, text: str) -> str:
        known = fields.get(meant(tag, text))
        if known is None or is_control(tag) or text.find(DELIMITER) != 2:
            return text
        one, two = (_indicator(*each) for each in zip(text[:2], known.indicators, strict=True))
        return one + two + text[2:]

    return edit.fields(record, "indicator-undefined", change)


def _indicator(value: str, codes: Codes | None) -> str:
    if codes is None or value in codes or _BLANK not in codes.legal:
        return value
    return _BLANK if len(codes.legal) == 1 or value in _NOTHING else value


def empty_subfields(record: Record, _fmt: Format) -> Mended:
    """Subfields without a value are dropped, where others stay."""

    def change(tag: str, text: str) -> str:
        head, *parts = text.split(DELIMITER)
        kept = [part for part in parts if part[1:].strip()]
        return text if is_control(tag) or not kept or len(kept) == len(parts) else DELIMITER.join((head, *kept))

    return edit.fields(record, "subfield-empty", change)


def empty_fields(record: Record, _fmt: Format) -> Mended:
    """Fields without a value are dropped."""

    def change(tag: str, text: str) -> str | None:
        head, *parts = text.split(DELIMITER)
        rest = text if is_control(tag) or not parts else head[2:] + "".join(part[1:] for part in parts)
        return text if rest.strip() else None

    return edit.fields(record, "field-empty", change)


def repeated_fields(record: Record, fmt: Format) -> Mended:
    """A field that can't repeat and stands there twice with the same text stands there once."""
    fields = _known(record, fmt).fields
    seen: set[tuple[str, str]] = set()

    def change(tag: str, text: str) -> str | None:
        known = fields.get(tag)
        if known is None or known.repeatable:
            return text
        if (tag, text) in seen:
            return None
        seen.add((tag, text))
        return text

    return edit.fields(record, "field-repeated", change)


def repeated_subfields(record: Record, fmt: Format) -> Mended:
    """A subfield that can't repeat and says the same twice says it once."""
    fields = _known(record, fmt).fields

    def change(tag: str, text: str) -> str:
        known = fields.get(meant(tag, text))
        head, *parts = text.split(DELIMITER)
        if known is None or is_control(tag) or len(set(parts)) == len(parts) or _embeds(parts, fmt):
            return text
        kept: list[str] = []
        for part in parts:
            if part not in kept or part[:1] not in known.once:
                kept.append(part)
        return DELIMITER.join((head, *kept))

    return edit.fields(record, "subfield-repeated", change)


def _embeds(parts: list[str], fmt: Format) -> bool:
    """Whether there are fields within the field, whose subfields may be alike."""
    return fmt == Format.CNMARC and any(part[:1] == "1" for part in parts)


def leader(record: Record, fmt: Format) -> Mended:
    """The positions that have one value in every record."""
    known = _known(record, fmt).fixed.get(LEADER)
    text = record.leader
    for each in known.of("*") if known and len(text) == 24 else ():
        if each.start in CONSTANT and text[each.start] not in each.codes:
            (value,) = each.codes.legal
            text = text[: each.start] + value + text[each.start + 1 :]
    return edit.leader(record, "leader-constant", text)


def lengths(record: Record, fmt: Format) -> Mended:
    """Blanks at a fixed field's end are added or taken away, where all of its codes are then legal."""
    known = _known(record, fmt)
    coded = Coded(known, fmt, kinds.kind_of(record, fmt), frozenset())
    places = known.fixed

    def change(tag: str, text: str) -> str:
        if tag in places and is_control(tag):
            fitted = _fitted(text, places[tag].lengths_of("*"))
            return text if coded.field(tag, fitted, record.leader) else fitted
        if tag in coded.tags and not is_control(tag):
            head, *parts = text.split(DELIMITER)
            for nth, part in enumerate(parts):
                place = places.get(f"{tag}${part[:1]}")
                fitted = part[:1] + _fitted(part[1:], place.lengths_of("*") if place else frozenset())
                if not coded.field(tag, DELIMITER.join((head, fitted)), record.leader):
                    parts[nth] = fitted
            return DELIMITER.join((head, *parts))
        return text

    return edit.fields(record, "fixed-length", change)


def _fitted(text: str, lengths_: frozenset[int]) -> str:
    """The text with the one legal length, if only blanks at its end are the difference."""
    if len(lengths_) != 1 or len(text) in lengths_ or not text.strip():
        return text
    (length,) = lengths_
    return text[:length].ljust(length) if not text[length:].strip() else text


FIXES: Mapping[str, Fix] = MappingProxyType(
    {
        "field-empty": empty_fields,
        "field-repeated": repeated_fields,
        "fixed-length": lengths,
        "indicator-undefined": indicators,
        "leader-constant": leader,
        "subfield-empty": empty_subfields,
        "subfield-repeated": repeated_subfields,
    }
)
