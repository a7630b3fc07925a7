"""Our Z39.50 client against servers that speak well, badly or not at all: it never hangs, and never takes too much."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.pair import free_port
from config.errors import Unreachable
from config.secret import Secret
from protocols.http.guard import Forbidden, Rules
from protocols.z3950 import apdu, charsets, client, diagnostics, oids
from protocols.z3950.apdu.close import Close
from protocols.z3950.apdu.init import IdPass, InitRequest
from protocols.z3950.apdu.present import PresentRequest, Segment
from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, RpnQuery
from protocols.z3950.apdu.search import SearchRequest
from protocols.z3950.client import Diagnosed, How, Nonsense, NotAdmitted, Wish
from tests import builders, doors, targets
from tests.targets import Handler, a_record, found, library, presented, serving, speaking, welcome

PATIENCE = 30.0  # seconds after which it hangs
QUERY = RpnQuery(
    attribute_set=oids.BIB_1,
    rpn=AttributesPlusTerm(attributes=(AttributeElement(attribute_type=1, attribute_value=4),), term=b"mineral"),
)
MARC = Wish(syntax=oids.USMARC, elements="F")
RAW = [builders.iso2709(builders.a_marc21(title=f"Minerals {n}", local_id=f"m{n}")) for n in range(12)]


def how(port: int, **more: object) -> How:
    return How(name="elsewhere", host="127.0.0.1", port=port, rules=Rules(), seconds=5, **more)  # type: ignore[arg-type]


async def test_records_of_the_foreign_test_server() -> None:
    with targets.ztest() as port:
        who = client.id_pass("user", "group", Secret("secret"))
        async with client.session(how(port, authentication=who)) as target:
            assert target.accepted is not None
            result = await target.search(QUERY, ("Default",), records=3, wish=MARC)
            assert len(result.records) == 3 <= result.hits
            later = await target.present(2, 2, MARC)
            assert later == result.records[1:]
            with pytest.raises(Diagnosed) as said:
                await target.search(QUERY, ("nowhere",))
            assert (said.value.number, said.value.addinfo) == (diagnostics.Bib1.DATABASE_UNAVAILABLE, "nowhere")
            assert "elsewhere" in str(said.value)
            assert target.usable


async def test_records_of_zebra_come_as_they_were_indexed(tmp_path: Path) -> None:
    with targets.zebra(tmp_path, b"".join(RAW)) as port:
        async with client.session(how(port)) as target:
            result = await target.search(QUERY, ("Default",))
            assert (result.hits, result.records) == (0, ())
            minerals = RpnQuery(
                attribute_set=oids.BIB_1,
                rpn=AttributesPlusTerm(
                    attributes=(AttributeElement(attribute_type=1, attribute_value=4),), term=b"minerals"
                ),
            )
            result = await target.search(minerals, ("Default",))
            assert result.hits == len(RAW)
            sent = await target.present(1, len(RAW), MARC)
            assert sorted(each.record.encoding.partition(b"\x1e")[2] for each in sent) == sorted(  # type: ignore[union-attr]
                raw.partition(b"\x1e")[2] for raw in RAW
            )


async def test_a_segmented_answer_is_one_answer() -> None:
    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, PresentRequest):
            parts = [a_record(raw) for raw in RAW[:5]]
            segments = [Segment(number_of_records_returned=2, segment_records=tuple(parts[n : n + 2])) for n in (0, 2)]
            return [*segments, presented((parts[4],))]
        return library(RAW)(request)

    async with serving(speaking(answer)) as port, client.session(how(port)) as target:
        assert len(await target.present(1, 5, MARC)) == 5


async def test_who_asks_is_told_in_the_form_that_the_target_wants() -> None:
    told: list[object] = []

    def answer(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        assert isinstance(request, InitRequest | Close)
        if isinstance(request, InitRequest):
            told.append(request.id_authentication)
            told.append(charsets.proposed(request.other_info))
            return [welcome(request, accepted=request.id_authentication is not None)]
        return []

    async with serving(speaking(answer)) as port:
        secret = Secret("pass")
        for who in (client.open_form("wang", secret), client.id_pass("wang", "", secret)):
            async with client.session(how(port, authentication=who, negotiation=charsets.propose(["utf-8"]))):
                pass
        with pytest.raises(NotAdmitted, match="elsewhere does not let us in"):
            await client.opened(how(port))
    assert told[::2] == ["wang/pass", IdPass(user_id="wang", password="pass"), None]
    assert told[1] == charsets.Proposed(charsets=("utf-8",))


def test_a_password_shows_nowhere() -> None:
    assert "horse" not in repr(how(1, authentication=client.id_pass("wang", "", Secret("horse"))))


# ---- targets that do not keep to anything


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Goes away in the middle of an answer."""
    await reader.read(100)
    writer.write(b"\xb5\x82\x01\x00\x83\x02")
    await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on, an octet at a time."""
    writer.write(b"\xb5\x83\x0f\x00\x00")
    while True:
        writer.write(b"\x00")
        await writer.drain()
        await asyncio.sleep(0.02)


async def nested(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Values of indefinite length without end."""
    while True:
        writer.write(b"\xb5\x80\x30\x80" * 4096)
        await writer.drain()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer of a terabyte, as fast as it is taken."""
    writer.write(b"\xb5\x86\x01\x00\x00\x00\x00\x00")
    while True:
        writer.write(bytes(1 << 16))
        await writer.drain()


async def growing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer of indefinite length that never ends."""
    writer.write(b"\xb5\x80")
    while True:
        writer.write(b"\x04\x82\x10\x00" + bytes(4096))
        await writer.drain()


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


