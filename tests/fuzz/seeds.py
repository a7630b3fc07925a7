"""Where fuzzing begins: a few small inputs a target, made by our own builders; `python -m tests.fuzz.seeds`."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from protocols import iso2709, marcjson, marcxml
from protocols.marc import Record
from tests import builders

CORPUS = Path(__file__).parent / "corpus"

Named = Iterator[tuple[str, bytes]]


def records() -> dict[str, Record]:
    """One of each kind."""
    return {
        "cnmarc": builders.a_bib(volume="第二卷", subtitle="图像与工艺"),
        "marc21": builders.a_bib("marc21", edition="2nd ed.", subtitle="brick, stone and water"),
        "bare": Record("00000nam a2200000   4500", (("001", "1"), ("245", "00\x1faA"))),
        "odd": Record(
            "00000cam0a2200000   45  ",
            (("005", "x"), ("100", "  \x1fa20081106d2008    em y0chiy50      ea"), ("200", "1 \x1fa\x1f\x1fa中\x1f")),
        ),
    }


def _iso2709() -> Named:
    for name, record in records().items():
        yield name, iso2709.write(record)
    yield "gb18030", iso2709.write(records()["cnmarc"], "gb18030")
    whole = iso2709.write(records()["marc21"])
    yield "cut", whole[:-40]
    yield "glued", whole[:-1] + whole
    yield "lengths", whole.replace(b"0", b"7", 3)
    yield "wrapped", iso2709.write(Record("", (("520", "  \x1faone ++"), ("520", "  two"))))


def _marcxml() -> Named:
    for name, record in records().items():
        yield name, marcxml.write(record).encode()
    yield (
        "prefixed",
        b"<m:collection xmlns:m='u'><m:record><m:leader/><m:datafield tag='245'/></m:record></m:collection>",
    )
    yield (
        "doctype",
        b"<!DOCTYPE c [<!ENTITY a 'b'>]><c><record><controlfield tag='001'>&a;&#x1;</controlfield></record></c>",
    )
    yield "broken", b"<record><!-- <record> --><![CDATA[</record>]]><controlfield tag='1'>x</record><record/>"


def _marcjson() -> Named:
    for name, record in records().items():
        yield name, marcjson.write(record).encode()
    yield (
        "array",
        b'[{"leader":"x","fields":[{"001":"a"}]},\n{"fields":[{"tag":"245","subfields":[{"code":"a","value":1}]}]}]',
    )
    yield "pretty", b'{\n "fields": [\n {"245": {"ind1": 1, "subfields": {"a": ["b", null]}}}]}\n{"leader": "\\ud800"}'


def _gzip() -> Named:
    yield "plain", b"plain"
    whole = gzip.compress(b"text" * 50, mtime=0)
    yield "whole", whole
    yield "two", whole + whole
    yield "padded", whole + bytes(20)
    yield "cut", whole[:-9]
    yield "followed", whole + b"rubbish"
    yield "nested", gzip.compress(whole, mtime=0)


def _charsets() -> Named:
    text = "天工开物图说 Émilie Brontë Война и мир"
    for name in ("utf-8", "gb18030", "big5", "koi8-r", "cp1251", "latin-1"):
        yield name, text.encode(name, "ignore")
    yield "marc8", b"\x1b$1!0!!1\x1b(BSerreau, Genevi\xe1eve &#x5929; \x1b(NWOJNA\x1bs"


def _rules() -> Named:
    yield from _marcjson()
    for name, record in records().items():
        worse = tuple((tag, text.replace("9787", "978X").replace("20", "2O")) for tag, text in record.fields)
        yield f"worse-{name}", marcjson.write(Record("", (*worse, *worse[-2:]))).encode()


SEEDS: dict[str, Callable[[], Named]] = {
    "iso2709": _iso2709,
    "marcxml": _marcxml,
    "marcjson": _marcjson,
    "gzip": _gzip,
    "charsets": _charsets,
    "rules": _rules,
    "check": _iso2709,
}


def write() -> None:
    """All of them, in folders by target."""
    for target, made in SEEDS.items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, data in made():
            (CORPUS / target / name).write_bytes(data)


if __name__ == "__main__":
    write()
