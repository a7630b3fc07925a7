"""Fields of one outline by forms: the same comes out as by rows, whatever the values are."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dms.crosswalk import elements, rows
from dms.crosswalk.crossing import Crossed, Crosswalk
from dms.crosswalk.rows import Table
from protocols import iso2709, marc
from protocols.marc import Record
from services.delivery import converting
from services.delivery.converting import Asked
from tests import builders

NAMES = ("mods_cnmarc", "mods_marc21", "bibframe_marc21")


def by_rows(table: Table) -> Crosswalk:
    """A crosswalk that takes nothing by its outline: each part could ask for values."""
    changed = [replace(row, parts=tuple(replace(part, plain=False) for part in row.parts)) for row in table.rows]
    return Crosswalk(replace(table, rows=tuple(changed)))


CROSSWALKS = {name: (Crosswalk(rows.table(name)), by_rows(rows.table(name))) for name in NAMES}

WARM = {name: Crosswalk(rows.table(name)) for name in (*NAMES, "schemaorg_marc21")}


def written(found: Crossed) -> dict[str, list[str]]:
    return {room: [elements.written(each) for each in found.elements(room)] for room in found.rooms}


VALUES = st.one_of(
    st.text(alphabet="ab 中图%s<&>\"'.,/:;=[]\x88\x89\U00020000", max_size=8),
    st.sampled_from(("|||", " ", "#", "1998")),
)
FIELD = st.tuples(
    st.sampled_from(
        (
            "100",
            "102",
            "200",
            "210",
            "215",
            "225",
            "245",
            "260",
            "300",
            "320",
            "330",
            "490",
            "504",
            "606",
            "650",
            "701",
            "801",
        )
    ),
    st.sampled_from(("  ", "1 ", "10", " 0", "|7")),
    st.lists(st.tuples(st.sampled_from("abcdefghvxyA246"), VALUES), min_size=1, max_size=5),
)


@pytest.mark.parametrize("name", NAMES)
@given(told=st.lists(FIELD, min_size=1, max_size=4))
def test_forms_say_what_rows_say(name: str, told: list[tuple[str, str, list[tuple[str, str]]]]) -> None:
    coded = ("008", "000211s1977    cc a     b    001 0 chi d"), ("100", "  \x1fa20000211d1977    em y0chiy0121    ea")
    fields = tuple((tag, marc.field(ind, pairs)) for tag, ind, pairs in told)
    record = Record("00000nam a2200000 a 4500", (*coded[:1], *fields, *coded[1:], ("102", "  \x1faCN\x1fb440000")))
    quick, slow = (crosswalk.record(record) for crosswalk in CROSSWALKS[name])
    assert written(quick) == written(slow)
    assert quick.fates() == slow.fates()


def test_what_goes_into_one_element_with_what_is_no_form_stays() -> None:
    record = builders.a_cnmarc(publisher="上海古籍出版社", place="上海")
    quick, slow = (crosswalk.record(record) for crosswalk in CROSSWALKS["mods_cnmarc"])
    assert written(quick) == written(slow)
    assert "上海古籍出版社" in str(written(quick))


LEADERS = st.tuples(st.sampled_from("aceg "), st.sampled_from("ms "), st.sampled_from("abc")).map(
    lambda each: f"00000n{each[0]}{each[1]} {each[2]}2200000 a 4500"
)


@pytest.mark.parametrize("name", ("mods_marc21", "bibframe_marc21", "schemaorg_marc21"))
@given(leader=LEADERS, coded=st.text(alphabet="01 |abcdeg9s", max_size=40), cut=st.booleans())
def test_what_is_remembered_of_positions_is_what_comes_out_without_memory(
    name: str, leader: str, coded: str, cut: bool
) -> None:
    table = rows.table(name)
    record = Record(leader[:18] if cut else leader, (("006", coded[:18]), ("007", coded[:9]), ("008", coded)))
    warm, fresh = (crosswalk.record(record) for crosswalk in (WARM[name], Crosswalk(table)))
    assert written(warm) == written(fresh)
    assert warm.fates() == fresh.fates()


def test_a_title_goes_by_a_form_and_one_with_a_link_by_rows() -> None:
    table = rows.table("mods_marc21")
    crosswalk = Crosswalk(table)
    assert not crosswalk.field("650", " 0\x1faMaps", "").pieces[0].puts
    assert crosswalk.field("650", " 0\x1f6880-01\x1faMaps", "").pieces[0].puts


@pytest.mark.parametrize("form", ["mods", "schemaorg", "dc"])
def test_a_report_has_values_with_the_marks_of_forms_as_they_are(form: str) -> None:
    record = Record("00000nam0 2200000   450 ", (("001", "a"), ("200", "1 \x1fa5% of %s"), ("905", "  \x1fz%d")))
    made = converting.convert(iso2709.write(record), 0, 1, Asked(carrier="iso2709", form=form, report=True))
    told = msgspec.json.decode(b"{" + made.report[0][1])
    lost = {(each["tag"], each["code"]): each["value"] for each in told["fields"] if each["fate"] == "lost"}
    assert lost["905", "z"] == "%d"
    assert made.fates["lost"] == told["lost"] == len([each for each in told["fields"] if each["fate"] == "lost"])
