"""The bundled sample is what the generator makes, and shows what the demo promises."""

from __future__ import annotations

import tomllib

import pymarc
import pytest

from bench.generator import sample

ENCODINGS = {"linjiang.iso": "gb18030", "haizhou.iso": "utf-8", "yunlu.mrc": "utf-8"}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return sample.files()


def test_sample_is_regenerated_byte_for_byte(made: dict[str, bytes]) -> None:
    kept = {path.name: path.read_bytes() for path in sample.FOLDER.iterdir() if path.suffix != ".md"}
    assert kept == made, "run `python -m bench.generator.sample` and commit the files"


def test_sample_is_small_enough_to_bundle(made: dict[str, bytes]) -> None:
    assert sum(map(len, made.values())) < 1_500_000


def test_every_library_of_the_directory_has_a_file_of_hundreds_of_records(made: dict[str, bytes]) -> None:
    directory = tomllib.loads(made["libraries.toml"].decode())["library"]
    assert len(directory) == 3
    for library in directory:
        assert 300 <= made[library["file"]].count(b"\x1d") <= 1000
        assert library["name"] and library["name_en"] and library["area"] and library["source"]


def test_hongloumeng_is_held_by_every_library(made: dict[str, bytes]) -> None:
    for name, encoding in ENCODINGS.items():
        text = made[name].decode(encoding)
        assert "\x1fa红楼梦" in text or "\x1fa紅樓夢" in text


def test_outside_reader_reads_every_record_of_the_sample(made: dict[str, bytes]) -> None:
    for name, encoding in ENCODINGS.items():
        marc21 = name.endswith(".mrc")
        reader = pymarc.MARCReader(
            made[name], to_unicode=True, force_utf8=encoding == "utf-8", file_encoding=encoding, utf8_handling="strict"
        )
        records = list(reader)
        assert len(records) == made[name].count(b"\x1d")
        assert all(record is not None for record in records)
        titles = [record["245" if marc21 else "200"]["a"] for record in records if record is not None]
        assert all(titles)
