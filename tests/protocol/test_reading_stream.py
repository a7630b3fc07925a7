"""Files, pipes and gzip become stretches that end where records end; nothing is lost and memory stays small."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from config.errors import NotFound, Refused
from protocols import detect, iso2709, marcjson, marcxml, reading, stream
from protocols.gunzip import DamagedGzip
from protocols.marc import Record


def record(number: int) -> Record:
    fields = (("001", str(number)), ("245", "00\x1faTitle 中文" + "x" * (number % 50)))
    return Record(leader="00000nam a2200000 a 4500", fields=fields)


def iso(count: int, junction: bytes = b"") -> bytes:
    return junction.join(iso2709.write(record(number)) for number in range(count))


def xml(count: int) -> str:
    return "<marc>" + "\n".join(marcxml.write(record(number)) for number in range(count)) + "</marc>"


def json_lines(count: int) -> bytes:
    return "\n".join(marcjson.write(record(number)) for number in range(count)).encode()


def numbers(data: bytes, carrier: str, size: int = 1000, start: int = 0) -> list[str | None]:
    found: list[str | None] = []
    for stretch in stream.stretches(io.BytesIO(data), carrier, start, size):
        batch = reading.read(stretch.data, carrier)
        found.extend(each.record.first("001") for each in batch.reads)
        assert not batch.failed
    return found


CASES = [
    (iso(200), "iso2709"),
    (iso(200, b"\r\n") + b"\r\n", "iso2709"),
    (xml(200).encode(), "marcxml"),
    (json_lines(200), "marcjson"),
    (b"[" + b",".join(json_lines(50).split(b"\n")) + b"]", "marcjson"),
]


@pytest.mark.parametrize(("data", "carrier"), CASES)
def test_every_record_is_delivered_once_and_every_byte_belongs_to_a_stretch(data: bytes, carrier: str) -> None:
    assert detect.carrier_of(data[: detect.HEAD]) == carrier
    whole = numbers(data, carrier, 1 << 20)
    assert whole == [str(number) for number in range(len(whole))] and len(whole) >= 50
    assert numbers(data, carrier) == whole
    cut = list(stream.stretches(io.BytesIO(data), carrier, 0, 1000))
    assert b"".join(each.data for each in cut) == data
    assert [each.end for each in cut] == [each.position for each in cut[1:]] + [len(data)]


@pytest.mark.parametrize(("data", "carrier"), CASES[:4])
def test_a_checkpoint_resumes_where_it_stopped(data: bytes, carrier: str) -> None:
    cut = list(stream.stretches(io.BytesIO(data), carrier, 0, 1000))
    rest = list(stream.stretches(io.BytesIO(data), carrier, cut[3].end, 1000))
    assert rest[0].position == cut[3].end
    assert b"".join(each.data for each in rest) == b"".join(each.data for each in cut[4:])


def test_xml_in_another_encoding_says_so_in_every_stretch() -> None:
    data = ("<?xml version='1.0' encoding='GB18030'?>\n" + xml(60)).encode("gb18030")
    assert numbers(data, "marcxml") == [str(number) for number in range(60)]
    cut = list(stream.stretches(io.BytesIO(data), "marcxml", 0, 1000))
    assert [each.end for each in cut][-1] == len(data)
    for each in cut:
        for found in reading.read(each.data, "marcxml").reads:
            at = each.position + found.position
            assert data[at : at + len(found.raw)] == found.raw
            assert "中文" in (found.record.first("245") or "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_wide_xml_is_read(encoding: str) -> None:
    data = ("<?xml version='1.0' encoding='UTF-16'?>\n" + xml(60)).encode(encoding)
    assert detect.carrier_of(data[: detect.HEAD]) == "marcxml"
    assert numbers(data, "marcxml") == [str(number) for number in range(60)]
    cut = list(stream.stretches(io.BytesIO(data), "marcxml", 0, 1000))
    rest = stream.stretches(io.BytesIO(data), "marcxml", cut[2].end, 1000)
    assert b"".join(each.data for each in rest) == b"".join(each.data for each in cut[3:])


def test_the_unterminated_rest_is_delivered() -> None:
    data = iso(3)[:-5]
    cut = list(stream.stretches(io.BytesIO(data), "iso2709"))
    assert b"".join(each.data for each in cut) == data


class Zeros(io.RawIOBase):
    """A stream of one repeated byte with a record after it; costs no memory itself."""

    def __init__(self, count: int, after: bytes) -> None:
        self.left, self.after = count, after

    def read(self, size: int = -1) -> bytes:
        given = min(size, self.left)
        self.left -= given
        if given:
            return b"0" * given
        given_, self.after = self.after[:size], self.after[size:]
        return given_

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("carrier", ["iso2709", "marcxml", "marcjson"])
def test_a_record_without_an_end_is_left_out_and_memory_stays_small(carrier: str) -> None:
    after = {
        "iso2709": b"\x1d" + iso(2),
        "marcxml": b"</record>" + xml(2).encode(),
        "marcjson": b"\n" + json_lines(2),
    }[carrier]
    size = 200 << 20
    tracemalloc.start()
    source: BinaryIO = Zeros(size, after)  # type: ignore[assignment]
    cut = list(stream.stretches(source, carrier)) if carrier != "marcjson" else _lines(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 << 20
    assert cut[0].fault and len(cut[0].data) <= stream.SHOWN and cut[0].length > size - 10
    assert cut[1].position == cut[0].end
    batch = reading.read(cut[1].data, carrier)
    assert [each.record.first("001") for each in batch.reads] == ["0", "1"]


def _lines(source: BinaryIO) -> list[stream.Stretch]:
    """MARC-in-JSON lines are known by their first line, so the long one has to look like one."""
    head = b'{"fields": [], "x": "'
    first = source.read

    def read(size: int = -1) -> bytes:
        source.read = first  # type: ignore[method-assign]
        return head

    source.read = read  # type: ignore[method-assign]
    return list(stream.stretches(source, "marcjson"))


def test_gzip_of_several_members_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "records.bin"
    path.write_bytes(gzip.compress(iso(100)) + gzip.compress(iso(50)) + b"\x00" * 512)
    with stream.open_input(str(path)) as source:
        assert source.compressed
        assert detect.carrier_of(source.head()) == "iso2709"
        data = b"".join(each.data for each in stream.stretches(source, "iso2709", 0, 5000))
    assert data == iso(100) + iso(50)


def test_a_plain_file_can_be_looked_at_and_entered_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "records.gz"  # the name says nothing
    path.write_bytes(iso(100))
    with stream.open_input(str(path)) as source:
        assert not source.compressed and source.head(10) == iso(1)[:10]
        cut = list(stream.stretches(source, "iso2709", 0, 1000))
    with stream.open_input(str(path)) as source:
        source.head()
        rest = list(stream.stretches(source, "iso2709", cut[5].position, 1000))
        assert rest[0].data.startswith(cut[5].data[:200])
        assert b"".join(each.data for each in rest) == b"".join(each.data for each in cut[5:])


@pytest.mark.parametrize("damage", ["truncated", "corrupt", "followed by junk"])
def test_a_damaged_gzip_delivers_what_is_readable_and_then_says_where(tmp_path: Path, damage: str) -> None:
    noise = random.Random(7)
    data = b"".join(
        iso2709.write(Record(leader=" " * 24, fields=(("001", noise.randbytes(30).hex()),))) for _ in range(3000)
    )
    packed = gzip.compress(data)
    path = tmp_path / "records.mrc.gz"
    half = len(packed) // 2
    path.write_bytes(
        {"truncated": packed[:half], "corrupt": packed[:half] + b"\xff" * 99 + packed[half:]}.get(
            damage, packed + b"junk"
        )
    )
    got = b""
    with stream.open_input(str(path)) as source, pytest.raises(DamagedGzip, match=r"near byte [\d,]+"):
        for each in stream.stretches(source, "iso2709", 0, 4096):
            got += each.data
    assert len(got) > len(data) // 3
    assert got[: len(data) // 3] == data[: len(data) // 3]
    assert damage != "followed by junk" or got == data


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=9) as bomb:
        for _ in range(100):
            bomb.write(b"\x1d" * (1 << 20))
    taken = 0
    with stream.open_input(str(path)) as source, pytest.raises(Refused, match="times"):
        for each in stream.stretches(source, "iso2709"):
            taken += len(each.data)
    assert taken < 80 << 20


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFound, match=r"nowhere\.mrc"):
        stream.open_input("/nowhere.mrc")


@pytest.mark.parametrize(
    ("head", "carrier"),
    [
        (b"\xef\xbb\xbf" + iso(1), "iso2709"),
        (b"\r\n\r\n" + iso(1), "iso2709"),
        (b"\n <?xml version='1.0'?><collection/>", "marcxml"),
        (b"\xef\xbb\xbf<record/>", "marcxml"),
        (b' [ {"leader": ""}]', "marcjson"),
    ],
)
def test_the_carrier_is_told_by_content(head: bytes, carrier: str) -> None:
    assert detect.carrier_of(head) == carrier


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.4", "%PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"001;Title;Author\n", "001;Title"),
    ],
)
def test_what_is_no_carrier_is_refused_saying_what_was_seen(head: bytes, said: str) -> None:
    with pytest.raises(detect.UnknownCarrier, match=said):
        detect.carrier_of(head)
