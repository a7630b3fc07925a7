"""The quick way of reading a record gives what the careful way gives, or nothing."""

from __future__ import annotations

import pytest

from protocols import iso2709, quick, stream
from protocols.charsets import codec
from tests import builders, data


def carefully(raw: bytes, encoding: str) -> tuple[tuple[str, str], ...]:
    return tuple((tag, codec.decode(content, encoding)[0]) for tag, content in iso2709.read(raw).fields)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_sound_record_is_read_alike(encoding: str) -> None:
    raw = builders.iso2709(builders.a_cnmarc(title="红楼梦研究"), encoding=encoding)
    assert quick.fields(raw, encoding) == carefully(raw, encoding)


def test_a_record_in_doubt_is_left_to_care() -> None:
    raw = builders.iso2709(builders.a_marc21(title="Dream of the red chamber"))
    base = int(raw[12:17])
    assert quick.fields(raw, "marc-8") is None
    assert quick.fields(raw[:27] + b"9999" + raw[31:], "utf-8") is None, "a length that is wrong"
    assert quick.fields(raw[:12] + b"0x0" + raw[15:], "utf-8") is None, "no base address"
    assert quick.fields(raw[:base] + b"\xff" + raw[base + 1 :], "utf-8") is None, "no UTF-8"
    assert quick.fields(raw[: base + 3] + b"\x1e" + raw[base + 4 :], "utf-8") is None, "a terminator too many"


@pytest.mark.parametrize(
    "name",
    [
        "unimarc-cnmarc/xbib__marc/periouni_first2000.mrc",
        "marc21-bib/psu-libraries__psulib_traject/sample_psucat.mrc",
        "marc21-bib/carpentries-incubator__pymarc_basics/NLNZ_1000_example_marc.marc",
    ],
)
def test_real_records_are_read_alike(name: str) -> None:
    told = 0
    for stretch in stream.stretches(stream.open_input(str(data.path(name))), "iso2709"):
        for part in stretch.data.split(b"\x1d")[:-1]:
            raw = part.lstrip(b"\r\n") + b"\x1d"
            found = quick.fields(raw, "utf-8")
            if found is not None:
                told += 1
                assert found == carefully(raw, "utf-8")
    assert told > 600, "most real records are sound"
