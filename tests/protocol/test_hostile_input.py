"""What input can do to its reader: nothing is fetched, nothing grows, nothing hangs, and no record is lost unsaid."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import Refused
from protocols import gunzip, marcxml, reading, stream
from protocols.reading import Batch
from tests.bounded import MEGABYTE, MEGABYTES, bounded

CANARY = "canary-9f2e"
INNER = "<leader>00000nam a2200000 a 4500</leader><controlfield tag='001'>{}</controlfield>{}"


def record(number: int | str, more: str = "") -> str:
    return f"<record>{INNER.format(number, more)}</record>"


def read(text: str | bytes) -> Batch:
    return reading.read(text.encode() if isinstance(text, str) else text, "marcxml")


def numbers(batch: Batch) -> list[str]:
    return [each.record.first("001") or "" for each in batch.reads]


@pytest.fixture
def nearby(tmp_path: Path) -> tuple[str, str, socket.socket]:
    """(address of a file, address of a server, the server) that nobody may look at."""
    secret = tmp_path / "secret.dtd"
    secret.write_text(f'<!ENTITY leak "{CANARY}">{CANARY}')
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    return secret.as_uri(), f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd", server


OUTSIDE = {
    "external entity": '<!DOCTYPE c [<!ENTITY leak SYSTEM "{where}">]>',
    "public entity": '<!DOCTYPE c [<!ENTITY leak PUBLIC "-//x" "{where}">]>',
    "external DTD": '<!DOCTYPE c SYSTEM "{where}">',
    "parameter entity": '<!DOCTYPE c [<!ENTITY % p SYSTEM "{where}"> %p;]>',
    "both": '<!DOCTYPE c SYSTEM "{where}" [<!ENTITY % p SYSTEM "{where}"> %p; <!ENTITY leak SYSTEM "{where}">]>',
}
REFERENCE = "<controlfield tag='009'>&leak;</controlfield>"
INCLUDED = (
    "<controlfield tag='009'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{where}' parse='text'/>"
    "</controlfield>"
)


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_doctype_is_refused_and_nothing_that_it_names_is_looked_at(
    kind: str, nearby: tuple[str, str, socket.socket]
) -> None:
    file, address, server = nearby
    with server:
        for where in (file, address):
            doctype = OUTSIDE[kind].format(where=where)
            text = f"<?xml version='1.0'?>\n{doctype}<c>{record(1, REFERENCE)}{record(2)}</c>"
            found = read(text)
            (refused,) = found.failed
            assert (refused.rule, refused.raw.decode()) == ("doctype", doctype)
            assert refused.position == text.index(doctype)
            assert numbers(found) == ["1", "2"]
            assert found.reads[0].record.first("009") == "\ufffd"
            assert ("xml-entity", "entities that XML does not define were replaced") in found.reads[0].findings
            assert CANARY not in repr(found)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_nothing_is_included(nearby: tuple[str, str, socket.socket]) -> None:
    file, address, server = nearby
    with server:
        for where in (file, address):
            found = read(f"<c>{record(1, INCLUDED.format(where=where))}</c>")
            assert numbers(found) == ["1"]
            assert CANARY not in repr(found)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_doctype_inside_a_record_costs_that_record_alone() -> None:
    inside = f"<record><!DOCTYPE r [<!ENTITY a '{record('x')}'>]>{INNER.format(2, '')}</record>"
    found = read(f"<c>{record(1)}{inside}{record(3)}</c>")
    assert numbers(found) == ["1", "3"]
    assert [(each.rule, each.raw.decode()) for each in found.failed] == [("unreadable", inside)]


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE c>",
        f"<!DOCTYPE c [<!ENTITY a '{record('x')}'>]>",
        f'<!DOCTYPE c [<!-- "]> {record("x")} --><?p ]> {record("x")}?><!ENTITY a "]>{record("x")}">] >',
        '<!DOCTYPE c PUBLIC "]>" \'">\'>',
        "<!DOCTYPE[]>",
    ],
)
def test_a_doctype_ends_where_it_ends(doctype: str) -> None:
    found = read(f"{doctype}<c>{record(1)}</c>")
    assert numbers(found) == ["1"]
    assert [each.raw.decode() for each in found.failed] == [doctype]


@pytest.mark.parametrize("doctype", ["<!DOCTYPE c [", '<!DOCTYPE c "', "<!DOCTYPE c [<!--", "<!DOCTYPE c [ <?p"])
def test_a_doctype_without_an_end_hides_no_record(doctype: str) -> None:
    found = read(f"{record(1)}{doctype}{record(2)}")
    assert numbers(found) == ["1", "2"]
    assert [(each.rule, each.position) for each in found.failed] == [("doctype", len(record(1)))]


def test_a_doctype_is_refused_with_its_place_in_the_whole_file(tmp_path: Path) -> None:
    text = "".join(map(record, range(30_000))) + "<!DOCTYPE c []>" + "".join(map(record, range(30_000, 60_000)))
    path = tmp_path / "a.xml"
    path.write_text(f"<c>{text}</c>")
    read_, refused = 0, []
    with stream.open_input(str(path)) as source:
        for each in stream.stretches(source, "marcxml"):
            batch = reading.read(each.data, "marcxml")
            read_ += len(batch.reads)
            refused += [each.position + one.position for one in batch.failed]
    assert (read_, refused) == (60_000, [3 + text.index("<!DOCTYPE")])


def _laughs() -> str:
    entities = "".join(f"<!ENTITY l{n + 1} '{f'&l{n};' * 10}'>" for n in range(12))
    return f"<!DOCTYPE c [<!ENTITY l0 'ha'>{entities}]><c>{record(1, REFERENCE.replace('leak', 'l12'))}</c>"


def _quadratic() -> str:
    use = f"<controlfield tag='9'>{'&a;' * 20_000}</controlfield>"
    return f"<!DOCTYPE c [<!ENTITY a '{'a' * 50_000}'>]><c>{record(1, use)}</c>"


BOMBS: dict[str, Callable[[], str]] = {
    "billion laughs": _laughs,
    "quadratic": _quadratic,
    "100,000 levels": lambda: record(1, "<a>" * 100_000 + "</a>" * 100_000),
    "100,000 levels of fields": lambda: record(1, "<datafield tag='1'>" * 100_000 + "</datafield>" * 100_000),
    "levels without end": lambda: record(1, "<a>" * 600_000),
    "giant attribute": lambda: record(1, f"<controlfield tag='9' a='{'x' * 16 * MEGABYTE}'/>"),
    "giant text": lambda: record(1, f"<controlfield tag='9'>{'x' * 16 * MEGABYTE}</controlfield>"),
    "giant name": lambda: record(1, f"<{'x' * 1_400_000}/>"),
    "many attributes": lambda: record(1, "<a " + " ".join(f"a{n}='1'" for n in range(105_000)) + "/>"),
    "one attribute often": lambda: record(1, "<a " + "a='1' " * 240_000 + "/>"),
    "many namespaces": lambda: record(1, "<a " + " ".join(f"xmlns:n{n}='u'" for n in range(80_000)) + "/>"),
    "many prefixes": lambda: record(1, "".join(f"<n{n}:a/>" for n in range(120_000))),
    "many fields": lambda: record(1, "<controlfield tag='9'/>" * 60_000),
    "many entities": lambda: record(1, f"<controlfield tag='9'>{'&x;' * 450_000}</controlfield>"),
    "many ampersands": lambda: record(1, f"<controlfield tag='9'>{'&' * 1_400_000}</controlfield>"),
    "ends without beginnings": lambda: "</record>" * 120_000,
    "empty elements": lambda: "<record/>" * 120_000,
    "beginnings without ends": lambda: "<record " * 120_000,
    "doctypes without ends": lambda: "<!DOCTYPE [" * 20_000,
    "comments without ends": lambda: "<!DOCTYPE [" + "<!--" * 300_000,
    "quotes without ends": lambda: "<!DOCTYPE [" + "\"'" * 300_000,
    "prefixes without names": lambda: "<" + "a" * MEGABYTE + ":" + "<a:" * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_costs_little_and_harms_no_other_record(kind: str) -> None:
    bomb = BOMBS[kind]()
    text = f"<c>{record('before')}{bomb}{record('after')}</c>".encode()

    def work() -> object:
        batch = reading.read(text, "marcxml")
        return [each for each in numbers(batch) if each in ("before", "after")], bool(batch.failed or batch.reads)

    assert bounded(work) == (["before", "after"], True)


@pytest.mark.parametrize(
    "name",
    ["undefined", "punycode", "idna", "unicode_escape", "raw-unicode-escape", "utf-7", "rot13", "zlib", "hex", "cp037"],
)
def test_a_declared_encoding_that_is_none_is_said_and_costs_nothing(name: str) -> None:
    text = f'<?xml version="1.0" encoding="{name}"?><c>{record(1, "a" * 200_000 + "-" + "b9" * 400_000)}</c>'
    found = read(text)
    assert not found.reads
    assert [each.reason for each in found.failed] == [
        f"{name!r} in the XML declaration is no encoding that a document can be in"
    ]


@pytest.mark.parametrize("name", ["utf-16", "UTF-16LE", "utf_32", "ISO-10646-UCS-2"])
def test_a_text_that_is_not_wide_is_read_whatever_it_says(name: str) -> None:
    found = read(f'<?xml version="1.0" encoding="{name}"?><c>{record("红楼梦")}</c>')
    assert numbers(found) == ["红楼梦"]


def test_a_record_longer_than_any_is_refused_by_its_length() -> None:
    (failed,) = read(record(1, " " * marcxml.LONGEST)).failed
    assert failed.reason.startswith("the element has 1,572,")


def _gzip(path: Path, repeated: bytes, times: int, *, first: bytes = b"") -> None:
    """A gzip file of `repeated` again and again, without the time to compress it so often; it has no end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    one = packer.compress(repeated) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + start + one * times)


