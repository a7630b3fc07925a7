"""Nodes meet over real sockets: join by code, speak signed, and are cut off within a second."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from catalog import peers
from config.errors import BadRecord, Refused, Retry, Unreachable
from exchange import greeting, keys, signing
from exchange import peer as talking
from exchange.greeting import Fault, Hello
from exchange.peer import Barred, Client, Impostor
from node.web import exchange_door, trust
from node.web.exchange_door import Caller
from node.web.openapi import Route
from protocols.signatures import sign
from protocols.signatures.message import Request
from services.access.policy import OF_NODES
from tests import network
from tests.network import Stand
from tests.postgres import Postgres

DAY = 24 * 3600.0
AT_ONCE = 1.0  # seconds in which a suspension must hold
Changed = Callable[[Stand], Awaitable[None]]


async def wait(_request: web.Request, caller: Caller) -> web.Response:
    """A long-poll that nothing ever ends but the peer's being barred."""
    await caller.while_trusted(asyncio.Event().wait())
    raise AssertionError("the event is never set")


async def echo(_request: web.Request, caller: Caller) -> web.Response:
    return web.Response(body=caller.body, headers={"ETag": '"e"', "Upload-Offset": str(len(caller.body))})


async def fault(_request: web.Request, _caller: Caller) -> web.Response:
    raise ZeroDivisionError("a secret of ours")


async def nothing(_request: web.Request, _caller: Caller) -> web.Response:
    return web.Response(status=204, headers={"ETag": '"none"'})


ROUTES = tuple(
    Route(
        path=f"/x/test/{handler.__name__}",
        handler=exchange_door.signed(handler),
        summary="-",
        allow=OF_NODES,
        methods=methods,
    )
    for handler, methods in (
        (wait, ("POST",)),
        (echo, ("POST", "PATCH", "GET", "HEAD")),
        (fault, ("POST",)),
        (nothing, ("GET",)),
    )
)


@pytest_asyncio.fixture
async def centre(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "CENTRE", tier="central", routes=ROUTES, name="国家中心") as stand:
        yield stand


@pytest_asyncio.fixture
async def local(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "TJU", name="天津大学图书馆") as stand:
        yield stand


# What comes without a right


