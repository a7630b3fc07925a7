"""One book from four systems in four encodings is one cluster, and leaves in every dialect of MARC, byte for byte."""

from __future__ import annotations

from pathlib import Path

from catalog.model import Format
from dms.crosswalk.marc import between
from protocols import iso2709, reading
from protocols.marc import Record, value
from services.delivery import coding
from tests.e2e.test_load_cli import Cli, alone, cli
from tests.store.test_one_book_in_four_encodings import BOOK, ISBN, PUBLISHER, TITLE

__all__ = ["alone", "cli"]  # fixtures

# What a record of this book has in each dialect, whichever it came in.
SAYS = {
    "cnmarc-calis": ["200 1 $a园冶图说校释$Ayuan ye tu shuo jiao shi$f赵农著", "701  0$a赵农$Azhao nong$4著"],
    "cnmarc-nlc": ["200 1 $a园冶图说校释$9yuan ye tu shuo jiao shi$f赵农著", "701  0$a赵农$9zhao nong$4著"],
    "unimarc": ["$7ea$a园冶图说校释$f赵农著", "$7ba$ayuan ye tu shuo jiao shi", "700  0$6a02$7ea$a赵农$4070"],
    "marc21": ["245 10$6880-02$a园冶图说校释 /$c赵农著", "880 10$6245-02$ayuan ye tu shuo jiao shi", "$a赵农,$e著"],
}
ENCODINGS = {"marc21": ("utf-8", "marc-8"), "cnmarc-calis": ("utf-8", "gbk"), "cnmarc-nlc": ("utf-8", "gb18030")}


def _lines(record: Record) -> str:
    return "\n".join(f"{tag} {text}" for tag, text in record.fields).replace("\x1f", "$")


def _load(cli: Cli, tmp_path: Path) -> None:
    for name, (record, encoding, _) in BOOK.items():
        file = tmp_path / f"{name}.iso"
        file.write_bytes(iso2709.write(record, encoding))
        cli.run("source", "add", name, "--library", name.upper())
        cli.load(str(file), "--source", name)


def test_a_cluster_of_both_formats_leaves_in_each_dialect(cli: Cli, tmp_path: Path) -> None:
    _load(cli, tmp_path)
    clusters = {row["cluster"] for row in cli.lines("export", "--clusters")}
    assert len(clusters) == 1
    (cluster,) = clusters
    (own,) = reading.read(cli.run("export", "--merged", "--to", "iso2709").stdout, "iso2709").reads
    for dialect, says in SAYS.items():
        for encoding in ENCODINGS.get(dialect, ("utf-8",)):
            asked = ("--to", "iso2709", "--dialect", dialect, "--encoding", encoding)
            told = cli.run("export", "--merged", *asked).stdout
            (shown,) = reading.read(cli.run("show", cluster, *asked).stdout, "iso2709").reads
            assert int(told[:5]) == len(told) and told.endswith(b"\x1d")
            (again,) = reading.read(told, "iso2709").reads
            assert again.record.first("001") == cluster
            assert [field for field in shown.record.fields if field[0] != "005"] == list(again.record.fields)
            spelled = _lines(again.record)
            assert [each for each in says if each not in spelled] == []
            # The bytes are the converted record's, in that encoding, with its own word for it.
            fmt = Format.CNMARC if own.record.first("200") else Format.MARC21
            converted = between.to(own.record, fmt, dialect).record
            expected = iso2709.write(coding.said(converted, between.FORMATS[dialect], encoding), encoding)
            assert told == expected
            if dialect == "marc21":
                assert told[9:10] == (b"a" if encoding == "utf-8" else b" ")
                assert value(again.record.first("020") or "", "a").startswith(ISBN)
            else:
                assert told[9:10] == b" "
                charset = {"utf-8": "50  ", "gbk": "0120", "gb18030": "0120"}[encoding]
                assert value(again.record.first("100") or "", "a")[26:30] == charset
                assert value(again.record.first("010") or "", "a") == ISBN


def test_each_source_record_says_the_same_in_every_dialect(cli: Cli, tmp_path: Path) -> None:
    _load(cli, tmp_path)
    for dialect in between.FORMATS:
        told = cli.run("export", "--records", "--to", "iso2709", "--dialect", dialect).stdout
        records = [each.record for each in reading.read(told, "iso2709").reads]
        assert len(records) == len(BOOK)
        for record in records:  # MARC 21 that came as MARC 21 has them in 880
            titles = {value(text, "a").removesuffix(" /") for text in record.all("200", "245", "880")}
            assert TITLE in titles
            assert any(PUBLISHER in text for text in record.all("210", "260", "880"))
    lines = cli.run("show", "rlin/2003000002", "--to", "marc", "--dialect", "cnmarc-nlc").stdout.decode()
    assert TITLE in lines and "Yuan ye tu shuo jiao shi" in lines
