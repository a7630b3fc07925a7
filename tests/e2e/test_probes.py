"""What scanners send first: every address and parameter of the web door with methods, paths and values that no browser
sends. Nothing is found, nothing is broken, nothing is told.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest_asyncio

from catalog import changes
from catalog.database.pool import Database
from catalog.model import Format, Holding, cluster_id
from catalog.search import indexer
from catalog.search.tantivy import TantivyReader
from config.settings import Settings, Web
from node.web import routes
from services.access.policy import PUBLIC
from tests import builders, stocked
from tests.builders import TJU
from tests.stocked import Shelf, Stock

IDENT = cluster_id(stocked.SYMBOL, 1)
OPEN = [route for route in routes.ROUTES if route.allow == PUBLIC and "GET" in route.methods]
FOREIGN = ("TRACE", "TRACK", "DEBUG", "PROPFIND", "PUT", "DELETE", "OPTIONS", "POST", "PATCH")
VALUES = (
    "'", '"', "' or '1'='1", "1; drop table record--", "1 union select password from account", "$1", "%s", "[",
    "{0.__class__}", "\\", "*", "(((((((((((((((((((((", "~~~~~~~~~~", "a" * 5000, "-1", "0", "9" * 20, "1e309", "NaN",
    "\x00", "\ud7ff\ufffe", "../../../../etc/passwd", "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "`id`", "|id",
    "http://127.0.0.1/", "\r\nSet-Cookie: a=b", "case when 1=1 then 1 end", "title desc nulls last", "pg_sleep(9)",
)  # fmt: skip
PATHS = (
    "/static/", "/static", "/static/../../../etc/passwd", "/static/..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/x",
    "/static/....//....//etc/passwd", "/static/..;/..;/etc/passwd", "/static/tianlu.css%00.html", "/static/.",
    "/static/..", "/static/%252e%252e%252fetc", "/static/..\\..\\windows\\win.ini", "/static/..%5c..%5cwin.ini",
    "/static/tianlu.css/", "/static//etc/passwd", "/static/C:/windows/win.ini", "/static/file:///etc/passwd",
    "/static/texts.toml", "/static/pages.py", "/static/__init__.py", "/../tianlu.toml", "/tianlu.toml", "/node.key",
    "/%2e%2e/tianlu.toml", "/seal.key", "/run.json", "/pg/server.log", "/.git/config", "/.env", "/.well-known/../x",
    "/records/../../etc/passwd", "/records/%2e%2e%2f%2e%2e%2fetc%2fpasswd/text", "/records/a/../../x", "/api/../x",
    "//etc/passwd", "/etc/passwd", "/proc/self/environ", "/server-status", "/metrics", "/debug", "/console", "/admin",
    "/wp-login.php", "/x", "/x/", "/api/", "/traces.log",
)  # fmt: skip
TELLS = re.compile(rb"root:x?:|\[fonts\]|Traceback|File \"|asyncpg|PRIVATE|select .* from|import |dsn", re.I)


@pytest_asyncio.fixture
async def address(database: Database, home: Path) -> AsyncIterator[str]:
    """The address of a node with one record."""
    async with database.connection() as conn:
        await stocked.open_house(conn)
        stock = Stock(
            record=builders.a_cnmarc(title="红楼梦"), format=Format.CNMARC, holdings=(Holding(library=TJU.symbol),)
        )
        await stocked.stock(conn, [stock])
    await indexer.catch_up(database.pool, home / "index", feed=changes)
    async with stocked.serving(database, TantivyReader(home / "index"), home) as at:
        yield at


async def ask(address: str, method: str, target: str, *headers: str) -> tuple[int, bytes, bytes]:
    """Status, header and body of a request exactly as it is written here."""
    parts = urlsplit(address)
    assert parts.hostname
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head, body


def target(path: str) -> str:
    """An address of the table with something in its places."""
    return re.sub(r"\{\w+\}", lambda m: {"{id}": IDENT, "{form}": "text", "{name}": "tianlu.css"}.get(m[0], "1"), path)


def parameters(path: str) -> list[str]:
    """What may be asked at an address, and two names that nobody knows."""
    known = [each.name for route in OPEN if route.path == path for each in route.parameters]
    return [*(name for name in known if f"{{{name}}}" not in path), "verb", "lang", "view", "id", "__proto__"]


async def test_no_address_knows_methods_that_it_does_not_list(address: str) -> None:
    for route in routes.ROUTES:
        for method in FOREIGN:
            if method not in route.methods:
                status, head, body = await ask(address, method, target(route.path), "Canary: said-once")
                assert status in (303, 400, 401, 403, 404, 405, 501), f"{method} {route.path}: {status}"
                assert b"said-once" not in head + body


async def test_no_page_of_another_site_may_read_along(address: str) -> None:
    for route in routes.ROUTES:
        for origin in ("https://evil.example", "null", address):
            _, head, _ = await ask(address, "GET", target(route.path), f"Origin: {origin}", "Cookie: a=b")
            assert b"access-control" not in head.lower()


async def test_no_path_leads_out_of_the_table(address: str) -> None:
    assert len(PATHS) > 40
    for path in PATHS:
        status, _, body = await ask(address, "GET", path)
        assert status in (400, 404, 405), f"{path}: {status}"
        assert not TELLS.search(body), f"{path}: {body!r}"


async def test_no_value_of_a_parameter_breaks_an_answer(address: str) -> None:
    for route in OPEN:
        path = target(route.path)
        usual = await ask(address, "GET", path)
        for name in parameters(route.path):
            for value in VALUES:
                written = quote(value, safe="", errors="surrogatepass")
                status, head, body = await ask(address, "GET", f"{path}?{name}={written}", "Accept: text/html")
                assert status < 500 or status == usual[0], f"{path}?{name}={value[:40]!r}: {status} {body[:300]!r}"
                assert b"set-cookie: a=b" not in head.lower()
                assert b"<script>alert" not in body or b"Content-Type: text/html" not in head
                assert not re.search(rb"Traceback|asyncpg|syntax error", body)


async def test_a_parameter_given_twice_counts_once(address: str) -> None:
    once = await ask(address, "GET", "/api/search?page=1&sort=newest")
    for twice in ("/api/search?page=1&page=2&sort=newest", "/api/search?sort=newest&sort=oldest&page=1"):
        status, _, body = await ask(address, "GET", twice)
        assert (status, body) == (once[0], once[2]) or status == 400, twice
    assert (await ask(address, "GET", "/oai?verb=Identify&verb=ListSets"))[2].count(b"badVerb") == 1


async def test_headers_of_a_proxy_change_no_link_when_nobody_named_one(address: str) -> None:
    forged = (
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: gopher",
        "Forwarded: host=evil.example",
        "X-Original-URL: /x",
    )
    for route in OPEN:
        _, head, body = await ask(address, "GET", target(route.path), *forged)
        assert b"evil.example" not in head + body, route.path


async def test_cookies_are_bound_to_this_host_where_visitors_come_by_tls(database: Database, home: Path) -> None:
    async with database.connection() as conn:
        await stocked.open_house(conn)
    chosen = {}
    for told in ("", "https://catalogue.example.org/"):
        async with stocked.serving(database, Shelf(), home, Settings(web=Web(base_url=told))) as at:
            _, head, _ = await ask(at, "GET", "/about?lang=en", "Accept-Language: zh")
            (chosen[told],) = re.findall(r"(?im)^set-cookie: (\S+?)=en; (.*)\r$", head.decode() + "\r")
            name, said = chosen[told]
            assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(said.split("; "))
            _, _, body = await ask(at, "GET", "/about", "Accept-Language: zh", f"Cookie: {name}=en")
            assert b'<html lang="en">' in body, "the choice is remembered"
    assert chosen[""][0] == "lang"
    name, said = chosen["https://catalogue.example.org/"]
    assert name == "__Host-lang" and "Secure" in said.split("; ") and "domain" not in said.lower()


async def test_signing_out_empties_the_browser(address: str) -> None:
    status, head, _ = await ask(address, "POST", "/sign-out", "Sec-Fetch-Site: same-origin", "Content-Length: 0")
    assert status == 303
    assert b'Clear-Site-Data: "cache", "storage"' in head
    assert re.search(rb'(?i)set-cookie: __Host-tianlu="?"?; .*Max-Age=0', head)