def _other(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
    return [found(1)]


def _ending(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
    return [Close(close_reason=1, diagnostic_information="closed for\x1b[31m today")]


def _request(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
    return [request]


HOSTILE: dict[str, Handler] = {
    "silent": silent, "closing": closing, "cutting": cutting, "dripping": dripping, "nested": nested,
    "endless": endless, "growing": growing, "http": http, "other": speaking(_other), "ending": speaking(_ending),
    "request": speaking(_request),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_target_hangs_or_fills_us_at_init(name: str) -> None:
    async with serving(HOSTILE[name]) as port:
        tracemalloc.start()
        try:
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(Unreachable, match=r"elsewhere|127\.0\.0\.1") as error:
                    await client.opened(How(name="elsewhere", host="127.0.0.1", port=port, rules=Rules(), seconds=0.5))
            assert tracemalloc.get_traced_memory()[1] < 4 * client.ANSWERS.octets
        finally:
            tracemalloc.stop()
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_target_hangs_or_fills_us_in_a_session(name: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = await reader.readuntil(b"Tianlu")
        assert raw
        writer.write(apdu.encode(welcome(InitRequest(
            protocol_version=frozenset({0}), options=frozenset(), preferred_message_size=1, exceptional_record_size=1
        ))))  # fmt: skip
        await writer.drain()
        await HOSTILE[name](reader, writer)

    async with serving(handle) as port:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(Unreachable):
                target = await client.opened(
                    How(name="elsewhere", host="127.0.0.1", port=port, rules=Rules(), seconds=0.5)
                )
                try:
                    await target.present(1, 1, MARC)
                finally:
                    assert not target.usable
                    await target.close()


async def test_segments_without_end_are_cut_off() -> None:
    def babbling(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        if isinstance(request, PresentRequest):
            one = Segment(number_of_records_returned=1, segment_records=(a_record(RAW[0]),))
            return [one] * (client.MOST_SEGMENTS + 1)
        return library(RAW)(request)

    async with serving(speaking(babbling)) as port:
        target = await client.opened(how(port))
        with pytest.raises(Nonsense, match="segments"):
            await target.present(1, 1, MARC)
        await target.close()


async def test_more_records_than_were_asked_for_are_not_taken() -> None:
    def generous(request: apdu.Apdu) -> Sequence[apdu.Apdu | bytes]:
        every = tuple(map(a_record, RAW))
        if isinstance(request, PresentRequest):
            return [presented(every)]
        return [found(-1, every)] if isinstance(request, SearchRequest) else library(RAW)(request)

    async with serving(speaking(generous)) as port, client.session(how(port)) as target:
        assert len(await target.present(1, 3, MARC)) == 3
        result = await target.search(QUERY, ("Default",), records=2, wish=MARC)
        assert (result.hits, len(result.records)) == (0, 2)


async def test_an_operation_that_was_given_up_leaves_a_connection_that_nobody_uses() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await speaking(lambda request: [welcome(request)] if isinstance(request, InitRequest) else [])(reader, writer)

    async with serving(late) as port:
        target = await client.opened(how(port))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await target.search(QUERY, ("Default",))
        assert not target.usable
        await target.close()


async def test_every_answer_of_one_octet_at_a_time_is_understood() -> None:
    answers = library(RAW)

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_client = speaking(lambda request: [bytes((octet,)) for each in answers(request) for octet in
                                                apdu.encode(each)])  # type: ignore[arg-type] # fmt: skip
        await from_client(reader, writer)

    async with serving(slowly) as port, client.session(how(port)) as target:
        assert (await target.search(QUERY, ("Default",))).hits == len(RAW)


# ---- where connections go


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "::", "fe80::1"])
async def test_what_no_operator_means_is_never_connected_to(host: str) -> None:
    with pytest.raises(Forbidden):
        await client.opened(How(name="elsewhere", host=host, port=210, rules=Rules()))


async def test_nobody_there_is_told_in_words() -> None:
    with pytest.raises(Unreachable, match="doesn't answer"):
        await client.opened(how(free_port()))


async def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = doors.certified(tmp_path, monkeypatch)
    monkeypatch.setattr(socket, "getaddrinfo", _at_home(socket.getaddrinfo))
    trusted = ssl.create_default_context(cafile=tmp_path / "secure.pem")
    handler = speaking(library(RAW))
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        told = How(name="secure", host="secure.test", port=port, rules=Rules(), tls=True, seconds=5)
        with pytest.raises(Unreachable, match=r"TLS: self.signed"):
            await client.opened(told)
        monkeypatch.setattr("protocols.http.connect._trusted", lambda: trusted)
        async with client.session(told) as target:
            assert (await target.search(QUERY, ("Default",))).hits == len(RAW)
        other = How(name="secure", host="other.test", port=port, rules=Rules(), tls=True, seconds=5)
        with pytest.raises(Unreachable, match="TLS: "):
            await client.opened(other)
    finally:
        server.close()
        with contextlib.suppress(OSError):
            await server.wait_closed()


def _at_home(real: object) -> object:
    def fake(host: str, *more: object, **named: object) -> object:
        return real("127.0.0.1" if str(host).endswith(".test") else host, *more, **named)  # type: ignore[operator]

    return fake
