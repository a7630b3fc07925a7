"""Hostile input of every carrier: what is cut, what never ends, what is too much; nothing grows and nothing hangs."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols import detect, iso2709, marcjson, marcxml, reading, stream
from protocols.detect import CARRIERS
from tests import builders
from tests.bounded import MEGABYTE, bounded

RECORD = builders.a_bib("marc21", local_id="whole")
ONE: dict[str, bytes] = {
    "iso2709": iso2709.write(RECORD),
    "marcxml": marcxml.write(RECORD).encode(),
    "marcjson": marcjson.write(RECORD).encode(),
}
MEMORY = 200  # megabytes that reading may take
ZEROS = 256 * MEGABYTE  # a file of more than that
READERS = sorted(CARRIERS)


def through(path: Path, carrier: str) -> tuple[int, int, int]:
    """A file as a load reads it: (records, failures, the largest stretch)."""
    records = failures = largest = 0
    with stream.open_input(str(path)) as source:
        for each in stream.stretches(source, carrier):
            largest = max(largest, len(each.data))
            if each.fault:
                failures += 1
                continue
            batch = reading.read(each.data, carrier)
            records += len(batch.reads)
            failures += len(batch.failed)
    return records, failures, largest


@pytest.mark.parametrize("carrier", ONE)
def test_a_record_cut_at_any_byte_is_whole_or_is_none(carrier: str) -> None:
    whole = ONE[carrier]
    expected = reading.read(whole, carrier).reads[0].record.fields
    for end in range(1, len(whole)):
        batch = reading.read(whole[:end], carrier)
        assert [each.record.fields for each in batch.reads] in ([], [expected]), end
        # a brace or mark-up alone hold nothing to lose
        assert batch.reads or batch.failed or carrier == "marcxml" or end == 1, end


@pytest.mark.parametrize("carrier", ONE)
@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_harm_no_neighbour(carrier: str, seed: int) -> None:
    rng, whole = random.Random(f"{carrier} {seed}"), ONE[carrier] + b"\n"
    before, after = (iso2709_or(carrier, name) for name in ("before", "after"))
    for _ in range(150):
        hurt = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 8))):
            hurt[rng.randrange(len(hurt))] ^= 1 << rng.randrange(8)
        batch = reading.read(before + bytes(hurt) + after, carrier)
        kept = [each.record.first("001") for each in batch.reads]
        assert kept[:1] == ["before"], (seed, bytes(hurt))
        if not (carrier == "marcxml" and b"<!" in hurt):
            assert kept[-1:] == ["after"] or carrier == "marcxml", (seed, bytes(hurt))


def iso2709_or(carrier: str, name: str) -> bytes:
    record = builders.a_bib("marc21", local_id=name)
    match carrier:
        case "iso2709":
            return iso2709.write(record)
        case "marcxml":
            return marcxml.write(record).encode() + b"\n"
        case _:
            return marcjson.write(record).encode() + b"\n"


@pytest.mark.full
@pytest.mark.parametrize("carrier", READERS)
def test_zeros_are_passed_over_and_never_held(carrier: str, tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.write(ONE.get(carrier, b""))
        file.truncate(ZEROS)
    records, failures, largest = bounded(lambda: through(path, carrier), megabytes=MEMORY, seconds=60)
    assert records <= 1 and failures >= 0 and largest <= stream.MAX_RECORD + 2 * stream.SIZE


ENDLESS: dict[str, bytes] = {
    "a text": b"a",
    "digits": b"00037",
    "leaders": b"00049nam a2200037   4500001000900000\x1e",
    "fields": b"001000900000\x1e\x1faone",
    "delimiters": b"\x1f",
    "lines": b"000000001 245   L $$aTitle\n",
    "mrk lines": b"=245  10$aTitle\n",
    "marks": b"[{\"",
    "starts": b'{"leader":"',
    "elements": b"<record><",
    "escapes": b"\x1b$1",
    "references": b"&#x4E00;",
    "blanks": b" ",
}  # fmt: skip


# What means something to one reader only is plain text to the others.
OWN = {"digits": "iso2709", "delimiters": "iso2709", "starts": "marcjson", "escapes": "iso2709", "blanks": "mrk"}
CASES = [(carrier, kind) for carrier in READERS for kind in ENDLESS if OWN.get(kind, carrier) == carrier]


@pytest.mark.full
@pytest.mark.parametrize(("carrier", "kind"), CASES)
def test_one_record_without_end_is_read_in_bounded_memory_and_time(carrier: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "endless"
    path.write_bytes(ONE.get(carrier, b"") + b"\n" + ENDLESS[kind] * (18 * MEGABYTE // len(ENDLESS[kind])))
    _, _, largest = bounded(lambda: through(path, carrier), megabytes=400, seconds=60)
    assert largest <= stream.MAX_DOCUMENT + stream.SIZE


HEAD = b"00000nam a2200037   4500"
MANY: dict[str, tuple[str, bytes, bytes, bytes, bytes]] = {  # carrier, and what stands before, often, often, after
    "iso2709": ("iso2709", HEAD, b"500000300000", b"  \x1e", b"\x1d"),
    "iso2709 without entries": ("iso2709", HEAD + b"001000300000\x1e", b"", b"x\x1e", b"\x1d"),
    "iso2709 wrapped": ("iso2709", HEAD, b"500000300000", b"a++\x1e", b"\x1d"),
    "marcxml": ("marcxml", b"<record>", b"", b"<controlfield tag='001'>1</controlfield>", b"</record>"),
    "marcxml subfields": ("marcxml", b"<record><datafield>", b"", b"<subfield code='a'/>", b"</datafield></record>"),
    "marcjson": ("marcjson", b'{"leader":"","fields":[', b"", b'{"500":"a"},', b'{"001":"1"}]}'),
    "marcjson depth": ("marcjson", b"", b'{"leader":', b"}", b""),
    "marcjson arrays": ("marcjson", b'{"leader":"","fields":', b"", b"[", b""),
    "mrk": ("mrk", b"=LDR  " + HEAD + b"\n", b"", b"=500  \\\\$aNote\n", b""),
    "alephseq": ("alephseq", b"", b"", b"000000001 500   L $$aNote\n", b""),
}


@pytest.mark.full
@pytest.mark.parametrize("kind", MANY)
def test_a_million_fields_cost_no_more_than_they_weigh(kind: str, tmp_path: Path) -> None:
    carrier, before, first, second, after = MANY[kind]
    path = tmp_path / "many"
    between = b"\x1e" if first and carrier == "iso2709" else b""
    path.write_bytes(before + first * 1_000_000 + between + second * 1_000_000 + after)
    records, failures, _ = bounded(lambda: through(path, carrier), megabytes=1200, seconds=60)
    assert records + failures >= 1


STRAYS: dict[str, Callable[[], bytes]] = {
    "terminators": lambda: b"\x1d" * MEGABYTE,
    "lengths that lie": lambda: b"99999\x1d" * (MEGABYTE // 6),
    "lengths that agree": lambda: b"".join(b"%05d\x1d" % (6 * (16_000 - n % 16_000)) for n in range(MEGABYTE // 6)),
    "leaders within a directory": lambda: b"".join(_nested(n) for n in range(12)),
    "junk before each": lambda: (b"0" * 5000 + ONE["iso2709"]) * 100,
}


def _nested(seed: int) -> bytes:
    """A run of digits in which every 36th byte begins a leader whose directory would end where the run ends."""
    size = 2_300
    parts = []
    for n in range(size):
        base = 36 * (size - n)
        parts.append(b"00099nam a22%05d   4500" % (base if (base - 25) % 12 == 0 else base + 1) + b"001000900000")
    return b"".join(parts).replace(b" ", b"0") + b"\x1e" + b"%d\x1d" % seed


@pytest.mark.parametrize("kind", STRAYS)
def test_strays_that_look_like_records_cost_little(kind: str) -> None:
    data = STRAYS[kind]()
    count = bounded(lambda: len(reading.read(data, "iso2709").reads), megabytes=600, seconds=30)
    assert count == (100 if kind == "junk before each" else count)


def test_gzip_within_gzip_is_refused_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "twice.gz"
    path.write_bytes(gzip.compress(gzip.compress(ONE["iso2709"])))
    with stream.open_input(str(path)) as source, pytest.raises(detect.UnknownCarrier):
        detect.carrier_of(source.head())


@pytest.mark.parametrize("carrier", ONE)
def test_runs_of_nul_between_records_are_padding(carrier: str) -> None:
    one = ONE[carrier]
    data = bytes(100_000) + (one + b"\n") + bytes(200_000) + b"\n" + one + bytes(100_000)
    batch = reading.read(data, carrier)
    assert [each.record.first("001") for each in batch.reads] == ["whole", "whole"]
    assert all(not each.raw.strip(b"\0\n") for each in batch.failed)
