"""A line to a target, by its profile: in its character set, one database a query, with what it has for operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from config import sentences
from config.errors import Refused
from config.secret import Secret
from dms.rules.model import Profile as Rules
from protocols.http.guard import Rules as Ways
from protocols.query import Index, Or, Term
from protocols.z3950 import apdu, charsets, diagnostics
from protocols.z3950.apdu.init import IdPass, InitRequest
from protocols.z3950.apdu.query import AttributesPlusTerm, Rpn, RpnOperation, Type1
from protocols.z3950.apdu.search import SearchRequest, SearchResponse
from protocols.z3950.diagnostics import Bib1
from services.copying import candidates, lines, queries, z3950
from services.copying.asking import Answer
from services.copying.candidates import Judge
from tests import builders, targets
from tests.targets import Answer as Speaks
from tests.targets import found, library, serving, speaking, welcome

BOOK = builders.a_cnmarc(title="镕基讲话", isbn=builders.isbn13(1))


async def ask(speaks: Speaks, query: object, *, password: str = "", most: int = 5, **profile: object) -> Answer:
    async def secret(_target: object) -> Secret:
        return Secret(password)

    async with serving(speaking(speaks)) as port, lines.of(z3950.opener(Ways(), secret)) as kept:
        return await kept.ask(targets.a_target("lib", port=port, **profile), query, most, within=20)  # type: ignore[arg-type]


def terms(rpn: Rpn) -> list[bytes]:
    if isinstance(rpn, RpnOperation):
        return terms(rpn.rpn1) + terms(rpn.rpn2)
    assert isinstance(rpn, AttributesPlusTerm)
    assert isinstance(rpn.term, bytes)
    return [rpn.term]


def attributes(rpn: Rpn) -> list[tuple[int, object]]:
    assert isinstance(rpn, AttributesPlusTerm)
    return [(each.attribute_type, each.attribute_value) for each in rpn.attributes]


def refusing(number: int) -> SearchResponse:
    return SearchResponse(
        result_count=0,
        number_of_records_returned=0,
        next_result_set_position=0,
        search_status=False,
        records=diagnostics.diagnostic(number, "there"),
    )


async def test_a_target_in_gbk_is_asked_and_read_in_gbk() -> None:
    asked: list[SearchRequest] = []
    record = builders.iso2709(BOOK, encoding="gb18030")

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, SearchRequest):
            asked.append(request)
        return library([record])(request)

    got = await ask(answer, Term(index="title", text="镕基"), terms="gbk", records="gb18030", negotiates=False)
    (one,) = asked
    assert isinstance(one.query, Type1)
    assert terms(one.query.query.rpn) == ["镕基".encode("gbk")]
    target = targets.a_target("lib", records="gb18030")
    ((read,), _) = candidates.read(target, got.found, Judge(Rules()))
    assert "镕基讲话" in (read.record.first("200") or "")


async def test_what_the_targets_characters_lack_is_not_asked_for_as_something_else() -> None:
    asked: list[SearchRequest] = []

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, SearchRequest):
            asked.append(request)
        return library([])(request)

    with pytest.raises(Refused, match=r"镕基.*latin-1"):
        await ask(answer, Term(index="title", text="镕基"), terms="latin-1", negotiates=False)
    assert asked == []


async def test_what_is_agreed_on_counts_more_than_what_was_told() -> None:
    asked: list[bytes] = []

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, InitRequest):
            assert charsets.proposed(request.other_info) == charsets.Proposed(charsets=("utf-8", "gbk"))
            return [apdu.InitResponse(
                protocol_version=request.protocol_version, options=request.options, preferred_message_size=1 << 20,
                exceptional_record_size=1 << 20, result=True, other_info=(charsets.answer("utf-8"),),
            )]  # fmt: skip
        if isinstance(request, SearchRequest):
            assert isinstance(request.query, Type1)
            asked.extend(terms(request.query.query.rpn))
        return library([])(request)

    await ask(answer, Term(index="title", text="镕基"), terms="gbk")
    assert asked == ["镕基".encode()]


async def test_databases_are_asked_one_by_one_where_a_target_wants_that() -> None:
    asked: list[tuple[str, ...]] = []
    records = [builders.iso2709(BOOK)] * 3

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, SearchRequest):
            asked.append(request.database_names)
        return library(records)(request)

    whole = await ask(answer, Term(text="x"), databases=("a", "b"), most=5)
    assert (asked, whole.hits) == ([("a", "b")], 3)
    asked.clear()
    apart = await ask(answer, Term(text="x"), databases=("a", "b", "c"), apart=True, most=5)
    assert (asked, apart.hits, len(apart.found)) == ([("a",), ("b",)], 6, 5)


def without_operators(searched: Callable[[Rpn], apdu.Apdu | None]) -> Speaks:
    """A target that refuses operators and has one book; `searched` may answer a search in its place."""

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, SearchRequest):
            assert isinstance(request.query, Type1)
            rpn = request.query.query.rpn
            if (said := refusing(Bib1.OPERATOR) if isinstance(rpn, RpnOperation) else searched(rpn)) is not None:
                return [said]
        return library([builders.iso2709(BOOK)])(request)

    return answer


async def test_a_target_without_operators_is_asked_for_one_after_the_other() -> None:
    asked: list[bytes] = []

    @without_operators
    def answer(rpn: Rpn) -> apdu.Apdu | None:
        asked.extend(terms(rpn))
        return found(0) if len(asked) < 3 else None

    query = queries.of_isbn(int(builders.isbn13(1))).query
    assert isinstance(query, Or)
    assert len((await ask(answer, query)).found) == 1
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("most", "other", "asked_for", "note"),
    [(5, "title", 2, z3950.EACH_APART), (1, "title", 1, z3950.FIRST_ONLY), (5, "control", 1, z3950.FIRST_ONLY)],
)
async def test_alternatives_are_not_left_out_in_silence(most: int, other: Index, asked_for: int, note: str) -> None:
    asked: list[bytes] = []

    @without_operators
    def answer(rpn: Rpn) -> apdu.Apdu | None:
        if (1, 12) in attributes(rpn):
            return refusing(Bib1.USE_ATTRIBUTE)
        asked.extend(terms(rpn))
        return None

    came = await ask(answer, Or(Term(index="title", text="jia"), Term(index=other, text="chun")), most=most)
    assert (len(came.found), came.hits, came.notes) == (asked_for, asked_for, (note,))
    assert asked == [b"jia", b"chun"][:asked_for]
    assert sentences.told(f"nlc {note}", "zh").startswith("nlc 不支持布尔运算")


async def test_what_a_target_wants_for_an_index_is_sent() -> None:
    asked: list[list[tuple[int, object]]] = []

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, SearchRequest):
            assert isinstance(request.query, Type1)
            assert isinstance(request.query.query.rpn, AttributesPlusTerm)
            rpn = request.query.query.rpn
            asked.append([(each.attribute_type, each.attribute_value) for each in rpn.attributes])
        return library([])(request)

    isbn = Term(index="isbn", text="1", structure="exact")
    await ask(answer, isbn)
    await ask(answer, isbn, attributes={"isbn": "1=1007 4=1"})
    assert asked == [[(1, 7)], [(1, 1007), (4, 1)]]


async def test_the_password_goes_to_the_target_and_nowhere_else() -> None:
    told: list[object] = []

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, InitRequest):
            told.append(request.id_authentication)
            return [welcome(request, accepted=False)]
        return []

    with pytest.raises(Refused) as error:
        await ask(answer, Term(text="x"), auth="idpass", user="wang", group="g", password="horse")
    assert told == [IdPass(group_id="g", user_id="wang", password="horse")]
    assert "horse" not in str(error.value)
