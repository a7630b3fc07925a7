"""Rows of a table that are copies of one title become one record with its copies."""

from __future__ import annotations

import json

from protocols import landed
from protocols.marc import value, values
from protocols.tables.rows import Given
from tests import sheets
from tests.unit.test_tables import BOOKS, a_table, batch, records

COPIES = "题名,责任者,ISBN,卷册,条码,馆藏地,控制号,捐赠人\n"


def copies(*rows: str) -> list[list[str]]:
    """[001, its barcodes …] of the records made of these rows."""
    return [
        [each.first("001") or "", *(value(text, "b") for text in each.all("905"))]
        for each in records(COPIES + "".join(f"{row}\n" for row in rows))
    ]


def test_rows_with_one_number_are_one_record_wherever_they_stand() -> None:
    rows = [
        "红楼梦,曹雪芹,,,A2,总馆,N1,",
        "活着,余华,,,A3,总馆,N2,",
        "紅樓夢?,,,,A9,总馆,,",
        "红楼梦,曹雪芹,,,A1,分馆,N1,",
    ]
    assert copies(*rows) == [["N1", "A1", "A2"], ["N2", "A3"], ["A9", "A9"]]
    assert sorted(copies(*reversed(rows))) == sorted(copies(*rows))


def test_neighbours_with_one_isbn_and_title_are_one_record() -> None:
    rows = ["红楼梦,曹雪芹,9787020002207,,A2,总馆,,", "红楼梦,曹雪芹,978-7-02-000220-7,,A1,分馆,,"]
    assert copies(*rows) == [["A1", "A1", "A2"]]
    assert copies(rows[0], "活着,余华,9787506365437,,A3,总馆,,", rows[1]) == [["A2", "A2"], ["A3", "A3"], ["A1", "A1"]]
    assert copies("红楼梦,,,,A1,,,", "红楼梦,,,,A2,,,") == [["A1", "A1"], ["A2", "A2"]], "nothing but a title"
    volumes = [f"平凡的世界,,9787020049295,{name},{code},,," for name, code in (("上", "A1"), ("下", "A2"))]
    assert copies(*volumes) == [["A1", "A1"], ["A2", "A2"]]


def test_a_number_of_several_titles_names_none_of_them() -> None:
    rows = ["红楼梦,,,,A1,,0,", "活着,,,,A2,,0,", "红楼梦,,,,A3,,0,"]
    found = records(COPIES + "".join(f"{row}\n" for row in rows))
    assert [each.first("001") for each in found] == ["A1", "A2"]
    assert [value(each.first("035") or "", "a") for each in found] == ["0", "0"]
    assert [value(text, "b") for text in found[0].all("905")] == ["A1", "A3"]


def test_what_rows_of_one_title_say_is_all_kept() -> None:
    rows = ["红楼梦,,9787020002207,,A1,总馆,N1,张三", ",曹雪芹,,,A2,,N1,张三", "红楼梦,高鹗,,,A3,,N1,李四"]
    (read,) = batch(a_table(COPIES + "".join(f"{row}\n" for row in rows))).reads
    assert [values(text, "ab") for text in read.record.all("969")] == [["捐赠人", "张三"], ["捐赠人", "李四"]]
    assert [value(text, "a") for text in read.record.all("701")] == ["曹雪芹", "高鹗"]
    assert "035" not in dict(read.record.fields), "it would say the record's name again"
    told = json.loads(read.raw)
    assert [row[4] for row in told["rows"]] == [["条码", "A1"], ["条码", "A2"], ["条码", "A3"]]
    assert landed.places(read.raw) == [("", 2), ("", 3), ("", 4)]
    other = records("题名,控制号,出版年,条码\n甲,N1,1999,A1\n甲,N1,2001,A2\n")
    assert [values(text, "ab") for each in other for text in each.all("969")] == [["出版年", "2001"]]


def test_copies_of_one_title_may_be_on_several_sheets() -> None:
    head = ("题名", "条码", "控制号")
    content = sheets.xlsx({"总馆": [head, ("甲", "A1", "N1")], "分馆": [head, ("乙", "B1", "N2"), ("甲", "B2", "N1")]})
    found = batch(a_table(content)).reads
    assert [[value(text, "b") for text in each.record.all("905")] for each in found] == [["A1", "B2"], ["B1"]]
    assert landed.places(found[0].raw) == [("总馆", 2), ("分馆", 3)]


def test_rows_whose_title_is_nowhere_all_come_back() -> None:
    found = batch(a_table(COPIES + ",,,,A1,,N1,\n,,,,A2,,N1,\n"))
    assert [each.reason.partition(",")[0] for each in found.failed] == ["row 2", "row 3"]


def test_a_record_of_another_day_and_row_is_the_same() -> None:
    first, second = (
        batch(a_table(text, given=Given(library="LIB", entered=day))).reads[0]
        for text, day in ((BOOKS, "20260102"), ("清单,,,,,,\n" + BOOKS, "20260103"))
    )
    assert landed.content(first.raw) == landed.content(second.raw) != first.raw
    assert [value(each.record.first("100") or "", "a")[:8] for each in (first, second)] == ["20260102", "20260103"]
    assert first.record.first("801") == " 0\x1faCN\x1fbLIB"
