"""What kind of record this is: by its leader, and by its fields where the leader lies (pure)."""

from __future__ import annotations

from catalog.model import Format
from dms.rules.model import Kind
from protocols.marc import Record

# MARC 21, leader/06: authority z, classification w, community information q; holdings u v x y.
# UNIMARC Authorities (2009), leader/06: x y z; UNIMARC Holdings (2007): u v w as our formats read it.
_KINDS = {
    Format.MARC21: dict.fromkeys("zwq", Kind.AUTHORITY) | dict.fromkeys("uvxy", Kind.HOLDINGS),
    Format.CNMARC: dict.fromkeys("xyz", Kind.AUTHORITY) | dict.fromkeys("uvw", Kind.HOLDINGS),
}
_TITLE = {Format.MARC21: "245", Format.CNMARC: "200"}
_PARENT = "004"  # control number of the related bibliographic record: in holdings records only, in either family

# Fields of a holdings record: MARC 21 Format for Holdings Data; UNIMARC Holdings has 252 for 852, and so on.
HELD = frozenset((
    "852", "853", "854", "855", "863", "864", "865", "866", "867", "868", "876", "877", "878",
    "252", "253", "254", "255", "263", "264", "265", "266", "267", "268",
))  # fmt: skip
WANTED = frozenset((_PARENT, *_TITLE.values(), *HELD))  # tags that `kind_of` looks at


def kind_of(record: Record, fmt: Format) -> Kind:
    """The kind by leader/06, unless the fields say otherwise; what neither says is bibliographic.

    Some systems write bibliographic leaders on their holdings records, and the other way round. 004 with fields of
    holdings and without a title is a holdings record; a title proper is never in an authority or holdings record of
    MARC 21 (in UNIMARC authorities 200 is a person).
    """
    said = _KINDS[fmt].get(record.leader[6:7], Kind.BIBLIOGRAPHIC)
    if said is Kind.BIBLIOGRAPHIC and _PARENT not in record.opening(4):
        return said  # nearly all: control fields come first, and this one nearly never
    tags = {tag for tag, _ in record.fields}
    titled = _TITLE[fmt] in tags
    if _PARENT in tags and not titled and not tags.isdisjoint(HELD):
        return Kind.HOLDINGS
    if said is Kind.HOLDINGS or (said is Kind.AUTHORITY and fmt is Format.MARC21):
        return Kind.BIBLIOGRAPHIC if titled and _PARENT not in tags else said
    return said
