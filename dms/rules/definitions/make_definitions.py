"""Make the tables of this folder from Avram schemas: facts only (tags, codes, what repeats, positions).

Run by hand when a format changes:
`python -m dms.rules.definitions.make_definitions NAME SCHEMA.json.gz SOURCE > dms/rules/definitions/NAME.tsv`

Avram (https://format.gbv.de/schema/avram/specification) describes a format as JSON. What a row is, see `tables`. A
subfield without `repeatable`, and whatever is `deprecated`, was legal once: it is written with `!`. What a schema lacks
or has wrong stands in `NAME_own.tsv`, written by hand from the standard, and replaces rows of this table.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

BLANK = "_"
_ACRONYM = re.compile(r"\b(?:issn|isrc|ean|upc|udc|coden)\b")
LEADERS = {"LDR", "LEADER"}
LISTS = {  # lists of codes that fixed positions refer to
    "https://www.loc.gov/marc/languages/language_code.html": "languages",
    "https://www.loc.gov/marc/countries/countries_code.html": "countries",
    "https://www.loc.gov/standards/iso639-2/": "languages",
    "http://www.wikidata.org/entity/Q1140221": "countries",
}
MATERIALS = {
    "Books": "books", "Computer Files": "computer", "Continuing Resources": "continuing", "Maps": "maps",
    "Mixed Materials": "mixed", "Music": "music", "Visual Materials": "visual", "All Materials": "*", "Common": "*",
    "Electronic resource": "c", "Globe": "d", "Kit": "o", "Map": "a", "Microform": "h", "Motion picture": "m",
    "Nonprojected graphic": "k", "Notated music": "q", "Projected graphic": "g", "Remote-sensing image": "r",
    "Sound recording": "s", "Tactile material": "f", "Text": "t", "Unspecified": "z", "Videorecording": "v",
}  # fmt: skip


def rows(schema: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Rows of a table, by tag."""
    lists = {name: given.get("codes") or given for name, given in schema.get("codelists", {}).items()}
    for tag, given in sorted(schema["fields"].items()):
        name = "LDR" if tag in LEADERS else tag
        subfields = given.get("subfields")
        if (name != "LDR" and subfields is not None) or tag.startswith("00"):
            repeat = "R" if given.get("repeatable") else "N"
            one, two = (_indicator(given.get(key)) for key in ("indicator1", "indicator2"))
            codes = " ".join(_subfield(code, each) for code, each in sorted((subfields or {}).items()))
            yield "field", name, repeat, one, two, codes, _label(given)
        for kind, each in (given.get("types") or {"All Materials": given}).items():
            yield from _positions(name, MATERIALS[kind], each, lists)
        for code, each in sorted((given.get("subfields") or {}).items()):
            yield from _positions(f"{name}${code}", "*", each, lists)
    for source in sorted(lists.keys() & LISTS.keys()):
        codes = _listed(lists[source])
        yield "list", LISTS[source], " ".join(f"!{code[1:]}" if code[0] == "-" else code for code in codes.split())


def _label(given: dict[str, Any]) -> str:
    label = " ".join(str(given.get("label", "")).split())
    shouted = sum(char.isupper() for char in label) > len(label) / 2
    return _ACRONYM.sub(lambda word: word[0].upper(), label.capitalize()) if shouted else label


def _indicator(given: dict[str, Any] | None) -> str:
    return _listed((given or {}).get("codes") or {" ": ""})


def _subfield(code: str, given: dict[str, Any]) -> str:
    if "repeatable" not in given or given.get("deprecated"):
        return f"!{code}"
    return f"{code}*" if given["repeatable"] else code


def _listed(codes: Iterable[str] | dict[str, Any]) -> str:
    """Codes with `_` for blanks, those of former times marked."""
    found = []
    for code in codes:
        meaning = codes[code] if isinstance(codes, dict) else None
        old = isinstance(meaning, dict) and meaning.get("deprecated")
        found.append(("!" if old else "") + code.replace(" ", BLANK))
    return " ".join(sorted(found))


def _positions(place: str, selector: str, given: dict[str, Any], lists: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for each in given.get("positions", {}).values():
        codes = each.get("codes") or each.get("flags")
        if codes:
            start = int(each["start"])
            width = int(each.get("end", start)) - start + 1
            named = LISTS.get(codes) if isinstance(codes, str) else None
            listed = f"@{named}" if named else _listed(lists.get(codes, codes) if isinstance(codes, str) else codes)
            yield "code", place, selector, str(start), str(width), listed, " ".join(str(each["label"]).split())


def main(name: str, path: str, source: str) -> None:
    """Write a table to standard output."""
    schema = json.loads(gzip.decompress(Path(path).read_bytes()))
    print(f"# {name}: made by make_definitions.py; facts from {source}. See tables.py for what a row is.")
    for row in rows(schema):
        print("\t".join(row))


if __name__ == "__main__":
    main(*sys.argv[1:4])
