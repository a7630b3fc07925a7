"""Holdings records (MFHD): what names their parent, and the copies that they tell of (pure).

MARC 21 Format for Holdings Data: 852 is a place with its call number; 853-855 with 863-865 or 866-868 say what is held
there, 876-878 are items. $8 links them, by the same first number; where nothing is linked and there is one 852, all is
there. UNIMARC Holdings has 252 for 852, 253 for 853 and so on (assumed: subfields as in UNIMARC 852).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from catalog import attached
from catalog.model import HELD_PREFIX, Format, Source
from dms import enumeration, formats, holdings, identity
from dms.holdings import Copy
from dms.rules import kinds
from dms.rules.model import Kind
from protocols import landed, marc
from protocols.marc import Record

FOLLOWS = "follows"  # instead of a key, until the unit is placed: the parent comes before it, in an earlier unit

_PATTERNS = (("853", "863", "866"), ("854", "864", "867"), ("855", "865", "868"))
_ITEMS = ("876", "877", "878")
_UNIMARC = {f"2{n}": f"8{n}" for n in ("52", "53", "54", "55", "63", "64", "65", "66", "67", "68")}
_LENT = re.compile(r"#[0-9a-f]{8}$")
_END = 1 << 62  # behind every ordinal
_SUSPECTS = frozenset("uvwxy")  # leader/06 of holdings records in any format


class _Places:
    """The 852 of a record, with their copies, and which of them a link means."""

    def __init__(self, found: Sequence[tuple[str, Copy]], library: str) -> None:
        """`found`: (link, copy). Without any 852 everything is somewhere in the library."""
        self.copies = [copy for _, copy in found]
        self._linked = {link: copy for link, copy in reversed(found) if link}
        unlinked = [copy for link, copy in found if not link]
        self._else = (unlinked or self.copies or [Copy(library)])[0]

    def at(self, link: str) -> Copy:
        """The 852 with the same link, else the first without one, else the first."""
        return self._linked.get(link, self._else)._replace(note="", item="")


def may_be(record: Record) -> bool:
    """May this be a holdings record, by its leader and control fields alone? Nearly all are not."""
    return record.leader[6:7] in _SUSPECTS or any(tag == "004" for tag, _ in record.fields[:4])


def is_one(record: Record, said: str) -> bool:
    """Is this a holdings record? `said`: the format of its source."""
    return may_be(record) and kinds.kind_of(record, formats.format_of(record, said)) is Kind.HOLDINGS


def parent(record: Record, rule: str, mapping: Mapping[str, object]) -> str:
    """The key of its parent (catalog.attached), if it names one.

    That is 004, whose agency is in 003, or 014 of a bibliographic record, written as the identity rule of the source
    names its records; in sheets of holdings what the source's mapping says: the item or call number.
    """
    match mapping.get(attached.JOIN):
        case "item":
            return next((attached.item_key(copy.item) for copy in copies(record, {}, "") if copy.item), "")
        case "call":
            return next(
                (attached.call_key(copy.call_number) for copy in copies(record, {}, "") if copy.call_number), ""
            )
    linked = next((marc.value(text, "a") for text in record.all("014") if text[:1] == "1"), "")
    number = (record.first("004") or linked).strip()
    if not number:
        return ""
    agency = (record.first("003") or "").strip()
    written = number if number.startswith("(") or not agency else f"({agency}){number}"
    stand_in = Record(record.leader, (("001", number), ("003", agency), ("035", marc.field("  ", [("a", written)]))))
    named = identity.named_id(stand_in, rule)
    return attached.ID + named if named else ""


class Named(NamedTuple):
    """What a holdings record is called, and what names its parent."""

    local_id: str
    parent: str  # as `Order.before`
    placed: bool  # the parent is told by the place in the input
    instead: str = ""  # the id that it has if the unit before ends with a record of its number
    number: str = ""  # 004 as it is written


def name(record: Record, raw: bytes, source: Source, order: Order, ordinal: int) -> Named:
    """Name a holdings record. Its own number is `h:` and what the identity rule gives.

    Many systems write no number of its own into it but its parent's, which may have many such records: these are
    `h:NUMBER#` and 8 hex digits of the digest of their bytes, so that all are kept and their order changes nothing.
    That is so if the record says itself that this is its parent, or stands behind the record of this number. What 004
    says may also be another number of the record before, in its 035 $a.
    """
    named = identity.named_id(record, source.identity)
    parent_key = parent(record, source.identity, source.mapping)
    if not named:
        local_id = identity.digest_id(raw) + "#1"
        return Named(local_id, parent_key or order.before(ordinal), not parent_key)
    own, lent = HELD_PREFIX + named, f"{HELD_PREFIX}{named}#{hashlib.sha256(landed.content(raw)).hexdigest()[:8]}"
    number = (record.first("004") or "").strip()
    before = order.before(ordinal)
    if attached.ID + named in (parent_key, before):
        return Named(lent, attached.ID + named, False)
    if number and number in order.numbers(ordinal):
        return Named(own, before, True)
    if before == FOLLOWS:
        return Named(own, parent_key or before, not parent_key, lent, number)
    return Named(own, parent_key or before, not parent_key)


def is_lent(local_id: str) -> bool:
    """Is this the id of a holdings record that bears its parent's number?"""
    return local_id.startswith(HELD_PREFIX) and _LENT.search(local_id) is not None


