"""Tables become records by a template: what is read, what comes back, and that nothing is lost."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from config import sentences
from protocols import dialect, marcjson, reading, stream
from protocols.gunzip import Input
from protocols.marc import Record, value, values
from protocols.reading import Batch
from protocols.tables import cells, header, opening, readings, template, workbook
from protocols.tables.opening import NoTemplate, Table
from protocols.tables.rows import Given
from protocols.tables.template import BadTemplate, Template
from tests import data, sheets

BOOKS = (
    "题名,责任者,ISBN,出版社,出版年,索书号,条码\n"
    "红楼梦,(清)曹雪芹著；高鹗续,978-7-02-000220-7,人民文学出版社,1996年12月,I242.4/1,A0001\n"
)
GIVEN = Given(entered="20260102")
PLAIN = """
name = "plain"
title = "plain"
format = "marc21"
leader = "00000nam a2200000   4500"
require = ["title"]
rest = "969"
[columns]
title = ["t"]
[[fields]]
tag = "245"
subfields = { a = "title" }
"""


def a_table(
    content: bytes | str, chosen: Template | None = None, encoding: str = "auto", given: Given = GIVEN
) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    return Table(Input(io.BytesIO(raw), "t.csv"), "t.csv", chosen, encoding, given)


def batch(table: Table) -> Batch:
    """Read as a load reads it."""
    found = Batch()
    for stretch in stream.stretches(table, "marcjson"):
        assert not stretch.fault
        part = reading.read(stretch.data, "marcjson")
        raw = sum(len(each.raw) for each in part.reads) + sum(len(each.raw) for each in part.failed)
        assert raw + part.padding == len(stretch.data), "every byte is in a record, a failure or padding"
        found.reads += part.reads
        found.failed += part.failed
    return found


def records(content: bytes | str, chosen: Template | None = None) -> list[Record]:
    return [read.record for read in batch(a_table(content, chosen)).reads]


def reasons(content: bytes | str, chosen: Template | None = None) -> list[str]:
    return [failed.reason for failed in batch(a_table(content, chosen)).failed]


def shown(record: Record) -> list[str]:
    return [f"{tag} {text.replace(chr(31), ' $')}" for tag, text in record.fields]


# ---- what a template makes


def test_a_book_list_becomes_cnmarc_by_its_header_alone() -> None:
    (record,) = records(BOOKS)
    assert dialect.family(record) == dialect.CNMARC
    assert shown(record) == [
        "001 A0001",
        "010    $a978-7-02-000220-7",
        "100    $a20260102d1996    em y0chiy50      ea",
        "101 0  $aund",
        "200 1  $a红楼梦 $f(清)曹雪芹著, 高鹗续",
        "210    $c人民文学出版社 $d1996-12",
        "701  0 $a曹雪芹 $4著",
        "701  0 $a高鹗续",
        "905    $bA0001 $dI242.4 $e1",
    ]
    assert len(value(record.fields[2][1], "a")) == 36


def test_traditional_characters_and_decoration_in_headers_are_known() -> None:
    table = a_table("＊書名 *\t責任者：\tI S B N\t條碼號\n紅樓夢\t曹雪芹\t\tA1\n")
    assert table.headers[0].template.name == "books-zh"
    assert table.headers[0].unknown == ()


def test_an_english_list_becomes_marc21() -> None:
    (record,) = records("Title,Author,ISBN,Publisher,Year,Call Number,Barcode,Subjects\n"
                        "Emma,Austen J.; Doe J.,0141439580,Penguin,2003,PR4034 .E5,B1;B2,Love;Class\n")  # fmt: skip
    assert dialect.family(record) == dialect.MARC21
    assert "100 1  $aAusten J." in shown(record)
    assert "700 1  $aDoe J." in shown(record)
    assert [value(text, "p") for text in record.all("852")] == ["B1", "B2"]
    assert [value(text, "a") for text in record.all("650")] == ["Love", "Class"]
    assert len(record.first("008") or "") == 40


def test_a_list_of_periodicals_becomes_serials() -> None:
    (record,) = records("刊名,ISSN,CN号,邮发代号,刊期,主办单位,馆藏年代,条码\n"
                        "历史研究,0459-1909,11-1213/K,2-77,双月刊,中国社会科学院,1980-2004,S1\n")  # fmt: skip
    assert record.leader[7] == "s"
    assert value(record.first("011") or "", "a") == "0459-1909"
    assert value(record.first("091") or "", "a") == "11-1213/K"
    assert value(record.first("905") or "", "v") == "1980-2004"


def test_unknown_columns_are_named_and_kept() -> None:
    table = a_table("题名,条码,捐赠人,\n红楼梦,A1,张三,旁注\n")
    (read,) = batch(table).reads
    assert table.headers[0].unknown == ("捐赠人",)
    kept = [values(text, "ab") for text in read.record.all("969")]
    assert kept == [["捐赠人", "张三"], ["@D", "旁注"]]


def test_cells_as_received_stand_beside_the_record() -> None:
    (read,) = batch(a_table('题名,条码\n"  红楼梦\n(上)",A1\n')).reads
    told = json.loads(read.raw)
    assert told["row"] == [["题名", "  红楼梦\n(上)"], ["条码", "A1"]]
    assert told["template"] == "books-zh"
    assert marcjson.read(read.raw)[0] == read.record
    assert value(read.record.first("200") or "", "a") == "红楼梦 (上)"


def test_bytes_without_meaning_are_kept_beside_the_record() -> None:
    (read,) = batch(a_table("题名,条码\n红".encode() + b"\xff\xfe" + "梦,A1\n".encode())).reads
    assert value(read.record.first("200") or "", "a") == "红\ufffd\ufffd梦"
    received = json.loads(read.raw)["row"][0][1]
    assert received.encode("utf-8", "surrogateescape") == "红".encode() + b"\xff\xfe" + "梦".encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5"])
def test_encodings_are_told_by_the_bytes(encoding: str) -> None:
    text = "書名,責任者,條碼\n" + "".join(f"紅樓夢第{n}冊的故事,曹雪芹,A{n}\n" for n in range(30))
    found = records(text.encode(encoding))
    assert [value(each.first("200") or "", "a") for each in found[:2]] == ["紅樓夢第0冊的故事", "紅樓夢第1冊的故事"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_separators_are_told_by_the_lines(sign: str) -> None:
    assert len(records(f"题名{sign}条码{sign}责任者\n甲{sign}A1{sign}张三\n乙{sign}A2{sign}李四\n")) == 2


def test_the_header_may_stand_below_a_title() -> None:
    assert len(records("某某图书馆馆藏清单,,\n制表日期,2026-11-21,\n题名,条码,责任者\n甲,A1,张三\n")) == 1


def test_columns_by_letter_need_no_header() -> None:
    own = template.parse(PLAIN.replace('title = ["t"]', 'title = ["@B"]') + "", "own").name
    assert own == "plain"
    chosen = template.parse(
        PLAIN.replace('title = ["t"]', 'title = ["@B"]').replace("rest =", "header = false\nrest ="), "own"
    )
    assert [shown(each) for each in records("1,Emma\n2,Persuasion\n", chosen)] == [
        ["245    $aEmma", "969    $a@A $b1"],
        ["245    $aPersuasion", "969    $a@A $b2"],
    ]


# ---- what comes back


def test_a_row_without_a_title_comes_back_with_its_place() -> None:
    assert reasons("题名,条码\n甲,A1\n,A2\n") == ["row 3, column 题名: nothing is in it, and no record is without it"]


def test_a_row_with_too_many_cells_comes_back() -> None:
    assert reasons("题名,条码\n甲,A1,多,余\n") == ["row 2 has 4 cells and the header 2: '多' is too much"]


def test_a_quotation_mark_that_is_never_closed_costs_its_line_only() -> None:
    rows = "".join(f"书{n},A{n}\n" for n in range(500))
    found = batch(a_table(f'题名,条码\n"甲,B1\n{rows}'))
    assert [each.reason for each in found.failed] == ["line 2: a quotation mark is opened and not closed"]
    assert len(found.reads) == 500


def test_line_ends_and_quotes_within_cells_are_read() -> None:
    (record,) = records('题名,附注,条码\r\n甲,"第一行\r\n第二行,""引""",A1\r\n')
    assert value(record.first("300") or "", "a") == '第一行 第二行,"引"'


