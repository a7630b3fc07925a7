"""A spreadsheet with one command, a template as a habit, and names searched apart: as a person does it."""

from __future__ import annotations

from pathlib import Path

from tests import builders, sheets
from tests.e2e.test_load_cli import Cli, alone, cli
from tests.store.test_authority import DICKENS, LU_XUN
from tests.store.test_table_loads import OWN

__all__ = ["alone", "cli"]  # fixtures

BOOKS = (
    ("题名", "责任者", "ISBN", "出版社", "条码", "捐赠人"),
    ("红楼梦", "曹雪芹著", 9787020002207, "人民文学出版社", 100023, "张三"),
    (None, "无名", None, None, 100024, None),
)


def test_a_spreadsheet_is_in_the_catalogue_with_one_command(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "books.xlsx"
    path.write_bytes(sheets.xlsx({"说明": [("填表说明",)], "书目": BOOKS}))
    shown = cli.run("source", "test", str(path))
    assert "200 1  $a红楼梦 $f曹雪芹著" in shown.stdout.decode()
    assert "comes back: sheet 书目, row 3, column 题名" in shown.stderr.decode()
    loaded = cli.run("load", str(path), "--source", "ours", "--library", "LIB", code=3)
    told = loaded.stderr.decode()
    assert "read by template books-zh: 5 columns are known" in told
    assert "kept in local field 969: 捐赠人" in told
    assert "sheets that were not read, since no row of them has such column names: 说明" in told
    (found,) = cli.lines("search", "honglou")
    assert (found["title"], found["libraries"]) == ("红楼梦", ["LIB"])
    (record,) = cli.lines("export", "--records", "--source", "ours")
    assert {"001": "100023"} in record["fields"]
    (held,) = cli.lines("export", "--holdings")
    assert held["item"] == "100023"
    (case,) = cli.lines("quarantine", "list")
    assert (case["local_id"], case["verdict"], case["place"]) == ("100024", "unreadable", "sheet 书目, row 3")
    assert "工作表 书目 第 3 行" in cli.run("--lang", "zh", "quarantine", "show", str(case["id"])).stdout.decode()
    checked = cli.lines("check", str(path), code=3)
    assert [each["rows"] for each in checked] == [[["书目", 2]], [["书目", 3]]]
    assert cli.load(str(path), "--source", "ours", code=3)["added"] == 0


def test_of_several_tables_each_is_named_with_what_is_said_of_it(cli: Cli, tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in paths:
        path.write_text("题名,条码,捐赠人\n红楼梦,A1,张三\n", encoding="utf-8")
    told = cli.run("check", *map(str, paths)).stderr.decode()
    for path in paths:
        assert f"{path}: read by template books-zh: 2 columns are known" in told
        assert f"{path}: columns that the template does not know" in told
    alone_told = cli.run("check", str(paths[0])).stderr.decode()
    assert "\nread by template books-zh: 2" in f"\n{alone_told}", "of one, nobody needs the name"


def test_a_template_is_a_source_s_habit(cli: Cli, tmp_path: Path) -> None:
    own, table = tmp_path / "own.toml", tmp_path / "books.csv"
    own.write_text(OWN, encoding="utf-8")
    table.write_text("题名,条码\n红楼梦,A1\n", encoding="gb18030")
    cli.run("source", "add", "ours", "--library", "LIB", "--template", str(own))
    own.unlink()
    assert [each["template"] for each in cli.lines("source", "list")] == ["own"]
    assert cli.load(str(table), "--source", "ours")["added"] == 1
    assert cli.lines("search", "红楼梦")[0]["title"] == "红楼梦!"
    assert cli.load(str(table), "--source", "ours", "--template", "books-zh")["updated"] == 1
    own.write_text(OWN.replace("[columns]", "[colums]"), encoding="utf-8")
    refused = cli.run("load", str(table), "--source", "ours", "--template", str(own), code=2)
    assert f"{own}: the template: unknown key 'colums'" in refused.stderr.decode()
    cli.run("source", "add", "marc", "--library", "LIB", "--format", "marc21")
    other = cli.run("load", str(table), "--source", "marc", code=2)
    assert "the template books-zh makes cnmarc" in other.stderr.decode()


def test_a_table_that_nobody_knows_is_refused_with_its_columns(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("甲,乙\n1,2\n3,4\n", encoding="utf-8")
    refused = cli.run("load", str(table), "--source", "ours", "--library", "LIB", code=3)
    assert "knows these columns: 甲, 乙. See docs/templates.md" in refused.stderr.decode()


def test_names_are_searched_apart(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "names.mrc"
    path.write_bytes(builders.iso2709(LU_XUN, DICKENS))
    cli.load(str(path), "--source", "names", "--library", "LIB")
    (found,) = cli.lines("search", "--authority", "zhou shuren")
    assert (found["id"], found["kind"], found["heading"]) == ("names/a1", "person", "魯迅, 1881-1936")
    assert cli.lines("search", "魯迅") == []
    assert len(cli.lines("export", "--records")) == 2
    assert b"100 1# $a Dickens, Charles" in cli.run("show", "names/a2").stdout
    cli.run("search", "--authority", code=2)
    cli.run("search", "--authority", "x", "--library", "LIB", code=2)
