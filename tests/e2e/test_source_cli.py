"""`tianlu source set`: what is said of a source, changed later, as a person does it."""

from __future__ import annotations

import json
from typing import Any

from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]

BARCODE = "X0001"


def book(cli: Cli, source: str, title: str, local_id: str = "x", **fields: str) -> str:
    """A file with one record of this title, loaded into a source."""
    path = cli.home / f"{source}.mrc"
    path.write_bytes(builders.iso2709(builders.a_cnmarc(title=title, local_id=local_id, **fields)))
    cli.load(str(path), "--source", source, "--library", "CN-TST")
    return str(path)


def title_of(line: dict[str, Any]) -> str:
    (field,) = [field["200"] for field in line["fields"] if "200" in field]
    return "".join(value for each in field["subfields"] for value in each.values())


def items(cli: Cli) -> list[str]:
    return [line["item"] for line in cli.lines("export", "--holdings")]


def test_trust_decides_the_base_of_what_is_merged_already(cli: Cli) -> None:
    isbn = builders.isbn13(77)
    book(cli, "one", "园冶注释", isbn=isbn, pages="231页")
    book(cli, "two", "園冶注釋", isbn=isbn, pages="231页")
    bases = []
    for name in ("one", "two"):
        (told,) = cli.lines("source", "set", name, "--trust", "9")
        assert told["trust"] == 9
        (line,) = cli.lines("export", "--merged")
        bases.append(title_of(line)[:4])
        cli.run("source", "set", name, "--trust", "0")
    assert bases == ["园冶注释", "園冶注釋"]
    assert [row["trust"] for row in cli.lines("source", "list")] == [0, 0]


def test_private_hides_what_is_there_and_public_shows_it_again(cli: Cli) -> None:
    book(cli, "opac", "园冶注释")
    cli.run("source", "set", "opac", "--private")
    assert cli.lines("export", "--merged") == []
    (told,) = cli.lines("source", "set", "opac", "--public")
    assert told["visibility"] == "public" and len(cli.lines("export", "--merged")) == 1


def test_another_mapping_reads_the_holdings_of_the_same_file(cli: Cli) -> None:
    path = book(cli, "opac", "园冶注释", f967=f"  $aCN-TST$z{BARCODE}")
    assert BARCODE not in items(cli)
    mapping = cli.home / "mapping.json"
    mapping.write_text(json.dumps({"fields": [{"tag": "967", "item": ["z"]}]}), encoding="utf-8")
    done = cli.run("source", "set", "opac", "--mapping", str(mapping))
    assert "967" in done.stdout.decode() and b"load its last file again" in done.stderr
    cli.load(path, "--source", "opac")
    assert items(cli) == [BARCODE]
    (told,) = cli.lines("source", "set", "opac", "--mapping", "none")
    assert told["mapping"] == "{}"
    mapping.write_text("{", encoding="utf-8")
    assert b"can't be read" in cli.run("source", "set", "opac", "--mapping", str(mapping), code=2).stderr


def test_what_does_not_suit_a_source_is_refused_with_the_way_out(cli: Cli) -> None:
    book(cli, "opac", "园冶注释")
    assert b"say what is to change" in cli.run("source", "set", "opac", code=2).stderr
    refused = cli.run("source", "set", "opac", "--identity", "035a", code=2).stderr.decode()
    assert "rekey opac --new FILE --identity 035a" in refused
    cli.run("source", "set", "opac", "--encoding", "klingon", code=2)
    cli.run("source", "set", "opac", "--template", "no-such-template", code=2)
    cli.run("source", "set", "nobody", "--trust", "1", code=1)
    cli.run("source", "add", "empty", "--library", "CN-TST", "--identity", "035a")
    (told,) = cli.lines("source", "set", "empty", "--identity", "905b", "--encoding", "GBK", "--template", "books-zh")
    assert (told["identity"], told["encoding"]) == ("905b", "gbk")
    sheet = cli.home / "sheet.csv"
    sheet.write_text("记录号,索书号,条码\nx,TU986,1001\n", encoding="utf-8")
    cli.load(str(sheet), "--source", "opac", "--holdings")
    refused = cli.run("--lang", "zh", "source", "set", "opac-holdings", "--format", "cnmarc", code=2).stderr.decode()
    assert "opac" in refused and "馆藏" in refused
    cli.run("source", "set", "opac", "--private")
    assert {row["visibility"] for row in cli.lines("source", "list") if row["source"] != "empty"} == {"private"}
