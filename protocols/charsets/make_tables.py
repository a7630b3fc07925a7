"""Make `tables.tsv` from the published code tables: MARC-8 (Library of Congress) and ISO 5426.

Run by hand when a table is corrected:
`python -m protocols.charsets.make_tables codetables.xml.gz iso5426.xml.gz > protocols/charsets/tables.tsv`

The input is LC's `codetables.xml` layout: `characterSet/@ISOcode` (final byte of the escape, hex) with `code` elements
of `marc`, `ucs`, `alt`, `isCombining`. One output row is set, code (7-bit, hex), Unicode (hex), and `c`
for a combining character. Halves of double-wide marks take the half marks (`alt`, U+FE20-FE23) so that each half stays
with its own letter; component characters of EACC that LC maps to the private use area take the geta mark (`alt`).
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator

from lxml import etree

# Punctuation seen in vendors' EACC that the table lacks.
VENDORS = {"21203D": "2026", "212040": "201C", "7F2014": "2014", "7F2019": "2019", "7F2020": "201D", "7F2122": "2122"}
HALVES = {"0361", "0360"}  # spans given as one character although MARC-8 writes two halves


def rows(path: str, only: str | None, name: str | None) -> Iterator[str]:
    """TSV rows of one code table file; `only` keeps a single set, `name` renames it."""
    with gzip.open(path) as stream:
        tree = etree.fromstring(stream.read())
    for group in tree.iter("characterSet"):
        final = chr(int(group.get("ISOcode", "0"), 16))
        if only is not None and final != only:
            continue
        for code in group.iter("code"):
            marc = (code.findtext("marc") or "").strip()
            ucs = (code.findtext("ucs") or "").strip()
            alt = (code.findtext("alt") or "").strip()
            if not marc or (len(marc) == 2 and (int(marc, 16) & 0x7F) < 0x20 and int(marc, 16) < 0x80):
                continue
            private = ucs and 0xE000 <= int(ucs, 16) <= 0xF8FF
            if alt and (not ucs or ucs in HALVES or private):
                ucs = alt.split()[0]
            key = "".join(f"{int(marc[i : i + 2], 16) & 0x7F:02X}" for i in range(0, len(marc), 2))
            combining = "c" if (code.findtext("isCombining") or "").strip() == "true" else ""
            yield f"{name or final}\t{key}\t{ucs}\t{combining}"


def main(marc8: str, iso5426: str) -> None:
    """Write the table to standard output, sorted, without repeats."""
    vendors = {f"1\t{code}\t{ucs}\t" for code, ucs in VENDORS.items()}
    table = {*rows(marc8, None, None), *rows(iso5426, "E", "5426"), *vendors}
    print("\n".join(sorted(table)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
