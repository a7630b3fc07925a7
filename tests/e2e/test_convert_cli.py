"""`tianlu convert` as a person runs it: order, what is refused, characters that an encoding lacks, the report."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.cli import main
from protocols import iso2709, marcxml, reading
from protocols.marc import Record

LEADER = "00000nam0 2200000   450 "


class Answer:
    """What a run of `convert` said and wrote."""

    def __init__(self, code: int, out: bytes, error: bytes) -> None:
        self.code = code
        self.out = out
        self.error = error.decode()


def convert(*words: object, given: bytes | None = None) -> Answer:
    """Run it without a node; in a process of its own where it reads standard input."""
    line = ["--home", "/nonexistent", "--lang", "en", "convert", *map(str, words)]
    if given is not None:
        command = [sys.executable, "-m", "node.cli", *line]
        done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(line)
    return Answer(code, out.buffer.getvalue(), error.buffer.getvalue())


def report(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def a_record(name: str, title: str = "红楼梦", more: tuple[tuple[str, str], ...] = ()) -> Record:
    """A CNMARC record."""
    return Record(
        LEADER,
        (
            ("001", name),
            ("100", "  \x1fa20081106d2004    em y0chiy50      ea"),
            ("101", "0 \x1fachi"),
            ("200", f"1 \x1fa{title}\x1ff曹雪芹著"),
            ("606", "0 \x1fa长篇小说\x1fy中国\x1fz清代"),
            ("690", "  \x1faI242.4\x1fv4"),
            ("701", " 0\x1fa曹雪芹\x1f4著"),
            ("801", " 0\x1faCN\x1fbNLC\x1fc20081106"),
            *more,
        ),
    )


@pytest.fixture
def cnmarc(tmp_path: Path) -> Path:
    """A file of 3,000 records, of several stretches, with one too long for ISO 2709 once it is MARC 21."""
    path = tmp_path / "in.xml"
    records = [a_record(f"r{at}") for at in range(3000)]
    records[1500] = a_record("long", more=(("330", "  \x1fa" + "长" * 5000),))
    told = "".join(marcxml.write(each, namespace=False) + "\n" for each in records)
    path.write_text(f'<collection xmlns="{marcxml.NAMESPACE}">{told}</collection>', "utf-8")
    return path


def test_records_come_out_in_order_and_one_too_long_is_refused_not_cut(cnmarc: Path, tmp_path: Path) -> None:
    out, loss = tmp_path / "out.mrc", tmp_path / "loss"
    answer = convert(cnmarc, "--to", "iso2709", "--dialect", "marc21", "-o", out, "--loss-report", loss)
    assert answer.code == 3
    assert "long: not written: field 520 has 15005 bytes" in answer.error
    names = [each.record.first("001") for each in reading.read(out.read_bytes(), "iso2709").reads]
    assert names == [f"r{at}" for at in range(3000) if at != 1500]
    lines = report(loss)
    assert [line["ordinal"] for line in lines] == list(range(1, 3001))
    assert [line["id"] for line in lines if "refused" in line] == ["long"]
    assert lines[1500]["refused"] == "too-long"


def test_the_report_says_of_every_subfield_where_it_is(tmp_path: Path) -> None:
    source, loss = tmp_path / "in.mrc", tmp_path / "loss"
    source.write_bytes(iso2709.write(a_record("1", more=(("905", "  \x1faNLC\x1fb123"), ("999", "  \x1fax")))))
    answer = convert(source, "--to", "marcjson", "--dialect", "marc21", "--loss-report", loss)
    assert answer.code == 0
    (line,) = report(loss)
    assert (line["from"], line["to"], line["id"]) == ("cnmarc", "marc21", "1")
    where = {f"{one['tag']}${one['code']}": (one["fate"], one.get("to")) for one in line["fields"]}
    assert where["200$a"] == ("mapped", "245$a")
    assert where["606$y"] == ("mapped", "650$z")
    assert where["606$z"] == ("mapped", "650$y")
    assert where["690$v"] == ("mapped", "084$2")
    assert where["701$4"] == ("mapped", "100$e")
    assert where["801$b"] == ("mapped", "040$a")
    assert where["801$c"] == ("local", "886")
    assert where["905$b"] == ("mapped", "852$p, 905")
    counts = {fate: sum(one["fate"] == fate for one in line["fields"]) for fate in ("mapped", "local", "lost")}
    assert counts == {fate: line[fate] for fate in counts}


def test_characters_that_the_encoding_lacks_are_told_by_record_and_field(tmp_path: Path) -> None:
    source, loss = tmp_path / "in.mrc", tmp_path / "loss"
    source.write_bytes(iso2709.write(a_record("1")) + iso2709.write(a_record("2", title="Ж")))
    words = ("--to", "iso2709", "--encoding", "latin-1", "--loss-report", loss, "-o", tmp_path / "out.mrc")
    answer = convert(source, *words)
    assert answer.code == 3
    assert set(report(loss)[1]["characters"]["200"]) == set("Ж曹雪芹著")
    assert "2: the encoding lacks" in answer.error


def test_records_and_report_can_t_go_to_one_file(tmp_path: Path) -> None:
    source, out = tmp_path / "in.mrc", tmp_path / "out"
    source.write_bytes(iso2709.write(a_record("1")))
    (tmp_path / "link").symlink_to(out)
    for report_to in (out, f"{tmp_path}/./out", tmp_path / "link"):
        answer = convert(source, "--to", "mrk", "-o", out, "--loss-report", report_to)
        assert answer.code == 2
        assert "where the records go" in answer.error
    assert convert(source, "--to", "mrk", "--loss-report", "-").code == 2
    assert not out.exists()


@pytest.mark.parametrize("dialect", ["marc21", "cnmarc-nlc"])
def test_the_report_of_two_steps_is_of_the_record_as_it_came(tmp_path: Path, dialect: str) -> None:
    """`--dialect` and a form that is no MARC: what the first step lost is there too, and tags are the source's."""
    source, loss = tmp_path / "in.mrc", tmp_path / "loss"
    source.write_bytes(iso2709.write(a_record("1", more=(("905", "  \x1faNLC\x1fb123"), ("999", "  \x1fax")))))
    answer = convert(source, "--to", "dc", "--dialect", dialect, "--loss-report", loss)
    assert answer.code == 0
    (line,) = report(loss)
    where = {f"{one['tag']}${one['code']}": (one["fate"], one.get("to", "")) for one in line["fields"]}
    assert where["200$a"] == ("mapped", "dc:title")
    assert where["606$y"][0] == "mapped"
    assert where["999$a"] == ("lost", "")
    assert {one["tag"] for one in line["fields"]} >= {"001", "100", "101", "200", "606", "690", "701", "801", "905"}
    if dialect == "marc21":
        assert where["100$a/18-19"][0] == "lost"  # by the first step


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037", "utf-16-le"])
def test_an_encoding_in_which_no_program_finds_the_fields_is_refused(tmp_path: Path, encoding: str) -> None:
    source, out = tmp_path / "in.mrc", tmp_path / "out.mrc"
    source.write_bytes(iso2709.write(a_record("1")))
    answer = convert(source, "--to", "iso2709", "--encoding", encoding, "-o", out)
    assert answer.code == 2
    assert encoding in answer.error
    assert not out.exists()


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "gb2312", "marc-8", "big5", "big5-hkscs", "euc-jp", "iso5426"])
@pytest.mark.parametrize("form", ["iso2709", "mrk", "alephseq"])
def test_what_an_encoding_lacks_returns_from_references_where_it_is_named(
    tmp_path: Path, form: str, encoding: str
) -> None:
    source, out, loss = (tmp_path / name for name in ("in.mrc", "out", "loss"))
    source.write_bytes(iso2709.write(a_record("1", title="图书馆學é")))
    code = convert(source, "--to", form, "--encoding", encoding, "-o", out, "--loss-report", loss).code
    assert code == (3 if "characters" in report(loss)[0] else 0)
    assert convert(out, "--to", "marcjson", "--from-encoding", encoding, "--format", form, "-o", loss).code == 0
    assert "图书馆學é" in loss.read_text("utf-8")


