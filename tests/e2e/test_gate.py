"""The gate before every request, over real sockets: odd addresses, packed bodies, headers, overload and fairness."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession

from catalog.database import pool
from catalog.database.pool import Database
from catalog.search import port
from config import networks
from config.settings import Settings, Web
from node import roles
from node.web import app, gate, headers, refusing, routes
from node.web.address import behind, block, read
from tests import stocked
from tests.stocked import Shelf

CANARY = "canary-5b1c"
HOSTILE = (
    "/static/../app.py", "/static/..%2fapp.py", "/static/..%2Fapp.py", "/static/%2e%2e/app.py",
    "/static/%2e%2e%2fapp.py", "/static/%252e%252e%252fapp.py", "/static/..%5capp.py", "/static/..\\app.py",
    "/static/....//app.py", "/static/..%c0%afapp.py", "/static/..%e0%80%afapp.py", "/static/..%f0%80%80%afapp.py",
    "/static/%c0%ae%c0%ae/app.py", "/static/..%ef%bc%8fapp.py", "/static/..%u2215app.py", "/static/tianlu.css%00",
    "/static/tianlu.css%00.html", "/static/%00", "/static/%0atianlu.css", "/static/tianlu.css%0d%0aX-Evil:%201",
    "/static//etc/passwd", "//etc/passwd", "/static/%2fetc%2fpasswd", "/static/file:%2f%2f%2fetc%2fpasswd",
    "/static/CON", "/static/C:%5cwindows%5cwin.ini", "/static/.", "/static/..", "/static/%2e", "/static/./tianlu.css",
    "/static/tianlu.css/..", "/static/~root", "/static/{canary}", "/static/..%2f..%2f..%2f..%2f{canary}",
    "/records/..%2f..%2f{canary}", "/records/%2e%2e/{canary}", "/records/..;/{canary}",
    "/records/{canary}%00/marcxml", "/records/x/..%2f..%2f{canary}", "/records/CN-NODE.00000a/../x",
    "/api/records/..%2f..%2f{canary}", "/api/records/..%5c..%5c{canary}", "/../{canary}", "/..%2f{canary}", "/%ff",
    "/%zz", "/%", "/x/up/..%2f..%2f{canary}", "/x/down/../../{canary}", "http://evil.example/static/tianlu.css", "*",
)  # fmt: skip
TOLD = Settings(web=Web(at_work=4, waiting=4, proxies="127.0.0.1"))


@dataclass
class Held(Shelf):
    """A search engine that answers when it may, and counts who waits for it."""

    may: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def search(self, request: port.Request) -> port.Result:
        if request.text:
            self.asked += 1
            assert self.may.wait(30)
        return super().search(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A served node."""

    address: str
    shelf: Held
    session: ClientSession

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def get(self, path: str, client: str = "203.0.113.7", **more: str) -> tuple[int, dict[str, str]]:
        """(status, headers) of an answer to a visitor whom the proxy names."""
        sent = {"X-Forwarded-For": client, **more}
        async with self.session.get(self.address + path, headers=sent) as got:
            await got.read()
            return got.status, dict(got.headers)

    def begin(self, count: int, client: str = "203.0.113.7") -> list[asyncio.Task[tuple[int, dict[str, str]]]]:
        """Searches, all at once."""
        return [asyncio.create_task(self.get("/api/search?q=x", client)) for _ in range(count)]

    async def raw(self, request: bytes) -> tuple[int, bytes]:
        """(status, whole answer) of bytes on a connection of their own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0, answer


@contextlib.asynccontextmanager
async def standing(database: Database, home: Path, told: Settings = TOLD) -> AsyncIterator[Door]:
    async with database.connection() as conn:
        await stocked.open_house(conn)
    shelf = Held()
    told = dataclasses.replace(told, web=dataclasses.replace(told.web, port=0))
    site = app.make(stocked.Node(database=database, reader=shelf, home=home, settings=told))
    async with roles.serving(site, told) as at, ClientSession() as session:
        try:
            yield Door(address=at.rstrip("/"), shelf=shelf, session=session)
        finally:
            shelf.may.set()


async def until(done: object) -> None:
    assert callable(done)
    deadline = time.monotonic() + 10.0
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


# ---- addresses and bodies


_opened: list[str] | None = None  # files, while a test wants to know


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


async def test_no_name_in_an_address_opens_a_file(database: Database, home: Path) -> None:
    global _opened
    (home / CANARY).write_text(CANARY * 2)
    sys.addaudithook(_hook)
    async with standing(database, home) as door:
        await door.raw(b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")  # whatever is imported late
        statuses: Counter[int] = Counter()
        for name in HOSTILE:
            _opened = []
            try:
                target = name.replace("{canary}", str(home / CANARY).lstrip("/")).encode()
                status, answer = await door.raw(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            finally:
                seen, _opened = _opened, None
            statuses[status] += 1
            assert status in (400, 401, 404) and not seen, (name, status, seen)
            assert (CANARY * 2).encode() not in answer and b"\r\nX-Evil" not in answer
        assert len(HOSTILE) >= 40 and statuses[400] >= 30


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "x"])
async def test_a_packed_body_is_refused_and_what_is_taken_is_said(
    method: str, coding: str, database: Database, home: Path
) -> None:
    async with standing(database, home) as door:
        for path in ("/oai", "/", "/nowhere"):
            sent = {"Content-Encoding": coding}
            async with door.session.request(method, door.address + path, headers=sent) as got:
                assert (got.status, got.headers["Accept-Encoding"]) == (415, "identity")
        async with door.session.post(
            door.address + "/oai", data={"verb": "Identify"}, headers={"Content-Encoding": "identity"}
        ) as got:
            assert got.status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /about HTTP/1.1\r\nHost: a.example:80\r\n", 200),
        (b"GET /about HTTP/1.1\r\nHost: [::1]:80\r\n", 200),
        (b"GET /about HTTP/1.0\r\n", 200),
        (b"GET /about HTTP/1.1\r\n", 400),
        (b"GET /about HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        (b'GET /about HTTP/1.1\r\nHost: a"><script>\r\n', 400),
        (b"GET /about HTTP/1.1\r\nHost: a/b\r\n", 400),
        (b"GET /about HTTP/1.1\r\nHost: user@a\r\n", 400),
        (b"GET /about HTTP/1.1\r\nHost: a:b\r\n", 400),
        (b"GET /about HTTP/1.1\r\nHost: \r\n", 400),
    ],
)
async def test_a_host_is_one_name(head: bytes, status: int, database: Database, home: Path) -> None:
    async with standing(database, home) as door:
        assert (await door.raw(head + b"Connection: close\r\n\r\n"))[0] == status


# ---- headers


async def test_every_answer_of_every_address_has_all_headers(database: Database, home: Path) -> None:
    told = Settings(web=Web(base_url="https://catalogue.example.org/"))
    wanted = headers.of("https://catalogue.example.org/")
    assert "max-age=31536000; includeSubDomains" in wanted["Strict-Transport-Security"]
    statuses: set[int] = set()

    async def look(door: Door, method: str, path: str, **sent: str) -> None:
        async with door.session.request(
            method, door.address + path, headers=sent, data=b"x" if method == "POST" else None, allow_redirects=False
        ) as got:
            statuses.add(got.status)
            assert {name: got.headers.getall(name) for name in wanted} == {name: [wanted[name]] for name in wanted}, (
                path
            )
            if "script" in got.headers["Content-Type" if "Content-Type" in got.headers else "Server"]:
                raise AssertionError(path)

    async with standing(database, home, told) as door:
        for route in routes.ROUTES:
            path = route.path.replace("{name}", "tianlu.css").replace("{id}", "CN-NODE.00000a")
            path = path.replace("{form}", "marcxml").replace("{", "").replace("}", "")
            for method in ("GET", "HEAD", "POST", "PATCH", "OPTIONS"):
                for accept in ("text/html", "*/*"):
                    await look(door, method, path, Accept=accept)
        await look(door, "GET", "/search?page=x", Accept="text/html")  # 400
        await look(door, "GET", "/nowhere")
        await look(door, "GET", "/static/%2fx", Accept="text/html")
        await look(door, "GET", "/about", Expect="the-unexpected")  # refused by aiohttp itself
        await look(door, "POST", "/oai", **{"Content-Encoding": "gzip"})
        await look(door, "GET", "/libraries?lang=en", Accept="text/html")
    assert statuses >= {200, 400, 401, 404, 405, 415, 417}


async def test_pages_hold_no_script_and_no_style_of_their_own(database: Database, home: Path) -> None:
    assert "script" not in headers.POLICY and "unsafe" not in headers.POLICY
    async with standing(database, home) as door:
        for path in ("/", "/search", "/libraries", "/network", "/about", "/api", "/nowhere", "/static/%2f"):
            async with door.session.get(door.address + path, headers={"Accept": "text/html"}) as got:
                page = (await got.text()).lower()
                assert (
                    "<script" not in page
                    and "style=" not in page
                    and "<style" not in page
                    and "javascript:" not in page
                )


async def test_without_tls_nobody_is_told_to_come_by_it(database: Database, home: Path) -> None:
    async with standing(database, home) as door:
        assert "Strict-Transport-Security" not in (await door.get("/about"))[1]


# ---- overload


async def test_beyond_the_queue_visitors_are_told_at_once_to_come_back(database: Database, home: Path) -> None:
    async with standing(database, home) as door:
        crowd = [task for n in range(4) for task in door.begin(1, f"198.51.{n}.1")]
        await until(lambda: door.shelf.asked == 4)
        waiting = [task for n in range(4, 8) for task in door.begin(1, f"198.51.{n}.1")]
        await asyncio.sleep(0.1)
        for accept, kind in (("text/html", "text/html; charset=utf-8"), ("*/*", "application/problem+json")):
            status, got = await door.get("/search?q=x", "198.51.100.1", Accept=accept)
            assert (status, got["Retry-After"], got["Content-Type"]) == (503, "5", kind)
            assert got["Content-Security-Policy"] == headers.POLICY
        assert not any(task.done() for task in (*crowd, *waiting))
        # The other lanes don't notice.
        assert (await door.get("/health"))[0] == 200
        assert (await door.get("/static/tianlu.css"))[0] == 200
        assert (await door.get("/x/down/holdings"))[0] == 401
        door.shelf.may.set()
        assert [status for status, _ in await asyncio.gather(*crowd, *waiting)] == [200] * 8
        assert (await door.get("/api/search?q=x"))[0] == 200


async def test_requests_without_a_chance_are_refused_unread_on_a_connection_that_stays(
    database: Database, home: Path
) -> None:
    asked = b"GET %s HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nX-Forwarded-For: 198.51.100.1\r\n%s\r\n"
    async with standing(database, home) as door:
        crowd = [task for n in range(4) for task in door.begin(1, f"198.51.{n}.1")]
        await until(lambda: door.shelf.asked == 4)
        crowd += [task for n in range(4, 8) for task in door.begin(1, f"198.51.{n}.1")]
        await asyncio.sleep(0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)

        async def ask(path: bytes, more: bytes = b"", body: bytes = b"") -> tuple[int, bytes]:
            writer.write(asked % (path, more) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            await reader.readexactly(int(length[15:]))
            return int(head.split()[1]), head

        for _ in range(3):
            status, head = await ask(b"/search?q=x")
            assert status == 503 and b"\r\nRetry-After: 5\r\n" in head and b"text/html" in head
            for name, value in headers.EVERYWHERE.items():
                assert f"\r\n{name}: {value}\r\n".encode() in head
        # What isn't plain is read like any other: no two readers of it may understand it differently.
        assert (await ask(b"/search?q=x", b"Content-Length: 5\r\n", b"hello"))[0] == 503
        assert (await ask(b"/search?q=x", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"))[0] == 503
        assert (await ask(b"/health"))[0] == 200
        assert (await ask(b"/static/tianlu.css"))[0] == 200
        door.shelf.may.set()
        assert [status for status, _ in await asyncio.gather(*crowd)] == [200] * 8
        assert (await ask(b"/search?q=x"))[0] == 200
        writer.close()


async def test_a_crawler_takes_its_own_share_and_no_other(database: Database, home: Path) -> None:
    async with standing(database, home) as door:
        crawler = [task for n in range(12) for task in door.begin(1, f"203.0.113.{n}")]
        await until(lambda: sum(task.done() for task in crawler) == 8)
        await until(lambda: door.shelf.asked == 2)  # half of the work, and half of the queue
        refused = [task.result() for task in crawler if task.done()]
        assert [(status, got["Retry-After"]) for status, got in refused] == [(429, "5")] * 8
        readers = [task for n in range(2) for task in door.begin(1, f"198.51.{n}.1")]
        await until(lambda: door.shelf.asked == 4)  # at once, before those of the crawler that wait
        door.shelf.may.set()
        assert [status for status, _ in await asyncio.gather(*readers)] == [200, 200]
        assert Counter(status for status, _ in await asyncio.gather(*crawler)) == {200: 4, 429: 8}


async def test_whoever_leaves_the_queue_makes_room(database: Database, home: Path) -> None:
    async with standing(database, home) as door:
        working = [task for n in range(4) for task in door.begin(1, f"198.51.{n}.1")]
        await until(lambda: door.shelf.asked == 4)
        left = [task for n in range(4, 8) for task in door.begin(1, f"198.51.{n}.1")]
        await asyncio.sleep(0.1)
        assert (await door.get("/search?q=x", "198.51.100.1"))[0] == 503
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _ in range(100):  # until the door has seen that they are gone
            new = door.begin(1, "198.51.101.1")
            await asyncio.wait(new, timeout=0.1)
            if not new[0].done():
                break
        door.shelf.may.set()
        assert [status for status, _ in await asyncio.gather(*working, *new)] == [200] * 5


async def test_nobody_waits_longer_than_a_reader_would(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.05)
    async with standing(database, home) as door:
        working = [task for n in range(4) for task in door.begin(1, f"198.51.{n}.1")]
        await until(lambda: door.shelf.asked == 4)
        assert (await door.get("/api/search?q=x", "198.51.100.1"))[0] == 503
        door.shelf.may.set()
        assert [status for status, _ in await asyncio.gather(*working)] == [200] * 4


async def test_no_request_is_worked_on_for_ever(
    database: Database, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LONGEST", 0.05)
    async with standing(database, home) as door:
        status, got = await door.get("/api/search?q=x")
        assert (status, got["Retry-After"]) == (503, "5")


async def test_a_statement_that_takes_too_long_costs_its_visitor_alone(
    dsn: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "STATEMENT", 0.2)
    async with pool.open(home, dsn) as database, standing(database, home) as door, database.transaction() as conn:
        await conn.execute("lock table library in access exclusive mode")
        slow = asyncio.create_task(door.get("/api/libraries"))
        assert (await door.get("/about"))[0] == 200
        status, got = await slow
        assert (status, got["Retry-After"]) == (503, "5")


# ---- whose address


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7", "203.0.113.7"),  # what the visitor wrote stands to the left
        ("6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("203.0.113.7,::ffff:10.0.0.2", "203.0.113.7"),
        ("2001:db8::7%eth0", "2001:db8::7"),
        ("203.0.113.7, evil", ""),
        ("10.0.0.2", ""),
        ("", ""),
        (",".join(["10.0.0.2"] * 50), ""),
    ],
)
def test_a_proxy_tells_whom_it_was_asked_by(forwarded: str, expected: str) -> None:
    assert str(behind(forwarded, networks.read("10.0.0.0/8 127.0.0.1")) or "") == expected


def test_addresses_are_counted_by_their_block() -> None:
    assert block("203.0.113.7") == block("203.0.113.250") == "203.0.113.0/24"
    assert block("2001:db8:1:2ff::1") == block("2001:db8:1:200::2") == "2001:db8:1:200::/56"
    assert block("2001:db8:1:300::1") != block("2001:db8:1:200::2")
    assert block("") == ""
    assert str(read("::ffff:192.0.2.1")) == "192.0.2.1" and read("x") is None


async def test_without_a_proxy_nobody_is_believed(database: Database, home: Path) -> None:
    """All of this machine are one, whoever they say they are: no share is too large for them."""
    async with standing(database, home, Settings(web=Web(at_work=4, waiting=4))) as door:
        crowd = [task for n in range(9) for task in door.begin(1, f"203.0.113.{n}")]
        await until(lambda: sum(task.done() for task in crowd) == 1)
        assert [task.result()[0] for task in crowd if task.done()] == [503]
        await until(lambda: door.shelf.asked == 4)
        door.shelf.may.set()
        assert Counter(status for status, _ in await asyncio.gather(*crowd)) == {200: 8, 503: 1}


def test_a_refusal_says_its_status_in_both_languages() -> None:
    for status in (400, 415, 429, 503):
        assert json.loads(refusing._problem(status, ""))["status"] == status
        assert refusing.known(status) == f"error_{status}"
