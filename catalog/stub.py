"""What is left of a record where only its holdings are shared: what it is matched by, and no more (pure).

One reduction for both cases: a source that shares its holdings only, and a peer to which no more is published.
"""

from __future__ import annotations

from catalog import packing
from catalog.model import Format
from protocols import marc
from protocols.marc import Record

TAGS = {
    Format.MARC21: frozenset(
        ("001", "005", "006", "007", "008", "010", "020", "022", "024", "028", "041", "100", "110", "111", "130", "240",
         "245", "246", "250", "260", "264", "300", "490", "700", "710", "711", "800", "830")
    ),
    Format.CNMARC: frozenset(
        ("001", "005", "010", "011", "013", "020", "071", "100", "101", "102", "105", "106", "110", "200", "205", "207",
         "210", "215", "225", "410", "461", "500", "510", "512", "517", "700", "701", "702", "710", "711", "712")
    ),
}  # fmt: skip
# Prices and terms of availability beside standard numbers (MARC 21: $c; UNIMARC: $d). Nobody matches by them.
_PRICES = {
    Format.MARC21: {"020": "c", "024": "c"},
    Format.CNMARC: {"010": "d", "011": "d", "013": "d", "071": "d"},
}


def stub(body: bytes, fmt: Format) -> bytes:
    """The packed record reduced. 880 stays with the fields that it writes in another script; a stub stays as it is."""
    record = packing.unpack(body)
    tags, prices = TAGS[fmt], _PRICES[fmt]
    fields = []
    for tag, content in record.fields:
        meant = marc.value(content, "6")[:3] if tag == "880" else tag
        if meant not in tags:
            continue
        if meant in prices:
            left = [(code, value) for code, value in marc.subfields(content) if code not in prices[meant]]
            if all(code == "6" for code, _ in left):
                continue
            content = marc.field(content[:2], left)
        fields.append((tag, content))
    return packing.pack(Record(record.leader, tuple(fields)))