def test_standard_input_becomes_standard_output_and_unreadable_bytes_are_told() -> None:
    good = iso2709.write(a_record("1"))
    answer = convert("-", "--to", "mrk", "--dialect", "marc21", given=good + b"00012 junk\x1d" + good)
    assert answer.code == 3
    assert answer.out.decode().count("=245  10$a红楼梦 /$c曹雪芹著") == 2
    assert "not written" in answer.error


def test_a_file_that_is_there_stays_until_all_is_written_and_is_never_the_input(tmp_path: Path) -> None:
    source = tmp_path / "in.mrc"
    source.write_bytes(iso2709.write(a_record("1")))
    before = source.read_bytes()
    assert convert(source, "--to", "mrk", "-o", source).code == 2
    assert source.read_bytes() == before
    assert convert(tmp_path / "none.mrc", "--to", "mrk").code != 0


@pytest.mark.parametrize("dialect", ["cnmarc-calis", "cnmarc-nlc", "unimarc", "marc21"])
@pytest.mark.parametrize("form", ["iso2709", "marcxml", "marcjson", "mrk", "alephseq"])
def test_every_dialect_in_every_carrier_is_read_again(tmp_path: Path, dialect: str, form: str) -> None:
    source, out = tmp_path / "in.mrc", tmp_path / "out"
    source.write_bytes(b"".join(iso2709.write(a_record(str(at))) for at in range(3)))
    assert convert(source, "--to", form, "--dialect", dialect, "-o", out).code == 0
    reads = reading.read(out.read_bytes(), form).reads
    assert len(reads) == 3
    assert all(each.record.first("245" if dialect == "marc21" else "200") for each in reads)


@pytest.mark.parametrize(("words", "agencies"), [((), []), (("--library", "BNU"), [" 0\x1faCN\x1fbBNU"])])
def test_the_records_of_a_table_name_the_library_that_is_said(
    tmp_path: Path, words: tuple[str, ...], agencies: list[str]
) -> None:
    table, out = tmp_path / "books.csv", tmp_path / "out.mrc"
    table.write_text("题名,责任者,出版社,出版年,ISBN\n红楼梦,曹雪芹,人民文学出版社,1982,9787020002207\n", "utf-8")
    assert convert(table, "--to", "iso2709", "-o", out, *words).code == 0
    [read] = reading.read(out.read_bytes(), "iso2709").reads
    assert read.record.all("801") == agencies


def test_what_has_no_room_is_told_in_the_reader_s_language(tmp_path: Path) -> None:
    source = tmp_path / "long.xml"
    long = marcxml.write(a_record("long", more=(("330", "  \x1fa" + "长" * 5000),)), namespace=False)
    source.write_text(f'<collection xmlns="{marcxml.NAMESPACE}">{long}</collection>', "utf-8")
    answer = convert("--lang", "zh", source, "--to", "iso2709")
    assert "long：未写出：字段 330 有 15005 字节，ISO 2709 最多 9,999 字节：请改写为 MARCXML" in answer.error
