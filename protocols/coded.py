"""Blanks that a line format writes with another sign, put back where a blank can only be meant (pure).

Line formats show the blanks of coded data with a sign of their own: `\\` (MARCMaker), `^` (Aleph), `-` (some Aleph
exports), `#` (manuals). In leaders and control fields the sign is always a blank. In the subfields of data fields it is
one only where UNIMARC keeps coded data: UNIMARC Manual: Bibliographic Format (2008), block 1XX, subfields of fixed
length.
"""

from __future__ import annotations

from protocols import dialect
from protocols.marc import DELIMITER, Record

# UNIMARC fields of the 1XX block whose subfields are of fixed length; 101 and 102 hold codes without positions.
CODED = frozenset((
    "100", "105", "106", "110", "111", "114", "115", "116", "117", "120", "121", "122", "123", "124", "125", "126",
    "127", "128", "130", "131", "135", "140", "141", "181", "182",
))  # fmt: skip


def with_blanks(record: Record, sign: str) -> Record:
    """The record with blanks for `sign` in the coded fields of UNIMARC; any other record as it is."""
    marked = DELIMITER + "a"
    if not any(tag in CODED and sign in text and marked in text for tag, text in record.fields):
        return record
    if dialect.family(record) != dialect.CNMARC:
        return record
    fields = tuple((tag, text.replace(sign, " ") if tag in CODED else text) for tag, text in record.fields)
    return Record(record.leader, fields)


def leader(text: str, findings: list[tuple[str, str]]) -> str:
    """A leader of 24 characters; one that lost or won a character is put right where its end, 4500 or 450, shows it."""
    if len(text) == 24:
        return text
    findings.append(("leader-length", f"the leader has {len(text)} characters"))
    if len(text) > 24 and not text[24:].strip():
        return text[:24]
    body = text.rstrip()
    for ending in ("4500", "450"):
        if body.endswith(ending) and 16 <= len(body) < 28:
            return body[: -len(ending)].ljust(20)[:20] + ending.ljust(4)
    return text[:24].ljust(24)
