"""Record syntax SUTRS: a record as plain text for people (ASN.1 module RecordSyntax-SUTRS)."""

from __future__ import annotations

from protocols.z3950 import oids
from protocols.z3950.apdu.parts import External, Single, single
from protocols.z3950.primitive import GENERAL


def external(text: str) -> External:
    """Lines that end in LF as they stand in an answer. The standard recommends no more than 72 characters a line."""
    return single(oids.SUTRS, GENERAL, text)


def read(record: External) -> str:
    """The text of one; some servers send it as plain octets. Malformed if it is no text."""
    if isinstance(record.encoding, Single):
        return GENERAL.decode(record.encoding.octets)
    return record.encoding.decode("utf-8", "surrogateescape") if isinstance(record.encoding, bytes) else ""
