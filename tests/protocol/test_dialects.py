"""Families of MARC, told by content: every file of the shared collection, and records that mislead."""

from __future__ import annotations

import pytest

from config.errors import BadRecord
from protocols import detect, dialect, reading
from protocols.marc import Record
from tests import builders, data

FOLDERS = (
    "marc21-bib",
    "authority",
    "unimarc-cnmarc",
    "marc-conformance",
    "holdings",
    "aleph-sequential",
    "oai-pmh",
    "sru",
)
# Files of the UNIMARC family; all others are MARC 21 or KORMARC.
UNIMARC = {
    "marc-conformance/edsu__pymarc/testunimarc.dat",
    "marc-conformance/ruby-marc__ruby-marc/cp866_multirecord.marc",
    "marc-conformance/ruby-marc__ruby-marc/cp866_unimarc.marc",
    "unimarc-cnmarc/1000copy__openilas/openilas_cnmarc_gb18030.iso",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_gb18030.iso",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso",
    "unimarc-cnmarc/DigitalPlatform__dp2/sample_cnmarcxml.xml",
    "unimarc-cnmarc/DigitalPlatform__dp2/sample_kormarcxml.xml",  # the same records under another namespace
    "unimarc-cnmarc/DigitalPlatform__dp2/sample_unimarcxml.xml",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_CMARC.mrc",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/output.txt",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/proquest-Cmarc.mrc",
    "unimarc-cnmarc/indexdata__idzebra/simple-rusmarc",
    "unimarc-cnmarc/pkiraly__qa-catalogue/serial.bnr.1993.mrc",
    "unimarc-cnmarc/pkiraly__qa-catalogue/short.bnr.1993.mrc",
    "unimarc-cnmarc/pkiraly__qa-catalogue/unimarc.mrctxt",
    "unimarc-cnmarc/xbib__marc/periouni_first2000.mrc",
    "unimarc-cnmarc/xbib__marc/rusmarc.xml",
}
MOST = 4 << 20  # bytes of a file


def test_every_record_of_the_collection_is_of_its_file_s_family() -> None:
    wrong, seen = [], 0
    for folder in FOLDERS:
        for path in sorted(data.path(folder).rglob("*")):
            if not path.is_file() or path.suffix == ".gz" or path.stat().st_size > MOST:
                continue
            content = path.read_bytes()
            try:
                carrier = detect.carrier_of(content)
            except BadRecord:
                continue
            name = str(path.relative_to(data.ROOT))
            expected = dialect.CNMARC if name in UNIMARC else dialect.MARC21
            for each in reading.read(content, carrier).reads:
                if len(each.record.fields) > 1:  # a deletion says nothing
                    seen += 1
                    wrong += [name] if dialect.family(each.record) != expected else []
    assert seen > 8_000
    assert wrong == []


def test_a_field_without_subfields_tells_nothing() -> None:
    fields = (("006", "Приборостроение"), ("007", "2005"), ("043", "с."), ("504", "50"), ("245", "10"))
    assert dialect.weigh(Record(" " * 24, fields)) == []


@pytest.mark.parametrize("name", dialect.DIALECTS)
def test_every_dialect_has_a_family(name: str) -> None:
    assert dialect.DIALECTS[name] in (dialect.MARC21, dialect.CNMARC)


def test_builders_are_of_their_families() -> None:
    assert dialect.family(builders.a_cnmarc()) == dialect.CNMARC
    assert dialect.family(builders.a_marc21()) == dialect.MARC21