def test_a_cell_and_a_line_without_end_come_back() -> None:
    found = batch(
        a_table(f"题名,条码\n{'长' * (cells.LONGEST_CELL + 1)},A1\n{'x' * (cells.LONGEST_LINE * 3)}\n乙,A2\n")
    )
    assert [re.sub(r"[\d,]+ characters", "N characters", each.reason) for each in found.failed] == [
        "row 2, column 1: the cell has N characters",
        "line 3 is longer than N characters",
    ]
    assert len(found.reads) == 1


def test_a_table_that_no_template_knows_is_refused_with_its_columns() -> None:
    with pytest.raises(NoTemplate, match=r"甲, 乙.*docs/templates.md"):
        a_table("甲,乙\n1,2\n")
    assert opening.is_divided("甲,乙\n1,2\n".encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100_000, b"<record/>", b'{"leader": "x"}', b"00026nam a2200025   4500\x1e\x1d", b"no table at all\n"],
)
def test_what_is_no_table_is_not_taken_for_one(content: bytes) -> None:
    assert not opening.is_table(content)


# ---- workbooks

ROWS: Sequence[Sequence[sheets.Cell]] = (
    ("馆藏清单", None),
    ("题名", "ISBN", "出版年", "条码"),
    ("红楼梦", 9787020002207, 1996, 100023),
    ("活着", "9787506365437", 2012, "A2"),
    (None, None, None, "A3"),
)


