"""Content rules over real records: fixes keep their promises there too, and nobody is flooded with false alarms."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache

import pytest

from catalog.model import Format
from dms.rules import catalogue, check, content, kinds, mend
from dms.rules.model import Level, Profile
from protocols import dialect, reading
from protocols.marc import Record
from tests import data

ALL_ON = Profile(levels=dict.fromkeys(catalogue.rules(), Level.WARNING))
# File -> every how many-th of its records is taken.
FILES = {
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso": 1,
    "unimarc-cnmarc/1000copy__openilas/openilas_cnmarc_gb18030.iso": 1,
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_CMARC.mrc": 1,
    "unimarc-cnmarc/indexdata__idzebra/simple-rusmarc": 1,
    "unimarc-cnmarc/pkiraly__qa-catalogue/serial.bnr.1993.mrc": 1,
    "unimarc-cnmarc/xbib__marc/periouni_first2000.mrc": 10,
    "marc21-bib/carpentries-incubator__pymarc_basics/NLNZ_1000_example_marc.marc": 5,
    "marc21-bib/evergreen-library-system__Evergreen/hebrew.marc": 1,
    "marc21-bib/psu-libraries__psulib_traject/sample_psucat.mrc": 5,
    "authority/evergreen-library-system__Evergreen/auth-1066.mrc": 10,
    "holdings/indexdata__reservoir/mfhd.marc": 1,
}
# Rules that a whole file breaks, as somebody looked up: a local way of writing, which is told all the same.
HABITS = {
    "20171117_423294_ntuedu_CMARC.mrc": {
        "url-private",
        "country-code-form",
        "space-edge",
        "punctuation-left",
    },
    "NLNZ_1000_example_marc.marc": {"isbn-qualifier"},
    "bnu_cnmarc_utf8.iso": {"price-gift"},
    "serial.bnr.1993.mrc": {"mojibake-decoded"},
    "simple-rusmarc": {"country-code"},
}


@cache
def _records(relative: str) -> tuple[tuple[Record, Format], ...]:
    raw = data.path(relative).read_bytes()
    raw = gzip.decompress(raw) if relative.endswith(".gz") else raw
    found = [read.record for read in reading.read(raw, "iso2709").reads][:: FILES[relative]]
    return tuple((each, Format[dialect.family(each).upper()]) for each in found)


@pytest.mark.parametrize("relative", sorted(FILES))
def test_fixes_keep_their_promises_on_real_records(relative: str) -> None:
    """A fix mends where its rule finds, leaves nothing of it, and changes nothing a second time; so do all together."""
    checker = check.checker(ALL_ON)
    fixes = content.fixes()
    for record, fmt in _records(relative):
        found = {each.rule for each in checker.check(record, fmt, kinds.kind_of(record, fmt))}
        for rule, fix in fixes.items():
            mended = fix(record, fmt)
            assert bool(mended.receipts) == (rule in found), rule
            if mended.receipts:
                kind = kinds.kind_of(mended.record, fmt)
                assert rule not in {each.rule for each in checker.check(mended.record, fmt, kind)}
                assert fix(mended.record, fmt).receipts == ()
        together = mend.mend(record, fmt, fixes)
        assert mend.mend(together.record, fmt, fixes).receipts == ()


@pytest.mark.parametrize("relative", sorted(FILES))
def test_no_rule_of_content_is_told_of_most_records(relative: str) -> None:
    checker = check.checker(Profile())
    ids = {id_ for rule in content.rules() for id_ in rule.ids}
    told: Counter[str] = Counter()
    records = _records(relative)
    for record, fmt in records:
        told.update({each.rule for each in checker.check(record, fmt, kinds.kind_of(record, fmt))} & ids)
    habits = HABITS.get(relative.rpartition("/")[2], set())
    often = {rule for rule, count in told.items() if count * 5 > len(records) and count > 1}
    assert often == habits
