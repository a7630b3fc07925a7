"""`tianlu convert` of real files to every form that it knows: each is read again, or valid, and holds every record."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lxml import etree

from node.cli import main
from protocols import detect, reading
from services.delivery import forms
from tests import data
from tests.protocol.test_crosswalk_schemas import SCHEMAS, mods_schema, schema

FILES = (
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_utf8.iso",
    "unimarc-cnmarc/DigitalPlatform__dp2/bnu_cnmarc_gb18030.iso",
    "unimarc-cnmarc/feelovejun__marc21tocmarc/20171117_423294_ntuedu_CMARC.mrc",
    "unimarc-cnmarc/DigitalPlatform__dp2/sample_cnmarcxml.xml",
    "unimarc-cnmarc/indexdata__idzebra/simple-rusmarc",
    "marc21-bib/jorol__MARC-Schema/camel.mrc",
    "marc21-bib/jorol__MARC-Schema/journals.mrc",
    "marc21-bib/evergreen-library-system__Evergreen/hebrew.marc",
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
BF = "{http://id.loc.gov/ontologies/bibframe/}"


def convert(*words: object) -> tuple[int, str]:
    """The command without a node: its exit code, and what it said on standard error."""
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(["--home", "/nonexistent", "--lang", "en", "convert", *map(str, words)])
    return code, error.buffer.getvalue().decode()


def elements(raw: bytes, name: str) -> list[etree._Element]:
    return [each for each in etree.fromstring(raw) if etree.QName(each).localname == name]


def valid(name: str, checked: etree.XMLSchema) -> Callable[[bytes], int]:
    def count(raw: bytes) -> int:
        found = elements(raw, name)
        for each in found:
            assert checked.validate(each), str(checked.error_log)
        return len(found)

    return count


def read(carrier: str) -> Callable[[bytes], int]:
    return lambda raw: len(reading.read(raw, carrier).reads)


def _local(root: etree._Element, attribute: str) -> list[str]:
    """The names, in an attribute of RDF, of resources of this file."""
    names = [each.get(f"{RDF}{attribute}", "") for each in root.iter()]
    return [name for name in names if "#" in name and "://" not in name]


def graph(raw: bytes) -> int:
    """BIBFRAME: every resource of the file that something refers to is described in it, and described once."""
    root = etree.fromstring(raw)
    own = _local(root, "about")
    assert len(own) == len(set(own))
    assert set(_local(root, "resource")) <= set(own)
    works, instances = root.findall(f"{BF}Work"), root.findall(f"{BF}Instance")
    assert all(each.find(f"{BF}title") is not None for each in instances)
    assert len(works) == len(instances)
    return len(works)


def linked_data(raw: bytes) -> int:
    found = [json.loads(line) for line in raw.splitlines()]
    assert all(each["@context"] and each["@type"] and each["name"] for each in found)
    return len(found)


READ_AGAIN: Mapping[str, Callable[[bytes], int]] = {
    "iso2709": read(detect.ISO2709),
    "marcxml": valid("record", schema("marcxml.xsd")),
    "marcjson": read(detect.MARCJSON),
    "mrk": read(detect.MRK),
    "alephseq": read(detect.ALEPHSEQ),
    "dc": valid("dc", schema("oai-dc.xsd")),
    "qdc": valid("qualifieddc", schema("qualifieddc.xsd")),
    "mods": valid("mods", mods_schema()),
    "bibframe": graph,
    "schemaorg": linked_data,
}


def test_every_form_is_tried() -> None:
    assert set(READ_AGAIN) == set(forms.NAMES)
    assert SCHEMAS.is_dir()


@pytest.mark.parametrize("form", sorted(READ_AGAIN))
@pytest.mark.parametrize("relative", FILES)
def test_a_real_file_in_every_form_holds_every_record(relative: str, form: str, tmp_path: Path) -> None:
    source = data.path(relative)
    out, loss = tmp_path / "out", tmp_path / "loss"
    turned = (
        ("--dialect", "marc21") if form == "marcxml" else ()
    )  # as it came a leader may have what XML's schema has not
    code, said = convert(source, "--to", form, "-o", out, "--loss-report", loss, *turned)
    assert code == 0, said
    told = [json.loads(line) for line in loss.read_text("utf-8").splitlines()]
    raw = source.read_bytes()
    assert READ_AGAIN[form](out.read_bytes()) == len(told) == len(reading.read(raw, detect.carrier_of(raw)).reads)
    for line in told:
        counts = {fate: sum(one["fate"] == fate for one in line["fields"]) for fate in ("mapped", "local", "lost")}
        assert counts == {fate: line[fate] for fate in counts}
        assert line["mapped"] > 0
        assert all(one.get("why") for one in line["fields"] if one["fate"] != "mapped")
