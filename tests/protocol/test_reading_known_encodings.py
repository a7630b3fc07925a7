"""Every real ISO 2709 file whose encoding is known: each record is judged to be in it, but for the ones listed here."""

from __future__ import annotations

import csv
import gzip

from protocols import reading
from tests import data

# What the collection's list calls 8-bit is MARC-8, but for these, by their sources' own words (N.chr of YAZ).
YAZ = "marc-conformance/indexdata__yaz/"
LATIN1 = {f"{YAZ}marc{number}.marc" for number in (1, 2, 3, 4)}
BY_LIST = {
    "CP866": "cp866",
    "DANMARC": "danmarc",
    "GB18030": "gb18030",
    "KOI8-R": "koi8-r",
    "UTF-8": "utf-8",
    "ASCII": "utf-8",
    "8-bit (not UTF-8)": "marc-8",
    "UTF-8 (leader/09 blank: UNIMARC)": "utf-8",
    "Windows-1251 (leader blank)": "cp1251",
    "UTF-8 flag, bad bytes": "utf-8",
}
BY_FILE = {
    "marc-conformance/ruby-marc__ruby-marc/marc8_accented_chars.marc": "marc-8",  # EXPECTED.md: the flag is wrong
}
# (file, ordinal of the record) -> why the answer is another one.
WRONG = {
    ("marc-conformance/internetarchive__openlibrary/bin_input/collingswood_bad_008.mrc", 0): "damage in 008, no letter",
    ("marc21-bib/evergreen-library-system__Evergreen/jazz_1k.mrc", 486): "E1 for an apostrophe, which it is nowhere",
    ("marc21-bib/evergreen-library-system__Evergreen/oss.marc", 27): "ASCII with a high byte in the leader",
}


def test_real_records_are_judged_to_be_in_the_encoding_they_are_in() -> None:
    rows = csv.DictReader((data.path("MANIFEST.tsv")).read_text(encoding="utf-8").splitlines(), delimiter="\t")
    right, wrong = 0, []
    for row in rows:
        name = row["file"]
        if row["format"] != "ISO2709" or not (data.ROOT / name).exists():
            continue
        content = (data.ROOT / name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content
        expected = BY_FILE.get(name, "latin-1" if name in LATIN1 else BY_LIST[row["encoding"]])
        for read in reading.read(content, "iso2709").reads:
            if read.raw.isascii() and read.encoding in ("utf-8", "marc-8"):
                continue  # escapes are MARC-8's own, all else is the same in both
            if read.encoding == expected:
                right += 1
            else:
                wrong.append((name, read.ordinal, read.encoding))
    assert {(name, ordinal) for name, ordinal, _ in wrong} == set(WRONG), wrong
    assert right >= 3_800
