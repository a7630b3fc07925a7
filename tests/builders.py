"""Records, files and a fixed cast for tests: `a_bib(isbn=…)` is a plausible full record, whatever you leave out.

Text written as `"1 $aTitle$fAuthor"` in overrides becomes a field: the first two characters are the indicators and each
`$x` opens a subfield. `f200=None` drops every 200; `f200="…"` replaces them; `f701=["…", "…"]` gives several.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from catalog.model import Holding, Library, Symbol
from protocols import iso2709 as writer
from protocols import marc
from protocols.marc import Record

# The cast: three member libraries in two cities. Tests name them; they never make up others without need.
TJU = Library(symbol=Symbol("CN-TJU"), name="天津大学图书馆", name_en="Tianjin University Library", area="天津")
SZL = Library(symbol=Symbol("CN-SZL"), name="深圳图书馆", name_en="Shenzhen Library", area="广东深圳")
HKS = Library(symbol=Symbol("CN-HKS"), name="嶺南書院圖書館", name_en="Lingnan Academy Library", area="香港")
CAST = (TJU, SZL, HKS)

CNMARC_LEADER = "00000nam0 2200000   450 "
MARC21_LEADER = "00000nam a2200000 c 4500"  # c: ISBD punctuation omitted


def isbn13(number: int, group: str = "9787") -> str:
    """A valid ISBN-13 in `group`, told apart by `number` (ISO 2108, annex A: weights 1 and 3)."""
    body = group + str(number).rjust(12 - len(group), "0")
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def isbn10(isbn: str) -> str:
    """The ten-digit form of a 978 ISBN (weights 10 … 2, X for ten)."""
    body = isbn.replace("-", "")[3:12]
    check = -sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11
    return body + ("X" if check == 10 else str(check))


def field(text: str) -> str:
    """`"1 $aTitle"` as field text. A control field's value has no `$` and stays as it is."""
    return text.replace("$", marc.DELIMITER)


def a_bib(
    format: str = "cnmarc",
    *,
    title: str | None = None,
    subtitle: str = "",
    isbn: str | Sequence[str] | None = None,
    author: str | None = None,
    volume: str = "",
    part: str = "",
    year: int | str | None = None,
    publisher: str | None = None,
    place: str | None = None,
    pages: int | str | None = None,
    edition: str = "",
    language: str | None = None,
    holdings: Sequence[Holding] = (),
    local_id: str | None = None,
    stamp: str = "20240315103000.0",
    leader: str | None = None,
    **overrides: str | Sequence[str] | None,
) -> Record:
    """A full record. An empty string leaves a thing out; None takes the default. `isbn` may be several."""
    if format not in ("cnmarc", "marc21"):
        raise ValueError(f"format is cnmarc or marc21, not {format!r}")
    chinese = format == "cnmarc"
    given: dict[str, Any] = {
        "title": _default(title, "天工开物图说" if chinese else "A field guide to walled gardens"),
        "subtitle": subtitle,
        "isbns": [isbn13(10200417) if chinese else isbn13(199535566, "978")] if isbn is None else _list(isbn),
        "author": _default(author, "潘吉星" if chinese else "Harrow, Edith"),
        "volume": volume,
        "part": part,
        "year": str(_default(year, "2008" if chinese else "2011")),
        "publisher": _default(publisher, "上海古籍出版社" if chinese else "Oxford University Press"),
        "place": _default(place, "上海" if chinese else "Oxford"),
        "pages": str(_default(pages, "412" if chinese else "318")),
        "edition": edition,
        "language": _default(language, "chi" if chinese else "eng"),
        "local_id": _default(local_id, "012008000417" if chinese else "ocm00417"),
        "stamp": stamp,
    }
    fields = _cnmarc(given) if chinese else _marc21(given)
    fields += [_holding_905(h) if chinese else _holding_852(h) for h in holdings]
    fields = _override(fields, overrides)
    return Record(leader or (CNMARC_LEADER if chinese else MARC21_LEADER), tuple(fields))


def a_cnmarc(**given: Any) -> Record:
    """A CNMARC record: 200, 210, 215, 701, 905; leader/09 blank."""
    return a_bib("cnmarc", **given)


def a_marc21(**given: Any) -> Record:
    """A MARC21 record in Unicode: 245, 264, 300, 100, 852; leader/09 = a."""
    return a_bib("marc21", **given)


def a_holding(library: Library = TJU, call_number: str = "N092/12", item: str = "T0001024", **rest: str) -> Holding:
    """One copy on the shelf of a library of the cast."""
    return Holding(library=library.symbol, call_number=call_number, item=item, **rest)


def iso2709(*records: Record, encoding: str = "utf-8") -> bytes:
    """Records as ISO 2709, one after another, with true lengths (ISO 2709:2008, 4)."""
    return b"".join(writer.write(record, encoding) for record in records)


def marcxml(*records: Record) -> bytes:
    """A MARCXML collection (namespace http://www.loc.gov/MARC21/slim)."""
    rows = ['<?xml version="1.0" encoding="UTF-8"?>', '<collection xmlns="http://www.loc.gov/MARC21/slim">']
    for record in records:
        rows.append(f"<record><leader>{escape(record.leader)}</leader>")
        rows += [_xml_field(tag, text) for tag, text in record.fields]
        rows.append("</record>")
    return "\n".join([*rows, "</collection>", ""]).encode()


def marcjson(*records: Record) -> bytes:
    """MARC-in-JSON, one record a line."""
    return b"".join(json.dumps(_json(record), ensure_ascii=False).encode() + b"\n" for record in records)