@pytest.mark.parametrize("content", [sheets.xlsx({"书目": ROWS}), sheets.xls("书目", ROWS)], ids=["xlsx", "xls"])
def test_workbooks_are_read(content: bytes) -> None:
    assert opening.is_table(content)
    found = batch(a_table(content))
    assert [value(read.record.first("010") or "", "a") for read in found.reads] == ["9787020002207", "9787506365437"]
    assert [read.record.first("001") for read in found.reads] == ["100023", "A2"]
    assert [each.reason for each in found.failed] == [
        "sheet 书目, row 5, column 题名: nothing is in it, and no record is without it"
    ]


def test_every_sheet_with_such_a_header_is_read_and_the_others_are_named() -> None:
    names = ("题名", "条码")
    table = a_table(
        sheets.xlsx(
            {
                "说明": [("怎样填表",)],
                "2024": [names, ("甲", "A1")],
                "2025": [(), (), (None, *names), (None, "乙", "A2"), (None, None, "A4")],
                "草稿": [names, ("丙", "A3")],
            },
            hidden=["草稿"],
        )
    )
    found = batch(table)
    assert [read.record.first("001") for read in found.reads] == ["A1", "A2"]
    assert found.failed[0].reason.startswith("sheet 2025, row 5, column 题名: ")
    assert table.skipped == ["说明"]


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(workbook.BadWorkbook, match=r"Open and save it again|damaged"):
        a_table(sheets.xlsx({"书目": ROWS})[:-200])
    with pytest.raises(workbook.BadWorkbook, match="can't be read"):
        a_table(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000))


def test_a_workbook_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 10_000_000)
    out = io.BytesIO(sheets.xlsx({"书目": ROWS}))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/zeros", bytes(20_000_000))
    with pytest.raises(workbook.BadWorkbook, match="unpacks to"):
        a_table(out.getvalue())


