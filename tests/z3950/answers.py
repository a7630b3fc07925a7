"""What is in answers of a Z39.50 server, for tests."""

from __future__ import annotations

from protocols.marc import Record
from protocols.z3950.apdu.parts import DefaultDiagFormat, External
from protocols.z3950.apdu.records import NamePlusRecord, SurrogateDiagnostic


def records(answer: object) -> tuple[NamePlusRecord, ...]:
    found = answer.records  # type: ignore[attr-defined]
    assert isinstance(found, tuple), found
    return found


def diagnostic(answer: object) -> tuple[int, str]:
    found = answer.records  # type: ignore[attr-defined]
    assert isinstance(found, DefaultDiagFormat), found
    return found.condition, found.text


def surrogate(record: NamePlusRecord) -> int:
    assert isinstance(record.record, SurrogateDiagnostic)
    assert isinstance(record.record.diagnostic, DefaultDiagFormat)
    return record.record.diagnostic.condition


def octets(record: NamePlusRecord) -> bytes:
    assert isinstance(record.record, External)
    assert isinstance(record.record.encoding, bytes)
    return record.record.encoding


def marc(record: NamePlusRecord, encoding: str = "utf-8") -> Record:
    data = octets(record)
    assert len(data) == int(data[:5])
    text = data.decode(encoding)
    base = int(data[12:17])
    fields = []
    for at in range(24, base - 1, 12):
        tag, size, start = data[at : at + 3].decode(), int(data[at + 3 : at + 7]), int(data[at + 7 : at + 12])
        fields.append((tag, data[base + start : base + start + size - 1].decode(encoding)))
    assert text
    return Record(data[:24].decode(), tuple(fields))