def _default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _list(value: str | Sequence[str]) -> list[str]:
    return ([value] if value else []) if isinstance(value, str) else list(value)


def _pairs(indicators: str, pairs: Iterable[tuple[str, str]]) -> str:
    return marc.field(indicators, [(code, text) for code, text in pairs if text])


def _cnmarc(g: dict[str, Any]) -> list[tuple[str, str]]:
    year = g["year"][:4] if g["year"][:4].isdigit() else "    "
    fields = [("001", g["local_id"])] if g["local_id"] else []
    fields.append(("005", g["stamp"]))
    fields += [("010", field(f"  $a{isbn}$dCNY48.00")) for isbn in g["isbns"]]
    fields.append(("100", field(f"  $a{g['stamp'][:8]}d{year}    em y0{g['language']}y50      ea")))
    fields.append(("101", field(f"0 $a{g['language']}")))
    fields.append(("102", field("  $aCN$b310000")))
    fields.append(("105", field("  $aa   z   000yy")))
    fields.append(("106", field("  $ar")))
    statement = f"{g['author']}著" if g["author"] else ""
    title = [("a", g["title"]), ("e", g["subtitle"]), ("h", g["volume"]), ("i", g["part"]), ("f", statement)]
    fields.append(("200", _pairs("1 ", title)))
    if g["edition"]:
        fields.append(("205", field(f"  $a{g['edition']}")))
    imprint = [("a", g["place"]), ("c", g["publisher"]), ("d", g["year"])]
    if any(text for _, text in imprint):
        fields.append(("210", _pairs("  ", imprint)))
    if g["pages"]:
        fields.append(("215", field(f"  $a{g['pages']}页$c图$d21cm")))
    fields.append(("606", field("0 $a科学技术$x技术史$y中国$z明代")))
    fields.append(("690", field("  $aN092$v5")))
    if g["author"]:
        fields.append(("701", field(f" 0$a{g['author']}$4著")))
    fields.append(("801", field(f" 0$aCN$bTJU$c{g['stamp'][:8]}")))
    return fields


def _marc21(g: dict[str, Any]) -> list[tuple[str, str]]:
    year = g["year"][:4] if g["year"][:4].isdigit() else "    "
    fields = [("001", g["local_id"])] if g["local_id"] else []
    fields.append(("005", g["stamp"]))
    fields.append(("008", f"{g['stamp'][2:8]}s{year}    xx a          001 0 {g['language']} d"))
    fields += [("020", field(f"  $a{isbn}")) for isbn in g["isbns"]]
    fields.append(("040", field("  $aTLU$beng$erda$cTLU")))
    if g["author"]:
        fields.append(("100", field(f"1 $a{g['author']},$eauthor.")))
    title = [("a", g["title"]), ("b", g["subtitle"]), ("n", g["volume"]), ("p", g["part"]), ("c", g["author"])]
    fields.append(("245", _pairs("10" if g["author"] else "00", title)))
    if g["edition"]:
        fields.append(("250", field(f"  $a{g['edition']}")))
    imprint = [("a", g["place"]), ("b", g["publisher"]), ("c", g["year"])]
    if any(text for _, text in imprint):
        fields.append(("264", _pairs(" 1", imprint)))
    if g["pages"]:
        fields.append(("300", field(f"  $a{g['pages']} pages :$billustrations ;$c23 cm")))
    fields.append(("336", field("  $atext$btxt$2rdacontent")))
    fields.append(("337", field("  $aunmediated$bn$2rdamedia")))
    fields.append(("338", field("  $avolume$bnc$2rdacarrier")))
    fields.append(("650", field(" 0$aGardens$vHandbooks, manuals, etc.")))
    return fields


def _holding_905(h: Holding) -> tuple[str, str]:
    """The commonest Chinese shape: $a library, $b accession, $c place, $d class, $e book number, $s shelf mark."""
    class_number, _, book_number = h.call_number.partition("/")
    pairs = [("a", h.library), ("b", h.item), ("c", h.location), ("d", class_number), ("e", book_number)]
    return "905", _pairs("  ", [*pairs, ("s", h.call_number)])


def _holding_852(h: Holding) -> tuple[str, str]:
    pairs = [("a", h.library), ("b", h.location), ("h", h.call_number), ("p", h.item), ("z", h.note)]
    return "852", _pairs("0 ", pairs)


def _override(fields: list[tuple[str, str]], overrides: dict[str, str | Sequence[str] | None]) -> list[tuple[str, str]]:
    for name, value in overrides.items():
        tag = name[1:]
        if not (name.startswith("f") and len(tag) == 3):
            raise TypeError(f"{name}: overrides are named f and a tag, like f200")
        texts = [] if value is None else _list(value)
        fields = [pair for pair in fields if pair[0] != tag] + [(tag, field(text)) for text in texts]
    return sorted(fields, key=lambda pair: pair[0])


def _xml_field(tag: str, text: str) -> str:
    if marc.is_control(tag):
        return f'<controlfield tag="{tag}">{escape(text)}</controlfield>'
    inner = "".join(f"<subfield code={quoteattr(c)}>{escape(v)}</subfield>" for c, v in marc.subfields(text))
    return f'<datafield tag="{tag}" ind1={quoteattr(text[0])} ind2={quoteattr(text[1])}>{inner}</datafield>'


def _json(record: Record) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for tag, text in record.fields:
        if marc.is_control(tag):
            fields.append({tag: text})
        else:
            subfields = [{code: value} for code, value in marc.subfields(text)]
            fields.append({tag: {"ind1": text[0], "ind2": text[1], "subfields": subfields}})
    return {"leader": record.leader, "fields": fields}
