"""The OAI-PMH provider: arguments, tokens and answers as values, without a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from protocols.oaipmh import provider, tokens, wire
from protocols.oaipmh.provider import GetRecord, Identify, ListFormats, Listing, ListSets, OaiError

KEY = b"a key of these tests"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FORMATS = ("oai_dc", "marcxml")
OAI = f"{{{wire.NAMESPACE}}}"


def parse(*pairs: tuple[str, str], now: datetime = NOW) -> provider.Request:
    return provider.parse(list(pairs), formats=FORMATS, key=KEY, now=now)


def asked(text: str) -> provider.Request:
    """Arguments written as in an address."""
    return parse(*((name, value) for name, _, value in (each.partition("=") for each in text.split("&") if each)))


def code_of(text: str) -> str:
    with pytest.raises(OaiError) as refused:
        asked(text)
    return refused.value.oai


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("verb=Identify", Identify()),
        ("verb=ListSets", ListSets()),
        ("verb=ListMetadataFormats", ListFormats()),
        ("verb=ListMetadataFormats&identifier=oai:x.y:1", ListFormats(identifier="oai:x.y:1")),
        ("verb=GetRecord&identifier=a&metadataPrefix=oai_dc", GetRecord(identifier="a", prefix="oai_dc")),
    ],
)
def test_a_request_becomes_a_value(arguments: str, wanted: provider.Request) -> None:
    assert asked(arguments) == wanted


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("", "badVerb"),
        ("verb=junk", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&identifier=a", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&identifier=a", "badArgument"),
        ("verb=GetRecord&identifier=&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&identifier=a&metadataPrefix=junk", "cannotDisseminateFormat"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListIdentifiers&from=2026-01-01", "badArgument"),
        ("verb=ListIdentifiers&metadataPrefix=junk", "cannotDisseminateFormat"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=junk", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=junk", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01T00:00:00", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-02T00:00:00Z", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=%2F", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&junk=1", "badArgument"),
        ("verb=ListRecords&resumptionToken=junk", "badResumptionToken"),
        ("verb=ListIdentifiers&resumptionToken=junk&until=2026-01-01", "badArgument"),
        ("verb=ListRecords&resumptionToken=junk&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListSets&resumptionToken=junk", "badResumptionToken"),
    ],
)
def test_a_wrong_request_gets_its_code(arguments: str, code: str) -> None:
    assert code_of(arguments) == code


def test_an_until_reaches_the_last_microsecond_that_carries_its_datestamp() -> None:
    second = asked("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02T03:04:05Z&until=2026-01-02T03:04:05Z")
    day = asked("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-02")
    assert isinstance(second, Listing) and isinstance(day, Listing)
    assert second.since == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert second.until == datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
    assert day.until == datetime(2026, 1, 2, 23, 59, 59, 999_999, tzinfo=UTC)


def a_place(**given: object) -> tokens.Place:
    values: dict[str, object] = {"verb": "ListRecords", "prefix": "oai_dc", "at": NOW, "number": 7, "cursor": 500}
    return tokens.Place(**(values | given))  # type: ignore[arg-type]


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(at=MOMENTS, since=st.none() | MOMENTS, until=st.none() | MOMENTS, number=st.integers(0, 2**63 - 1))
def test_a_token_gives_back_its_place_to_the_microsecond(
    at: datetime, since: datetime | None, until: datetime | None, number: int
) -> None:
    place = a_place(at=at, since=since, until=until, number=number, spec="CN-TJU")
    assert tokens.read(tokens.mint(place, key=KEY, now=NOW), key=KEY, now=NOW) == place


def test_a_token_may_be_used_again_for_24_hours_and_then_dies() -> None:
    token = tokens.mint(a_place(), key=KEY, now=NOW)
    assert tokens.read(token, key=KEY, now=NOW + timedelta(hours=23, minutes=59)) == a_place()
    with pytest.raises(tokens.BadToken, match="expired"):
        tokens.read(token, key=KEY, now=NOW + timedelta(hours=24, seconds=1))


@given(st.data())
def test_no_altered_token_is_read(data: st.DataObject) -> None:
    token = tokens.mint(a_place(), key=KEY, now=NOW)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[at]))
    with pytest.raises(tokens.BadToken):
        tokens.read(token[:at] + other + token[at + 1 :], key=KEY, now=NOW)


def test_a_token_signed_with_another_key_is_refused() -> None:
    with pytest.raises(tokens.BadToken):
        tokens.read(tokens.mint(a_place(), key=b"another", now=NOW), key=KEY, now=NOW)


def test_a_token_goes_on_with_its_own_verb_only() -> None:
    token = tokens.mint(a_place(since=NOW, spec="A"), key=KEY, now=NOW)
    wanted = asked(f"verb=ListRecords&resumptionToken={token}")
    assert wanted == Listing(
        verb="ListRecords", prefix="oai_dc", since=NOW, until=None, spec="A", after=(NOW, 7), cursor=500
    )
    assert code_of(f"verb=ListIdentifiers&resumptionToken={token}") == "badResumptionToken"


@given(st.text())
def test_whatever_is_in_a_value_the_answer_is_well_formed(text: str) -> None:
    item = wire.Item(identifier=text, datestamp=NOW, specs=(text,))
    body = wire.listing("ListIdentifiers", [item], token=text, expires=NOW, cursor=0)
    answer = wire.response(base_url=text, at=NOW, arguments=[("identifier", text)], body=body + wire.error("x", text))
    root = etree.fromstring(answer.encode())
    # XML turns line ends into blanks in attributes and drops what it can't carry; nothing else may be lost.
    kept = wire._ILLEGAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    assert (root.findtext(f"{OAI}error") or "") == kept


def test_a_deleted_record_has_a_header_and_no_metadata() -> None:
    item = wire.Item(identifier="oai:x.y:1", datestamp=NOW, deleted=True, metadata="<never/>")
    record = etree.fromstring(wire.record(item))
    assert [child.tag for child in record] == ["header"]
    assert record[0].get("status") == "deleted"


def test_only_a_list_of_several_pages_has_tokens_and_its_last_one_is_empty() -> None:
    def token(minted: str, cursor: int) -> etree._Element | None:
        return etree.fromstring(wire.listing("ListIdentifiers", [], token=minted, expires=NOW, cursor=cursor)).find(
            "resumptionToken"
        )

    first, last = token("abc", 0), token("", 500)
    assert token("", 0) is None
    assert first is not None and first.text == "abc" and first.get("cursor") == "0"
    assert last is not None and not last.text and last.get("cursor") == "500"


def test_refusals_of_verb_and_arguments_repeat_no_argument() -> None:
    pairs = [("verb", "junk")]
    assert provider.shown(pairs, OaiError("badVerb", "")) == []
    assert provider.shown(pairs, OaiError("badArgument", "")) == []
    assert provider.shown(pairs, OaiError("noRecordsMatch", "")) == pairs
