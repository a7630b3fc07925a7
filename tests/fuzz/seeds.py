"""Where fuzzing begins: a few small inputs a target, made by our own builders; `python -m tests.fuzz.seeds`."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from protocols import iso2709, marcjson, marcxml, writing
from protocols.marc import Record
from protocols.z3950 import apdu, opac, update
from protocols.z3950.notation import Choice
from tests import builders
from tests.z3950 import capture, programs, values
from tests.z3950.capture import CAPTURED

CORPUS = Path(__file__).parent / "corpus"

LONG = 4096  # bytes, above which a seed is only slow

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
    yield "gb18030-and-a-rest-in-utf-8", iso2709.write(records()["cnmarc"], "gb18030") + "00999nam 中国历史".encode()


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


def _mrk() -> Named:
    for name, record in records().items():
        yield name, writing.write(record, "mrk").data
    yield (
        "two",
        b"=LDR  00000nam  2200000   4500\n=001  1\n=245  10$aDollar {dollar} {eacute}\n\n=LDR  x\n=245  \\\\$aB\n",
    )
    yield "bare", b"\xef\xbb\xbf=245  10$aTitle\r\n on a second line\r\n=24\r\n"


def _alephseq() -> Named:
    for name, record in records().items():
        yield name, writing.write(record, "alephseq").data
    yield "joined", b"000000001 245   L $$aOne ^\n000000001 245   L $$9^^$$atwo\n000000002 DEL   L $$aY\n"


def _marclines() -> Named:
    yield (
        "dump",
        b"00000nam a2200000   4500\n001 1\n245 10 $a Title $c Author\n\n00000nam a2200000   4500\n245 00 $a B\n",
    )
    yield "view", b"LDR\t00000nam a2200000   4500\n245\t1_\t|a Title |c Author\n"
    yield "genie", "00000nam a2200000   4500^\n001‡1^\n24510‡aTitle‡cAuthor^\n".encode()


def _csv() -> Named:
    yield (
        "chinese",
        '题名,责任者,ISBN,出版社,出版年\n天工开物,宋应星,978-7-101-00000-1,中华书局,2008\n"引""号",,,,\n'.encode(),
    )
    yield "western", b"title;author;isbn;year\nA title;Harrow, Edith;9780199535569;2011\n"
    yield "tabs", b"Title\tAuthor\r\nx\ty\tz\r\n".decode().encode("utf-16")
    yield "kbart", b"publication_title\tprint_identifier\tonline_identifier\ttitle_url\nA\t1234-5679\t\thttp://x\n"


def _dc() -> Named:
    parts = (
        b"<metadata><oai_dc:dc xmlns:oai_dc='http://www.openarchives.org/OAI/2.0/oai_dc/' ",
        b"xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>A</dc:title><dc:creator>B, C</dc:creator>",
        b"<dc:date>2011</dc:date><dc:identifier>urn:isbn:9780199535569</dc:identifier><dc:type/></oai_dc:dc></metadata>",
    )
    yield "oai", b"".join(parts)
    yield "bare", b"<dc><title>A<title></dc><dc:title xml:lang='zh'>&#x4E2D;</dc:title>"


def _mods() -> Named:
    parts = (
        b"<modsCollection xmlns='http://www.loc.gov/mods/v3'><mods><titleInfo><nonSort>The </nonSort>",
        b"<title>A</title><partNumber>2</partNumber></titleInfo><name type='personal'><namePart>B</namePart>",
        b"<role><roleTerm>aut</roleTerm></role></name><originInfo><dateIssued>2011</dateIssued></originInfo>",
        b"<relatedItem type='host'><titleInfo><title>H</title></titleInfo></relatedItem>",
        b"<identifier type='isbn'>x</identifier></mods></modsCollection>",
    )
    yield "one", b"".join(parts)


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
    twice = Record("", (("001", "1"), ("245", " 0\x1faA"), ("245", "00\x1faA")))
    yield "two-that-become-one", marcjson.write(twice).encode()


def _z3950() -> Named:
    """What programs send; and answers, which only our client reads, with each element and alternative once."""
    for path in sorted(CAPTURED.iterdir()):
        yield path.name, path.read_bytes()
    kinds = cast("Choice[Any]", apdu.APDU).alternatives
    for name in ("searchResponse", "presentResponse", "scanResponse", "sortResponse", "extendedServicesResponse"):
        written = [apdu.encode(value) for value in values.every(kinds[name])]
        yield f"{name}-least", written[0]
        yield f"{name}-long", max((each for each in written if len(each) < LONG), key=len)
    for name, kind in (("update", update.UPDATE), ("package", update.TASK_PACKAGE), ("opac", opac.OPAC_RECORD)):
        yield name, kind.encode(values.every(kind)[-1])


def _z3950_session() -> Named:
    """Conversations of programs, and each of their requests right after an Init."""
    for script in programs.NAMES:
        for number, conversation in enumerate(capture.conversations(script)):
            yield f"{script}-{number}", conversation
    for path in sorted(CAPTURED.iterdir()):
        yield path.name, capture.init() + path.read_bytes()


def _queries() -> Named:
    for name, text in (
        ("cql", 'title = "^红楼*" and (dc.creator any "曹雪芹 高鹗" not year < 1990) prox/distance<=2/ordered wom?n'),
        ("cql-sets", '> b = "http://zing.z3950.org/cql/bath/2.0/" b.lccn = 85-2 or cql.resultSetId = 1 or title == a'),
        ("cql-signs", r'any =/string "a\*b\\ \"c\" d^" or year within "1990 1999"'),
        ("pqf", '@or @and @attr 1=4 @attr 5=1 红楼 @attr 1=31 @attr 2=2 1990 @not @set 1 @attr 1=7 "7-02-000220-2"'),
        ("pqf-near", "@attrset bib-1 @prox 0 2 1 2 k 2 @attr 1=4 @attr 3=1 roman @attr 1=4 @attr 5=104 emp?r#"),
        ("pqf-odd", '@attr 1=title @attr 5=102 "wom.n.*" @term string x'),
    ):
        yield name, text.encode()


SEEDS: dict[str, Callable[[], Named]] = {
    "iso2709": _iso2709,
    "marcxml": _marcxml,
    "marcjson": _marcjson,
    "mrk": _mrk,
    "alephseq": _alephseq,
    "marclines": _marclines,
    "csv": _csv,
    "dc": _dc,
    "mods": _mods,
    "gzip": _gzip,
    "charsets": _charsets,
    "rules": _rules,
    "check": _iso2709,
    "z3950": _z3950,
    "z3950-session": _z3950_session,
    "queries": _queries,
}


def write() -> None:
    """All of them, in folders by target."""
    for target, made in SEEDS.items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, data in made():
            (CORPUS / target / name).write_bytes(data)


if __name__ == "__main__":
    write()
