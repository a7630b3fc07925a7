"""What holds no record is told with what was seen instead; an empty envelope of records is no fault."""

from __future__ import annotations

import gzip
import io

import pytest

from config.errors import BadRecord
from protocols import detect, stream
from protocols.gunzip import Input
from protocols.tables.opening import Table


def read(data: bytes) -> int:
    carrier = detect.carrier_of(data[: detect.HEAD])
    return sum(len(each.data) for each in stream.stretches(io.BytesIO(data), carrier))


MARC = b'<?xml version="1.0"?><collection xmlns="http://www.loc.gov/MARC21/slim">'


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (MARC, "ends before its root element <collection>"),
        (b"<a>" * 500_000, "root element is <a>"),
        (b'<?xml version="1.0"?><!-- <record> --><x:other xmlns:x="urn:x"><x:b/></x:other>', "<x:other>"),
        (b"<lido:lido xmlns:lido='urn:l'><lido:b/></lido:lido>", "LIDO"),
        (b"<eac-cpf xmlns='urn:isbn'><control/></eac-cpf>", "EAC-CPF"),
        (b"<ONIXMessage><Header/></ONIXMessage>", "ONIX"),
        (b"\0" * 4096, "4,096 bytes of nothing but zeros"),
        (gzip.compress(b"x", mtime=0), "gzip inside gzip"),
        (b"", "the input is empty"),
    ],
)
def test_it_is_said_what_was_seen(data: bytes, seen: str) -> None:
    with pytest.raises(BadRecord, match=seen):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        MARC + b"\n</collection>\n",
        b'<collection xmlns="http://www.loc.gov/MARC21/slim"/>',
        b"<zs:searchRetrieveResponse xmlns:zs='urn:z'><zs:numberOfRecords>0</zs:numberOfRecords>"
        b"</zs:searchRetrieveResponse>",
        b"<OAI-PMH xmlns='urn:o'><error code='noRecordsMatch'>none</error></OAI-PMH>",
    ],
)
def test_an_empty_envelope_is_no_fault(data: bytes) -> None:
    assert read(data) == len(data)


def test_a_workbook_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadRecord, match=r"^list\.xlsx: "):
        Table(Input(io.BytesIO(b"PK\x03\x04 no workbook"), "list.xlsx"), "list.xlsx")
