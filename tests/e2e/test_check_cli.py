"""`tianlu check` as a person runs it: no node, no database, an answer for each record, files mended beside others."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from node.cli import main
from protocols import iso2709, marcjson, marcxml, reading, writing
from protocols.marc import Record
from tests import builders
from tests.bounded import bounded

KEYS = {"file", "ordinal", "position", "id", "verdict", "findings"}
FINDING = {"rule", "level", "tag", "nth", "code", "at", "value", "wanted", "text"}


class Answer:
    """What a run of `check` said."""

    def __init__(self, code: int, out: bytes, error: bytes) -> None:
        self.code = code
        self.error = error.decode()
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]

    @property
    def verdicts(self) -> list[str]:
        return [line["verdict"] for line in self.lines]

    def rules(self, at: int, key: str = "findings") -> list[str]:
        return [finding["rule"] for finding in self.lines[at][key]]


def check(*words: object, given: bytes | None = None, lang: str = "en") -> Answer:
    """Run it without a node; in a process of its own where it reads standard input."""
    line = ["--home", "/nonexistent", "--lang", lang, "check", *map(str, words)]
    if given is not None:
        command = [sys.executable, "-m", "node.cli", *line]
        done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(line)
    told = (stream.buffer.getvalue() for stream in (out, error))
    return Answer(code, *told)


def clean(name: str) -> Record:
    return builders.a_bib("marc21", local_id=name, title="Walled gardens of Oxford")


def faulty(name: str) -> Record:
    """With two blanks together, which a rule mends."""
    return builders.a_bib("marc21", local_id=name, title="Walled  gardens")


NAMELESS = Record("00000nam a2200000 a 4500", (("001", "nameless"), ("500", "  \x1faNothing more.")))


def written(carrier: str, records: Sequence[Record], encoding: str = "utf-8") -> bytes:
    around = writing.AROUND[carrier]
    told = [writing.write(each, carrier, encoding, ordinal=n).data for n, each in enumerate(records, 1)]
    return around.before + (b"\n" if carrier == "mrk" else b"").join(told) + around.after


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.mrc"
    cut = iso2709.write(clean("z"))[:90]
    path.write_bytes(b"".join(map(iso2709.write, (clean("a"), faulty("b"), NAMELESS))) + cut)
    return path


def test_every_record_has_one_answer_and_those_that_come_back_make_the_exit_code(mixed: Path) -> None:
    told = check(mixed, "--json")
    assert told.code == 3
    assert [line["id"] for line in told.lines] == ["a", "b", "nameless", ""]
    assert told.verdicts[2:] == ["returned", "unreadable"] and not {"returned", "unreadable"} & set(told.verdicts[:2])
    assert "no-description" in told.rules(2) and told.rules(3) == ["cut-off"] and "space-double" in told.rules(1)
    assert all(set(line) == KEYS for line in told.lines)
    assert all(set(finding) == FINDING for line in told.lines for finding in line["findings"])
    assert [line["position"] for line in told.lines][:2] == [0, len(iso2709.write(clean("a")))]
    assert [line["ordinal"] for line in told.lines] == [1, 2, 3, 4]
    assert "4 records" in told.error and "returned 1" in told.error and "cut-off" in told.error


def test_a_finding_names_its_place_and_speaks_the_language_asked_for(mixed: Path) -> None:
    (found,) = [one for one in check(mixed).lines[1]["findings"] if one["rule"] == "space-double"]
    assert (found["tag"], found["nth"], found["code"], found["level"]) == ("245", 1, "a", "note")
    spoken = check(mixed, lang="zh")
    (chinese,) = [one for one in spoken.lines[1]["findings"] if one["rule"] == "space-double"]
    assert chinese["text"] != found["text"] and not chinese["text"].isascii()
    assert "条记录" in spoken.error


def test_records_without_a_number_are_named_by_their_bytes_and_counted(tmp_path: Path) -> None:
    one = iso2709.write(builders.a_bib("marc21", f001=None))
    other = iso2709.write(builders.a_bib("marc21", f001=None, title="Another"))
    (tmp_path / "a.mrc").write_bytes(one + other + one + one)
    (tmp_path / "b.mrc").write_bytes(one)
    ids = [line["id"] for line in check(tmp_path / "a.mrc", tmp_path / "b.mrc").lines]
    digest = ids[0].removesuffix("#1")
    assert digest.startswith("sha256:") and ids[1] != ids[0]
    assert [ids[0], *ids[2:]] == [f"{digest}#{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("carrier", sorted(writing.AROUND))
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_every_carrier_is_checked_and_mended_in_kind(carrier: str, packed: bool, tmp_path: Path) -> None:
    data = written(carrier, [clean("1001"), faulty("1002"), clean("1003")])
    path, out = tmp_path / ("a.gz" if packed else "a"), tmp_path / ("out.gz" if packed else "out")
    given = gzip.compress(data) if packed else data  # once: it has the second in which it is made
    path.write_bytes(given)
    told = check(path, "--fix", "-o", out)
    assert told.code == 0 and len(told.lines) == 3, told.error
    assert "space-double" in told.rules(1) and "receipts" in told.lines[1] and "receipts" not in told.lines[0]
    assert (path.read_bytes(), told.error.count("mended")) == (given, 1)
    mended = gzip.decompress(out.read_bytes()) if packed else out.read_bytes()
    batch = reading.read(mended, carrier)
    assert [(each.record.first("001") or "").lstrip("0") for each in batch.reads] == ["1001", "1002", "1003"]
    assert "Walled gardens" in (batch.reads[1].record.first("245") or "")
    assert check(out).rules(1) == told.rules(1, "left")
    assert "space-double" not in told.rules(1, "left")


def test_standard_input_and_many_files_are_read_in_order(mixed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_bytes(written("marcxml", [clean("x1"), clean("x2")]))
    told = check(other, "-", mixed, given=gzip.compress(written("marcjson", [clean("j")])))
    assert [line["file"] for line in told.lines] == [str(other)] * 2 + ["-"] + [str(mixed)] * 4
    assert [line["ordinal"] for line in told.lines] == [1, 2, 1, 1, 2, 3, 4]


def test_a_receipt_tells_each_change(mixed: Path, tmp_path: Path) -> None:
    told = check(mixed, "--fix", "-o", tmp_path / "out.mrc", "--json")
    (receipt,) = [one for one in told.lines[1]["receipts"] if one["rule"] == "space-double"]
    assert (receipt["tag"], receipt["nth"]) == ("245", 1)
    assert "Walled  gardens" in receipt["before"] and "Walled gardens" in receipt["after"]
    assert told.code == 3, "what is unreadable or returned is not mended by writing it"
    kept = reading.read((tmp_path / "out.mrc").read_bytes(), "iso2709")
    assert [each.record.first("001") for each in kept.reads] == ["a", "b", "nameless"] and not kept.failed
    assert kept.reads[0].raw == iso2709.write(clean("a")), "byte for byte"


def test_a_damaged_structure_is_mended_by_writing_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    path.write_bytes(iso2709.write(clean("a")).replace(b"0", b"9", 1))
    told = check(path, "--fix", "-o", tmp_path / "out.mrc")
    assert told.rules(0)[:1] == ["iso2709-length"] and told.rules(0, "receipts") == ["iso2709-length"]
    assert (tmp_path / "out.mrc").read_bytes() == iso2709.write(clean("a"))


def test_a_dry_run_shows_and_writes_nothing_and_a_limit_stops(tmp_path: Path) -> None:
    path = tmp_path / "many.mrc"
    path.write_bytes(b"".join(iso2709.write(faulty(f"n{n}")) for n in range(30)))
    dry = check(path, "--fix", "--dry-run", "--limit", "7")
    assert len(dry.lines) == 7 and all("receipts" in line for line in dry.lines)
    assert "stopped after 7" in dry.error and sorted(tmp_path.iterdir()) == [path]
    assert len(check(path, "--fix", "--dry-run").lines) == 30
    check(path, "--fix")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["many.mended.mrc", "many.mrc"]


def test_nothing_is_written_over_what_is_read_or_left_half_done(mixed: Path, tmp_path: Path) -> None:
    before = mixed.read_bytes()
    assert check(mixed, "--fix", "-o", mixed).code == 2
    assert check(mixed, mixed, "--fix").code == 2, "two files need -o"
    assert check("-", "--fix", given=before).code == 2
    assert check(mixed, "--dry-run").code == 2
    assert check(mixed, "--fix", "--limit", "0").code == 2
    other = tmp_path / "o.xml"
    other.write_bytes(written("marcxml", [clean("x")]))
    assert "one by one" in check(mixed, other, "--fix", "-o", tmp_path / "out").error
    assert mixed.read_bytes() == before and sorted(tmp_path.iterdir()) == [mixed, other]


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body>404</body></html>")
    cut = tmp_path / "cut.mrc.gz"
    cut.write_bytes(gzip.compress(b"".join(iso2709.write(clean(f"n{n}")) for n in range(200)))[:-300])
    told = check(page, cut)
    assert told.code == 3
    assert told.rules(0) == ["input-fault"] and "web page" in told.lines[0]["findings"][0]["value"]
    assert told.rules(-1) == ["input-fault"] and "ends early" in told.lines[-1]["findings"][0]["value"]
    assert told.verdicts.count("ok") + told.verdicts.count("warned") > 50
    missing = check(tmp_path / "none.mrc", page)
    assert missing.code == 1 and "no such file" in missing.error and not missing.lines


def test_a_file_without_records_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.xml"
    empty.write_text("<collection/>")
    told = check(empty)
    assert (told.code, told.lines) == (0, []) and "no record was found" in told.error


def test_a_profile_from_a_file_changes_levels(mixed: Path, tmp_path: Path) -> None:
    profile = tmp_path / "strict.toml"
    profile.write_text('why = "a test"\n[levels]\nspace-double = "error"\n"field-*" = "off"\n')
    told = check(mixed, "--profile", profile)
    assert told.verdicts == ["ok", "returned", "returned", "unreadable"]
    profile.write_text('[levels]\nspace-duble = "error"\n')
    wrong = check(mixed, "--profile", profile)
    assert wrong.code == 2 and "space-double" in wrong.error
    assert check(mixed, "--profile", "CN-NONE").code == 1


def test_large_files_take_several_processes_and_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "large.mrc"
    records = [iso2709.write(faulty(f"n{n}") if n % 1000 == 7 else clean(f"n{n}")) for n in range(6000)]
    path.write_bytes(b"".join(records))
    told = check(path, "--fix", "-o", tmp_path / "out.mrc")
    assert [line["id"] for line in told.lines] == [f"n{n}" for n in range(6000)]
    assert [line["ordinal"] for line in told.lines] == list(range(1, 6001))
    assert [line["id"] for line in told.lines if "space-double" in [f["rule"] for f in line["findings"]]] == [
        f"n{n}" for n in range(7, 6000, 1000)
    ]
    out = (tmp_path / "out.mrc").read_bytes()
    assert out.count(b"\x1d") == 6000
    assert sum(a != b for a, b in zip(out.split(b"\x1d"), b"".join(records).split(b"\x1d"), strict=True)) == 6


def test_a_person_at_a_terminal_reads_text(mixed: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "node.cli", "--lang", "zh", "check", str(mixed), "--fix", "--dry-run"]
    with subprocess.Popen(
        command, stdout=theirs, stderr=subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"}
    ) as process:
        os.close(theirs)
        said = b""
        while piece := _read(ours):
            said += piece
        assert process.wait(60) == 3
    text = said.decode()
    assert "nameless" in text and "退回" in text and "无法读取" in text and "{" not in text
    assert "✓ 245: 10$aWalled  gardens" in text and "→ 10$aWalled gardens" in text


def _read(terminal: int) -> bytes:
    """What a terminal shows; it has no end, but an error when its last writer is gone."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def test_marc_in_json_and_xml_agree_with_iso2709(tmp_path: Path) -> None:
    record = faulty("same")
    for name, data in (
        ("a.mrc", iso2709.write(record)),
        ("a.json", marcjson.write(record).encode()),
        ("a.xml", marcxml.write(record).encode()),
    ):
        (tmp_path / name).write_bytes(data)
    told = check(*(tmp_path / name for name in ("a.mrc", "a.json", "a.xml")))
    assert told.rules(0) == told.rules(1) == told.rules(2) and len(set(told.verdicts)) == 1


@pytest.mark.full
def test_a_gigabyte_of_zeros_and_a_bomb_are_checked_in_bounded_memory(tmp_path: Path) -> None:
    path, out = tmp_path / "zeros.mrc", tmp_path / "told"
    with path.open("wb") as file:
        file.write(b"".join(iso2709.write(clean(f"n{n}")) for n in range(3000)))
        file.truncate(1 << 30)

    def work() -> int:
        with out.open("w", encoding="utf-8") as told, contextlib.redirect_stdout(told):
            return main(["--home", "/nonexistent", "check", str(path)])

    assert bounded(work, megabytes=250, seconds=60) == 3
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["verdict"] for line in lines[-2:]] != ["unreadable", "unreadable"]
    assert lines[-1]["findings"][0]["rule"] == "input-fault" and len(lines) == 3001