def test_two_cells_far_apart_do_not_take_the_memory_of_all_between_them() -> None:
    content = sheets.xlsx({"书目": ROWS})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part.endswith("sheet1.xml"):
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                text = text.replace(b"</sheetData>", far)
            new.writestr(part, text)
    with pytest.raises(workbook.BadWorkbook, match="more memory or time"):
        a_table(out.getvalue())


def _with_rows(count: int, prefix: bytes = b"") -> bytes:
    """A workbook of which the sheet has so many rows more."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sheets.xlsx({"书目": ROWS}))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for part in old.namelist():
            text = old.read(part)
            if part.endswith("sheet1.xml"):
                text = text.replace(b"</sheetData>", b"<%brow/>" % prefix * count + b"</sheetData>")
            new.writestr(part, text)
    return out.getvalue()


@pytest.mark.parametrize("prefix", [b"", b"x:"])
def test_rows_beyond_what_a_sheet_can_hold_are_one_fault(prefix: bytes) -> None:
    with pytest.raises(workbook.BadWorkbook, match="a sheet has more than 1,048,576 rows") as refused:
        a_table(_with_rows(1_048_577 - len(ROWS), prefix))
    assert "表" in sentences.told(str(refused.value), "zh")


def test_a_sheet_may_have_as_many_rows_as_it_can_hold() -> None:
    assert batch(a_table(_with_rows(1_048_576 - len(ROWS)))).reads


def test_a_row_numbered_beyond_what_a_sheet_can_hold_is_a_fault() -> None:
    content = sheets.xlsx({"书目": ROWS})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b'r="5"', b'r="1048577"').replace(b'5"', b'1048577"'))
    with pytest.raises(workbook.BadWorkbook, match="a sheet has more than 1,048,576 rows"):
        a_table(out.getvalue())


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("readme.txt", "hello")
    with pytest.raises(workbook.BadWorkbook):
        a_table(out.getvalue())


# ---- readings and templates


@pytest.mark.parametrize(
    ("reading_name", "text", "wanted"),
    [
        ("year", "2019年5月", "2019"), ("year", "20190501", "2019"), ("year", "[1996?]", "1996"), ("year", "民国", ""),
        ("date", "2019.5", "2019-05"), ("date", "20190501", "2019-05-01"), ("date", "2019", "2019"),
        ("date", "民国三十年", "民国三十年"), ("date", "2019/5/1", "2019-05-01"),
        ("isbn", "ISBN 978-7-02-000220-7（精装）", "978-7-02-000220-7"), ("isbn", "9787020002207.0", "9787020002207"),
        ("isbn", "无", "无"), ("isbn-only", "0144-5596", ""), ("issn", "01445596", "0144-5596"), ("issn", "9787", ""),
        ("name", "(清)曹雪芹著", "曹雪芹"), ("name", "[英] 狄更斯 著", "狄更斯"), ("name", "鲁迅", "鲁迅"),
        ("name", "欧阳修", "欧阳修"), ("role", "王五主编", "主编"), ("role", "鲁迅", ""), ("name", "张译", "张译"),
        ("class", "I247.5/12", "I247.5"), ("mark", "I247.5/12", "12"), ("mark", "I247.5", ""),
        ("level", "serial", "s"), ("level", "1234-5678", "s"), ("level", "9787020002207", "m"),
    ],
)  # fmt: skip
def test_readings(reading_name: str, text: str, wanted: str) -> None:
    assert readings.READINGS[reading_name](text) == wanted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("marc21", "marc22"), "format is 'marc22'"),
        (('leader = "0', 'leader = "'), "23 characters"),
        (('rest = "969"', 'rest = "500"'), "local tag 9XX"),
        (('require = ["title"]', 'require = ["titel"]'), "'titel' is none of title"),
        (('a = "title"', 'a = { column = "title", read = "yaer" }'), "'yaer' is none of"),
        (('a = "title"', 'ab = "title"'), "one character"),
        (('tag = "245"', 'tag = "245"\nonly = "first"'), "beside `each`"),
        (('tag = "245"', 'tag = "24"'), "three letters"),
        (("[columns]", "[colums]"), "unknown key 'colums'"),
        (("[columns]", "[columns"), "own.toml: "),
    ],
)
def test_a_wrong_template_says_what_is_wrong(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(BadTemplate, match=re.escape(reason)):
        template.parse(PLAIN.replace(*change), "own.toml")


def test_the_example_of_the_documentation_gives_what_it_says() -> None:
    text = (Path(__file__).parents[2] / "docs" / "templates.md").read_text("utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    plain = [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() + "\n" for block in blocks]
    chosen = template.parse(next(each for each in plain if each.startswith('name = "')), "docs/templates.md")
    (record,) = records(
        "志书名称,编纂者,出版年,地区,登录号\n佛山忠义乡志,(清)吴荣光纂；冼宝榦编纂,1830,粤,F0012\n", chosen
    )
    assert (
        shown(record)
        == next(each for each in plain if each.startswith("001    ")).replace("001    ", "001 ").splitlines()
    )


def test_a_list_of_copies_that_has_titles_is_a_list_of_books() -> None:
    names = ["题名", "馆代码", "条码", "索书号", "馆藏地", "状态", "复本数", "卷册", "附注", "控制号"]
    assert header.best(names, template.ready().values()).template.name == "books-zh"  # type: ignore[union-attr]
    assert header.best(names[1:], template.ready().values()).template.name == "holdings"  # type: ignore[union-attr]


def test_publishers_title_lists_are_read() -> None:
    lists = sorted(data.path("kbart/openlibraryenvironment__gokb").iterdir())
    read = failed = 0
    for path in lists:
        with stream.open_input(str(path)) as opened:
            assert opening.is_table(opened.head(1 << 20)), path.name
            found = batch(Table(opened, path.name))
            read, failed = read + len(found.reads), failed + len(found.failed)
            for each in found.reads:
                assert each.record.first("245"), path.name
                assert len(each.record.first("008") or "0" * 40) == 40
                assert not each.findings
    assert read > 15_000
    assert failed < 20


def test_open_quotation_marks_cost_no_more_than_their_lines() -> None:
    """Every two hundredth line opens a mark: nothing is read over and over."""
    lines = "".join(f'"x{n},B{n}\n' if n % 250 == 0 else f"{'长' * 2000},A{n}\n" for n in range(2000))
    found = batch(a_table("题名,条码\n" + lines))
    assert (len(found.reads), len(found.failed)) == (1992, 8)


def test_marks_within_a_cell_are_read_as_they_stand() -> None:
    found = records('题名,条码\n"论""语""今读",A1\n"论语"今读,A2\n论"语"今读,A3\n')
    assert [value(each.first("200") or "", "a") for each in found] == ['论"语"今读', "论语今读", '论"语"今读']


def test_ids_that_are_too_long_are_still_told_apart() -> None:
    long = "A" * 200
    found = records(f"题名,条码\n甲,{long}1\n乙,{long}2\n")
    assert len({each.first("001") for each in found}) == 2
    assert all(len(each.first("001") or "") == 120 for each in found)


def test_a_row_that_counts_copies_is_named_by_its_place_and_may_take_them_away() -> None:
    head = "控制号,条码,馆藏地,复本数,状态,删除"
    rows = ("b1,,总馆,3,在架,", "12,,,3,已注销,", "b1,12,总馆,1,剔旧处理中,否", "b1,13,总馆,1,1,Y")
    text = "\n".join([head, *rows, ""])
    found = records(text, template.named("holdings"))
    assert [(each.first("001"), each.leader[5]) for each in found] == [
        ("b1||总馆|", "n"),
        ("12|", "d"),
        ("12", "n"),
        ("13", "d"),
    ]


def test_rows_that_count_nothing_are_as_many_copies() -> None:
    found = records("控制号,馆藏地,状态\nb1,总馆,在架\nb1,总馆,借出\n", template.named("holdings"))
    assert [each.first("001") for each in found] == [None, None], "known by their content"