@pytest.mark.parametrize("carrier", ["iso2709", "marcxml", "marcjson"])
@pytest.mark.parametrize("byte", [b"\0", b"\x1d", b"\n", b"<"])
def test_ten_gigabytes_of_one_byte_are_not_read(carrier: str, byte: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    _gzip(path, byte * MEGABYTE, 10_240)
    assert path.stat().st_size < 16 * MEGABYTE

    def work() -> object:
        kept = passed = 0
        with stream.open_input(str(path)) as source:
            try:
                for each in stream.stretches(source, carrier):
                    kept += len(each.data)
                    passed += each.length
            except Refused as error:
                return "more than 250 times" in str(error), max(kept, passed) <= gunzip.FREE + 2 * MEGABYTE
        return "read to its end"

    # JSON that is one document is taken whole, up to 64 MB.
    assert bounded(work, 160 if carrier == "marcjson" else MEGABYTES) == (True, True)


def test_what_grows_less_is_read_in_bounded_memory(tmp_path: Path) -> None:
    one = record(1, f"<controlfield tag='9'>{os.urandom(20).hex()}</controlfield>").encode()
    path = tmp_path / "long.gz"
    _gzip(path, one * 30, 30_000, first=b"<c>")

    def work() -> object:
        count = 0
        with stream.open_input(str(path)) as source:
            try:
                for each in stream.stretches(source, "marcxml"):
                    count += each.data.count(b"</record>")
                    if count > 300_000:
                        break
            except Refused:
                return "taken for a bomb"
        return count > 300_000

    assert bounded(work) is True