def lender(local_id: str) -> str:
    """The parent's id, of such an id."""
    return local_id.removeprefix(HELD_PREFIX).rpartition("#")[0]


class Order:
    """Which bibliographic record stands before a holdings record: so many exports write them. Between them no record
    may have been lost, or the parent isn't known.
    """

    def __init__(self, lost: Sequence[int]) -> None:
        """`lost`: ordinals of what could not be read."""
        self._lost = sorted(lost)
        self._at = 0
        self._last = FOLLOWS
        self._record: Record | None = None

    def pass_by(self, ordinal: int, local_id: str, record: Record) -> None:
        """A bibliographic record."""
        self._at, self._last, self._record = ordinal, attached.ID + local_id, record

    def before(self, ordinal: int) -> str:
        """The key of the record before; FOLLOWS = it is in an earlier unit, "" = it isn't known."""
        return "" if any(self._at < lost < ordinal for lost in self._lost) else self._last

    def numbers(self, ordinal: int) -> list[str]:
        """Other numbers of the record before, in its 035 $a; none if it isn't known."""
        if self._record is None or self.before(ordinal) != self._last:
            return []
        return [value.strip() for text in self._record.all("035") for value in marc.values(text, "a") if value.strip()]

    @property
    def last(self) -> str:
        """What this unit ends with, for those that follow in the next one: as `before`."""
        return self.before(_END)

    @property
    def last_numbers(self) -> list[str]:
        """Other numbers of that."""
        return self.numbers(_END)


def copies(record: Record, mapping: Mapping[str, object], library: str) -> tuple[Copy, ...]:
    """Copies and statements of a holdings record; a mapping with habits of its own reads it by these alone."""
    if mapping.get("fields"):
        return holdings.holdings(record, mapping, library, Format.MARC21)
    unimarc = record.first("852") is None and record.first("252") is not None
    fields: dict[str, list[str]] = {}
    for tag, text in record.fields:
        fields.setdefault(_UNIMARC.get(tag, tag) if unimarc else tag, []).append(text)
    own = {key: value for key, value in mapping.items() if key != "fields"} | {"implicit": False}
    fmt = Format.CNMARC if unimarc else Format.MARC21
    found = [
        (_link(text), copy)
        for text in fields.get("852", ())
        for copy in holdings.holdings(Record("", (("852", text),)), own, library, fmt) or (Copy(library),)
    ]
    places = _Places(found, library)
    held = _statements(fields)
    what = {link: text for link, text in reversed(held) if link}
    rows = [_item(places, what, text) for tag in _ITEMS for text in fields.get(tag, ())]
    noted = {(row.location, row.note.casefold()) for row in rows}
    for link, text in held:
        base = places.at(link)
        if (base.location, text.casefold()) not in noted:
            rows.append(base._replace(status="", note=text))
    told = {(row.location, row.call_number) for row in rows}
    rows = [one for one in places.copies if one.item or (one.location, one.call_number) not in told] + rows
    return tuple(dict.fromkeys(rows)) or ((Copy(library),) if mapping.get("implicit", True) is not False else ())


def _statements(fields: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(link, text) of what is held; the words of 866-868 go before the values that they are linked to."""
    found = []
    for captions, values, words in _PATTERNS:
        said = [(_link(text), text) for text in fields.get(words, ()) if marc.value(text, "a").strip()]
        linked = {link for link, _ in said if link}
        found += [(link, _words(text)) for link, text in said]
        coded = [text for text in fields.get(values, ()) if _link(text) not in linked or not _link(text)]
        found += enumeration.statements(fields.get(captions, ()), coded)
    return found


def _words(text: str) -> str:
    return " ".join([" ".join(value.split()) for value in marc.values(text, "az") if value.strip()])


def _item(places: _Places, held: Mapping[str, str], text: str) -> Copy:
    """An item: $p piece designation, $j status, $l location now, $3 what it is, $z note. `held`: by link."""
    link = _link(text)
    base = places.at(link)
    what = _value(text, "3") or held.get(link, "")
    return base._replace(
        item=_value(text, "p") or _value(text, "a"),
        location=_value(text, "l") or base.location,
        status=_value(text, "j") or base.status,
        note="; ".join(filter(None, (what, _value(text, "z")))),
    )


def _value(text: str, code: str) -> str:
    return " ".join(marc.value(text, code).split())


def _link(text: str) -> str:
    """The link number of $8, see `dms.holdings`."""
    number = marc.value(text, "8").partition("\\")[0].partition(".")[0].strip() if "\x1f8" in text else ""
    return "" if number == "0" else number