async def test_unsigned_request_is_refused(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    for path in ("/x/hello", "/x/join", "/x/test/echo"):
        async with local.session.post(centre.address.rstrip("/") + path, data=b"x") as got:
            assert got.status == 401
            assert greeting.decode(await got.read(), Fault).code == "bad-signature"


async def test_stranger_is_refused(server: Postgres, centre: Stand, local: Stand) -> None:
    client = Client(out=local.out, keyring=local.keyring, me="TJU", known=network.known(centre))
    with pytest.raises(Refused, match="has not joined"):
        await talking.hello(client, Hello())
    await network.joined(local, centre)
    own = Client(out=centre.out, keyring=centre.keyring, me="CENTRE", known=network.known(local))
    with pytest.raises(Refused, match="is a parent of TJU"):
        await talking.hello(own, Hello())


def signed(local: Stand, centre: Stand, body: bytes, path: str = "/x/test/echo", to: str = "CENTRE") -> Request:
    key = local.keyring.key()
    return sign.request(
        signing.signer(key, "TJU", to),
        Request(method="POST", target=centre.address.rstrip("/") + path, headers={"content-type": greeting.MEDIA}),
        body,
        now=int(time.time()),
        nonce=token_hex(12),
        more=("content-type",),
    )


async def post(local: Stand, request: Request, body: object) -> tuple[int, Fault]:
    async with local.session.post(request.target, data=body, headers=request.headers) as got:
        content = await got.read()
        return got.status, greeting.decode(content, Fault) if got.status != 200 else Fault(code="")


async def test_request_is_heard_once_unchanged_and_by_whom_it_is_for(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    request = signed(local, centre, b"hello")
    assert (await post(local, request, b"hello"))[0] == 200
    status, told = await post(local, request, b"hello")
    assert (status, told.code) == (401, "replayed")
    status, told = await post(local, signed(local, centre, b"hello"), b"hullo")
    assert (status, told.code) == (422, "bad-digest")
    status, told = await post(local, signed(local, centre, b"hello", to="PKU"), b"hello")
    assert (status, told.code) == (401, "bad-signature")
    moved = dataclasses.replace(request, target=request.target.replace("echo", "wait"))
    status, told = await post(local, moved, b"hello")
    assert (status, told.code) == (401, "bad-signature")


async def test_nonces_are_forgotten_when_their_signatures_have_run_out(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:
        for _ in range(3):
            await talking.hello(client, Hello())
        async with centre.database.connection() as conn:
            assert await conn.fetchval("select count(*) from nonce") == 3
        centre.offset = local.offset = 10 * 60
        await talking.hello(client, Hello())
        async with centre.database.connection() as conn:
            assert await conn.fetchval("select count(*) from nonce") == 1


async def test_body_has_a_limit_and_is_read_of_known_nodes_only(
    centre: Stand, local: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.joined(local, centre)
    body = bytes(talking.MOST)
    async with local.client("CENTRE") as client:
        got = await client.send("PATCH", "/x/test/echo", body)
        assert (got.status, got.body) == (200, body)
        assert (got.headers["upload-offset"], got.headers["etag"]) == (str(len(body)), '"e"')

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 16)

    status, told = await post(local, signed(local, centre, b""), endless())
    assert (status, told.code) == (413, "too-large")
    stranger = dataclasses.replace(signed(local, centre, b""), headers={})
    status, told = await post(local, stranger, endless())
    assert status == 401
    status, told = await post(
        local,
        dataclasses.replace(r := signed(local, centre, b""), headers=r.headers | {"content-encoding": "gzip"}),
        b"",
    )
    assert status == 415
    monkeypatch.setattr(exchange_door, "STALLED", 0.1)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(60)

    began = time.monotonic()
    status, told = await post(local, signed(local, centre, b"ab"), stalled())
    assert status == 503
    assert time.monotonic() - began < 10


async def test_what_was_damaged_on_its_way_is_tried_again(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:

        def meant(status: int, code: str) -> object:
            body = greeting.encode(Fault(code=code))
            return type(client.refusal(talking.Answer(status=status, headers={}, body=body)))

        assert {meant(401, code) for code in ("bad-signature", "bad-field", "bad-message", "skew")} == {Retry}
        assert {meant(401, "unknown-key"), meant(403, "refused"), meant(401, "unknown-suite")} == {Refused}
        # A request that went twice, because its connection broke, is signed anew.
        nonces = iter(["n" * 24, "n" * 24, "m" * 24])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("exchange.peer.secrets.token_urlsafe", lambda _size: next(nonces))
            for _ in range(2):
                await talking.hello(client, Hello())
        assert next(nonces, None) is None


@contextlib.asynccontextmanager
async def proxying(seen: list[str]) -> AsyncIterator[str]:
    """An HTTP proxy: takes requests in absolute form, and passes them on in the usual one (RFC 9112, 3.2.2)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, target, version = line.split(b" ")
        seen.append(target.decode())
        host, _, path = target.removeprefix(b"http://").partition(b"/")
        name, _, port = host.decode().partition(":")
        there, towards = await asyncio.open_connection(name, int(port))
        towards.write(b"%b /%b %b\r\n%b" % (method, path, version, rest))

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while chunk := await source.read(1 << 16):
                sink.write(chunk)
                await sink.drain()

        back = asyncio.create_task(copy(there, writer))
        await copy(reader, towards)
        towards.close()
        await back
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_child_goes_through_the_proxy_that_is_set_and_no_other(
    centre: Stand, local: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    await network.joined(local, centre)
    seen: list[str] = []
    async with proxying(seen) as proxy:
        async with local.client("CENTRE") as client:
            await talking.hello(client, Hello())
        assert seen == []
        async with local.client("CENTRE", proxy) as client:
            await talking.hello(client, Hello())
        assert seen == [f"{centre.address}x/hello"]


# Suspending


@contextlib.asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize("state", ["suspended", "revoked"])
async def test_barred_peer_is_refused_at_once_and_told_why(centre: Stand, local: Stand, state: peers.State) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:
        await talking.hello(client, Hello())
        await centre.set_state("TJU", state)
        async with within(AT_ONCE):
            with pytest.raises(Barred, match=f"CENTRE has {state} TJU"):
                await talking.hello(client, Hello())
        await centre.set_state("TJU", "active")
        await talking.hello(client, Hello())


@pytest.mark.parametrize("state", ["suspended", "revoked"])
async def test_long_poll_of_a_barred_peer_ends_within_a_second(
    server: Postgres, centre: Stand, local: Stand, state: peers.State
) -> None:
    await network.joined(local, centre)
    async with (
        network.standing(server, "PKU") as other,
        local.client("CENTRE") as client,
    ):
        await network.joined(other, centre)
        async with other.client("CENTRE") as staying:
            ending = [asyncio.create_task(client.send("POST", "/x/test/wait")) for _ in range(3)]
            going_on = asyncio.create_task(staying.send("POST", "/x/test/wait"))
            await asyncio.sleep(2 * trust.LOOK)  # they wait at the parent: nothing announces it
            assert not any(each.done() for each in ending)
            await centre.set_state("TJU", state)
            async with within(AT_ONCE):
                answers = await asyncio.gather(*ending)
            assert {(each.status, greeting.decode(each.body, Fault).code) for each in answers} == {(403, state)}
            assert not going_on.done()
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)


async def test_node_that_stops_keeps_nobody_waiting(server: Postgres, local: Stand) -> None:
    async with network.standing(server, "CENTRE", tier="central", routes=ROUTES) as stopping:
        await network.joined(local, stopping)
        async with local.client("CENTRE") as client:
            waiting = asyncio.create_task(client.send("POST", "/x/test/wait"))
            await asyncio.sleep(2 * trust.LOOK)
            assert not waiting.done()
            await stopping.stop()
            async with within(AT_ONCE):
                answer = await waiting
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert isinstance(client.refusal(answer), Retry)


async def test_request_that_is_still_being_sent_ends_within_a_second(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await goes_on.wait()
        yield b"b"

    sending = asyncio.create_task(post(local, signed(local, centre, b"ab"), slow()))
    await asyncio.sleep(2 * trust.LOOK)
    assert not sending.done()
    await centre.set_state("TJU", "suspended")
    async with within(AT_ONCE):
        status, told = await sending
    assert (status, told.code) == (403, "suspended")


async def test_nobody_looks_after_peers_when_nobody_waits(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:
        await talking.hello(client, Hello())
    await asyncio.sleep(2 * trust.LOOK)
    assert centre.door.watch.idle


# Clocks


@pytest.mark.parametrize("hours", [25, -25])
async def test_wrong_clock_is_measured_and_warned_of(
    centre: Stand, local: Stand, caplog: pytest.LogCaptureFixture, hours: int
) -> None:
    await network.joined(local, centre)
    local.offset = hours * 3600
    async with local.client("CENTRE") as client:
        with caplog.at_level(logging.WARNING, logger="exchange.peer"):
            await talking.hello(client, Hello())
        assert "set the clocks right" in caplog.text
        assert client.ahead == pytest.approx(-hours * 3600, abs=30)
        assert client.skew == pytest.approx(-hours * 3600, abs=30)
        local.offset = 0  # somebody has set the clock: the old measure is wrong now
        await talking.hello(client, Hello())
        assert client.ahead == pytest.approx(0, abs=30)


# Keys


async def test_new_key_of_a_child_is_learnt_and_the_old_one_holds_for_a_week(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    old = local.keyring.key()
    (local.home / "old.key").write_bytes(local.keyring.path.read_bytes())
    new = local.keyring.change("TJU")
    assert new.public != old.public
    async with local.client("CENTRE") as client:
        await talking.hello(client, Hello())
    child = await centre.peer("TJU")
    assert (child.key, child.former) == (new.public, old.public)
    async with local.client("CENTRE") as client:
        client.keyring = keys.Keyring(local.home / "old.key")  # e.g. a process that was asleep
        await talking.hello(client, Hello())
        async with centre.database.transaction() as conn:
            left = await conn.fetchval("select extract(epoch from former_until - now()) from peer")
            assert float(left) == pytest.approx(7 * DAY, abs=60)
            await conn.execute("update peer set former_until = now()")
        with pytest.raises(Refused, match="another key"):
            await talking.hello(client, Hello())


async def test_new_key_of_a_parent_is_learnt_even_after_several_changes(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    for _ in range(3):
        new = centre.keyring.change("CENTRE")
    async with local.client("CENTRE") as client:
        await talking.hello(client, Hello())
        assert (await local.peer("CENTRE")).key == new.public
        await talking.hello(client, Hello())


async def test_stolen_name_gets_nowhere(centre: Stand, local: Stand) -> None:
    """A key that the known one didn't name, in either direction."""
    await network.joined(local, centre)
    thief = keys.Keyring(local.home / "thief.key")
    thief.change("TJU")  # it may announce what it wants
    async with local.client("CENTRE") as client:
        own, client.keyring = client.keyring, thief
        with pytest.raises(Refused, match="another key"):
            await talking.hello(client, Hello())
        client.keyring = own
        centre.keyring.path.unlink()
        with pytest.raises(Impostor):
            await talking.hello(client, Hello())
    assert (await centre.peer("TJU")).key == own.key().public


async def test_revoked_peer_names_no_heir(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    before = (await centre.peer("TJU")).key
    local.keyring.change("TJU")
    await centre.set_state("TJU", "revoked")
    async with local.client("CENTRE") as client:
        with pytest.raises(Barred):
            await talking.hello(client, Hello())
    assert (await centre.peer("TJU")).key == before


# Answers


@contextlib.asynccontextmanager
async def between(centre: Stand, change: Callable[[web.Response], web.StreamResponse]) -> AsyncIterator[str]:
    """Somebody on the way who passes requests on and changes the answers."""

    async def passed(request: web.Request) -> web.StreamResponse:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                centre.address.rstrip("/") + request.raw_path,
                data=await request.read(),
                headers=[*request.headers.items()],
            ) as got,
        ):
            kept = {
                name: value
                for name, value in got.headers.items()
                if name not in ("Content-Length", "Transfer-Encoding", "Date", "Server")
            }
            return change(web.Response(status=got.status, body=await got.read(), headers=kept))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", passed)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


ORDINARY = greeting.encode(greeting.Greeted(proto=1))
ANSWERS: dict[str, Callable[[web.Response], web.StreamResponse]] = {
    "another status": lambda r: web.Response(status=201, body=r.body, headers=r.headers),
    "another body": lambda r: web.Response(body=ORDINARY, headers=r.headers),
    "no signature": lambda r: web.Response(body=r.body, content_type=greeting.MEDIA),
    "a page": lambda r: web.Response(text="<html>log in first", content_type="text/html"),
    "a redirect": lambda r: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "a huge one": lambda r: web.Response(body=bytes(talking.MOST + 1)),
    "a gateway's error": lambda r: web.Response(status=502, text="bad gateway"),
    "another field": lambda r: web.Response(body=r.body, headers={**r.headers, "Upload-Offset": "7"}),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answer_that_was_changed_on_its_way_is_not_believed(centre: Stand, local: Stand, name: str) -> None:
    await network.joined(local, centre)
    async with between(centre, ANSWERS[name]) as address, local.client("CENTRE") as client:
        client.known = dataclasses.replace(client.known, address=address)
        with pytest.raises(Unreachable) as caught:
            await talking.hello(client, Hello())
        assert caught.value.exit_code == 4
    async with between(centre, lambda r: r) as address, local.client("CENTRE") as client:
        client.known = dataclasses.replace(client.known, address=address)
        await talking.hello(client, Hello())


async def test_answer_to_an_earlier_request_is_not_believed(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    first: list[web.Response] = []

    def repeat(answer: web.Response) -> web.StreamResponse:
        first.append(answer)
        return web.Response(status=first[0].status, body=first[0].body, headers=first[0].headers)

    async with between(centre, repeat) as address, local.client("CENTRE") as client:
        client.known = dataclasses.replace(client.known, address=address)
        await talking.hello(client, Hello())
        with pytest.raises(Unreachable, match="changed on its way"):
            await talking.hello(client, Hello())


async def test_every_kind_of_answer_arrives_signed(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:
        got = await client.send("GET", "/x/test/nothing?a=%E4%B9%A6&b=1+2")
        assert (got.status, got.body, got.headers["etag"]) == (204, b"", '"none"')
        got = await client.send("HEAD", "/x/test/echo")
        assert (got.status, got.body, got.headers["upload-offset"]) == (200, b"", "0")
        failed = await client.send("POST", "/x/test/fault")
        assert failed.status == 500
        assert b"secret" not in failed.body
        assert isinstance(client.refusal(failed), Retry)
        bad = await client.send("POST", "/x/hello", b"\xc1")
        assert bad.status == 422
        assert isinstance(client.refusal(bad), BadRecord)
        await centre.set_state("TJU", "suspended")
        refused = await client.send("HEAD", "/x/test/echo")
        assert (refused.status, refused.body) == (403, b"")


async def test_node_behind_a_proxy_that_ends_tls_knows_its_address(centre: Stand, local: Stand) -> None:
    """The sender signs https://…; the door hears http and the Host header."""
    await network.joined(local, centre)
    host = centre.address.removeprefix("http://").rstrip("/")
    centre.outside(f"https://{host}/")
    request = sign.request(
        signing.signer(local.keyring.key(), "TJU", "CENTRE"),
        Request(method="POST", target=f"https://{host}/x/test/echo", headers={"content-type": greeting.MEDIA}),
        b"x",
        now=int(time.time()),
        nonce=token_hex(12),
        more=("content-type",),
    )
    inside = dataclasses.replace(request, target=f"http://{host}/x/test/echo")
    assert (await post(local, inside, b"x"))[0] == 200
    status, _ = await post(local, signed(local, centre, b"x"), b"x")
    assert status == 401
