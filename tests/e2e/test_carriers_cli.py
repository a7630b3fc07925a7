"""Every format in and out by the command line: loaded by content, exported, shown, and loaded again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree

from protocols import detect, reading, writing
from protocols.marc import Record
from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

TITLES = ("天工开物图说", "园冶注解", "营造法式校释")


def made() -> list[Record]:
    numbered = enumerate(TITLES, 1)
    return [
        builders.a_cnmarc(local_id=f"{n:09d}", title=t, isbn=builders.isbn13(n), author=f"著者{n}") for n, t in numbered
    ]


def file_of(folder: Path, carrier: str, encoding: str = "utf-8") -> Path:
    around = writing.AROUND[carrier]
    body = b"".join(writing.write(each, carrier, encoding).data for each in made())
    path = folder / f"{carrier}.txt"  # the name says nothing
    path.write_bytes(around.before + body + around.after)
    return path


def test_every_carrier_is_loaded_by_content_and_means_the_same(cli: Cli, tmp_path: Path) -> None:
    for carrier in writing.AROUND:
        told = cli.load(str(file_of(tmp_path, carrier)), "--source", carrier, "--library", "LIB")
        assert (told["added"], told["unreadable"], told["returned"]) == (3, 0, 0), carrier
    held = {line["local_id"]: line["cluster"] for line in cli.lines("export", "--clusters", "--source", "iso2709")}
    for carrier in writing.AROUND:
        lines = cli.lines("export", "--clusters", "--source", carrier)
        assert {line["local_id"]: line["cluster"] for line in lines} == held, carrier


def test_exports_are_read_back_as_they_were(cli: Cli, tmp_path: Path) -> None:
    cli.load(str(file_of(tmp_path, "iso2709")), "--source", "a", "--library", "LIB")
    records = [Record("", each.fields) for each in made()]
    for form in writing.AROUND:
        out = cli.run("export", "--records", "--to", form).stdout
        assert detect.carrier_of(out) == form
        assert [Record("", each.record.fields) for each in reading.read(out, form).reads] == _said(records, form)
    gb = cli.run("export", "--records", "--to", "alephseq", "--encoding", "gb18030").stdout
    assert "天工开物图说".encode("gb18030") in gb
    for form, name in (("mods", "mods"), ("dc", "dc"), ("qdc", "qualifieddc")):
        root = etree.fromstring(cli.run("export", "--merged", "--to", form).stdout)
        assert [etree.QName(each).localname for each in root] == [name] * 3
        assert set(TITLES) <= {str(text) for text in root.itertext()}
    shown = cli.run("show", "a/000000002", "--to", "mods").stdout.decode()
    assert "<title>园冶注解</title>" in shown


def _said(records: list[Record], form: str) -> list[Record]:
    """As they leave: carriers with encodings of their own say in 100 which one it is."""
    if form not in writing.ENCODED:
        return records
    coded = re.compile("(?<=^.{28})50..", re.DOTALL)  # 26 of $a, after indicators and delimiter; the same in UTF-8
    return [Record("", tuple((t, coded.sub("50  ", x) if t == "100" else x) for t, x in r.fields)) for r in records]


def test_what_a_format_cannot_say_is_refused_by_name_and_the_others_go_on(cli: Cli, tmp_path: Path) -> None:
    long = builders.a_marc21(local_id="000000009", f520="  $a" + "x" * 10_000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(builders.marcjson(long, *made()))
    cli.load(str(path), "--source", "a", "--library", "LIB")
    done = cli.run("export", "--records", "--to", "iso2709", code=3)
    assert b"a/000000009: field 520 has 10005 bytes, ISO 2709 can say 9,999" in done.stderr
    assert len(reading.read(done.stdout, "iso2709").reads) == 3
    lacking = cli.run("export", "--records", "--to", "mrk", "--encoding", "latin-1", code=3)
    assert "a/000000001: the encoding lacks" in lacking.stderr.decode()
    cli.run("export", "--records", "--to", "marcxml", "--encoding", "gb18030", code=2)
    cli.run("show", "a/000000009", "--to", "iso2709", code=3)


OAI = (
    "<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><ListRecords>{}</ListRecords></OAI-PMH>",
    "<record><header><identifier>oai:x:{0}</identifier></header><metadata><oai_dc:dc xmlns:oai_dc='u' xmlns:dc='v'>"
    "<dc:title>Garden {0}</dc:title><dc:creator>Harrow, Edith</dc:creator></oai_dc:dc></metadata></record>",
    "<record><header status='deleted'><identifier>oai:x:{0}</identifier></header></record>",
)


def test_a_page_of_dublin_core_is_loaded_and_its_deletions_are_done(cli: Cli, tmp_path: Path) -> None:
    page, live, gone = OAI
    first, second = tmp_path / "1.xml", tmp_path / "2.xml"
    first.write_text(page.format(live.format(1) + live.format(2)))
    second.write_text(page.format(gone.format(1) + live.format(3)))
    assert cli.load(str(first), "--source", "oai", "--library", "LIB")["added"] == 2
    told = cli.load(str(second), "--source", "oai")
    assert (told["added"], told["deleted"]) == (1, 1)
    left = {line["local_id"] for line in cli.lines("export", "--clusters")}
    assert left == {"oai:x:2", "oai:x:3"}


def test_format_names_a_dialect(cli: Cli, tmp_path: Path) -> None:
    path = file_of(tmp_path, "mrk")
    cli.load(str(path), "--source", "a", "--library", "LIB", "--format", "unimarc")
    (row,) = cli.lines("source", "list")
    assert row["format"] == "unimarc"
    cli.run("load", str(path), "--source", "a", "--format", "kormarc", code=2)
    found = [
        json.loads(line) for line in cli.run("check", str(path), "--format", "cnmarc", "--json").stdout.splitlines()
    ]
    assert [line["verdict"] in ("ok", "warned") for line in found] == [True] * 3


@pytest.mark.parametrize("content", ["foo\nbar\n", "<ead><archdesc/></ead>"])
def test_what_is_no_format_says_so(cli: Cli, tmp_path: Path, content: str) -> None:
    path = tmp_path / "x"
    path.write_text(content)
    done = cli.run("load", str(path), "--source", "a", "--library", "LIB", code=3)
    assert b"not a MARC file we read" in done.stderr or b"which we don't read" in done.stderr
