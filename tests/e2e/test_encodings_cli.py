"""Encodings as a person meets them: a table of characters, an override, an export in another encoding."""

from __future__ import annotations

import json
from pathlib import Path

from protocols import reading
from protocols.marc import value
from tests import builders
from tests.e2e.test_load_cli import Cli, alone, cli

__all__ = ["alone", "cli"]  # fixtures

PRIVATE = "\ue123"


def titles(told: bytes) -> list[str]:
    batch = reading.read(told, "iso2709")
    return sorted(value(each.record.first("200") or "", "a") for each in batch.reads)


def test_a_source_has_a_table_and_records_leave_in_any_encoding(cli: Cli, tmp_path: Path) -> None:
    title = f"天工开物图说 {PRIVATE}"
    books = tmp_path / "books.iso"
    books.write_bytes(builders.iso2709(builders.a_cnmarc(title=title, local_id="c1"), encoding="gb18030"))
    cli.run("source", "add", "tju", "--library", "TJU", "--encoding", "GB2312")
    assert cli.lines("source", "list")[0]["encoding"] == "gbk"
    told = cli.run("source", "add", "odd", "--library", "TJU", "--encoding", "klingon", code=2)
    assert b"klingon" in told.stderr
    cli.load(str(books), "--source", "tju")
    assert titles(cli.run("export", "--records", "--to", "iso2709").stdout) == [title]

    table = tmp_path / "characters.tsv"
    table.write_text("E123\tU+5803\tours\nE124 wrong\n", encoding="utf-8")
    told = cli.run("source", "characters", "tju", "--file", str(table), code=2)
    assert b"characters.tsv: line 2" in told.stderr
    table.write_text("U+E123\t堃\n", encoding="utf-8")
    cli.run("source", "characters", "tju", "--file", str(table))
    assert cli.lines("source", "characters", "tju", "--show") == [{"code": "U+E123", "character": "堃", "is": "U+5803"}]
    assert cli.load(str(books), "--source", "tju")["updated"] == 1
    assert cli.load(str(books), "--source", "tju")["updated"] == 0
    now = "天工开物图说 堃"
    for encoding in ("utf-8", "gb18030", "gbk"):
        made = cli.run("export", "--records", "--to", "iso2709", "--encoding", encoding).stdout
        assert titles(made) == [now]
        assert now.encode(encoding) in made

    lossy = cli.run("export", "--records", "--to", "iso2709", "--encoding", "koi8-r", code=3)
    assert b"&#x5803;" in lossy.stdout and b"tju/c1" in lossy.stderr and b"200" in lossy.stderr
    cli.run("source", "characters", "tju", "--none")
    assert cli.lines("source", "characters", "tju", "--show") == []
    record = json.loads(cli.run("export", "--records", "--json").stdout.splitlines()[0])
    assert record["leader"]
