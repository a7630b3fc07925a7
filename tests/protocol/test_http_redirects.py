"""The outgoing door on the way from one server to the next: redirects, and the proxy."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from aiohttp import web

from protocols.http import door
from protocols.http.door import Limits, Unanswered
from protocols.http.guard import Forbidden, Rules
from protocols.http.inflate import Excessive
from tests import doors
from tests.doors import PRIVATE, PUBLIC, RULES, Names, leads, says, serving, watching


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return doors.naming(monkeypatch)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    return doors.certified(tmp_path, monkeypatch)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://inside.test:{port}/",
        "http://me:pw@127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/_",
        "http://[",
    ],
)
async def test_redirect_to_a_forbidden_target_is_refused(status: int, location: str, names: Names) -> None:
    names["inside.test"] = [[PRIVATE]]
    async with watching() as there, door.open(RULES) as out:
        location = location.replace("{port}", str(there.port))
        async with serving({"/": leads("/next", status), "/next": leads(location, status)}) as public:
            with pytest.raises(Forbidden):
                await out.send("GET", f"{public}/", limits=Limits(redirects=3))
        assert await there.strangers() == 0


async def test_three_redirects_are_followed_and_no_more() -> None:
    asked: list[str] = []

    async def step(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        left = int(request.match_info["left"])
        return web.Response(status=302, headers={"Location": f"/{left - 1}"}) if left else web.Response(text="there")

    async with serving({"/{left}": step, "/loop/": leads("/loop/")}) as public, door.open(RULES) as out:
        answer = await out.send("GET", f"{public}/3", limits=Limits(redirects=3))
        assert (answer.body, answer.url) == (b"there", f"{public}/0")
        asked.clear()
        with pytest.raises(Excessive, match="redirects more than 3 times"):
            await out.send("GET", f"{public}/9", limits=Limits(redirects=3))
        assert asked == ["/9", "/8", "/7", "/6"]
        with pytest.raises(Excessive):
            await out.send("GET", f"{public}/loop/", limits=Limits(redirects=2))
        assert (await out.send("GET", f"{public}/9")).status == 302
        with pytest.raises(ValueError, match="from 0 to 3"):
            Limits(redirects=4)


async def test_what_is_sent_to_one_server_is_not_sent_on_to_another() -> None:
    seen: list[web.Request] = []
    bodies: list[bytes] = []

    async def noted(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        bodies.append(await request.read())
        return web.Response(headers={"Set-Cookie": "a=b"})

    secret = {
        "Authorization": "Bearer x",
        "Cookie": "c=d",
        "X-Api-Key": "x",
        "Proxy-Authorization": "x",
        "Accept": "a/b",
    }
    async with serving({"/": noted}) as other, door.open(RULES) as out:
        routes = {"/": leads(other + "/"), "/same": leads("/end"), "/end": noted, "/post": leads(other + "/", 307)}
        async with serving(routes) as public:
            await out.send("GET", f"{public}/", headers=secret, limits=Limits(redirects=1))
            assert seen[0].headers["Accept"] == "a/b" and not set(secret) - {"Accept"} & set(seen[0].headers)
            await out.send("GET", f"{public}/same", headers=secret, limits=Limits(redirects=1))
            assert set(secret.items()) <= set(seen[1].headers.items())
            await out.send("GET", f"{public}/end")
            assert "Cookie" not in seen[2].headers  # none was kept
            answer = await out.send("POST", f"{public}/post", body=b"mine", limits=Limits(redirects=3))
            assert answer.status == 307 and len(seen) == 3  # what was meant for one is not told to another
            assert (await out.send("POST", f"{public}/end", body=b"mine")).status == 200 and bodies[-1] == b"mine"


async def test_https_never_leads_to_http(tls: ssl.SSLContext, names: Names) -> None:
    names["secure.test"] = names["other.test"] = [[PUBLIC]]
    asked = []

    async def noted(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.Response()

    async with serving({"/": noted}) as plain, door.open(RULES) as out:
        routes = {"/down": leads(plain + "/"), "/": says(b"safe"), "/on": leads("/")}
        async with serving(routes, tls=tls) as safe:
            safe = f"https://secure.test:{safe.rpartition(':')[2]}"
            assert (await out.send("GET", f"{safe}/on", limits=Limits(redirects=1))).body == b"safe"
            with pytest.raises(Forbidden, match="redirects from https to http"):
                await out.send("GET", f"{safe}/down", limits=Limits(redirects=3))
            with pytest.raises(Unanswered):  # a certificate for another name
                await out.send("GET", safe.replace("secure", "other") + "/")
        assert not asked


# The proxy


async def test_through_a_proxy_the_url_is_judged_all_the_same(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def passed(request: web.Request) -> web.StreamResponse:
        asked.append(str(request.rel_url))
        return web.Response(text="by proxy")

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving({"/{path:.*}": passed}, PRIVATE) as proxy, door.open(Rules(proxy=proxy)) as out:
        assert (await out.send("GET", "http://books.test/a")).body == b"by proxy"
        assert (await out.send("GET", "http://10.1.2.3:81/b", named=True)).body == b"by proxy"
        for url in ("http://10.1.2.3/", "http://127.0.0.1/", "http://localhost/", "http://db/", "http://a.test:22/"):
            with pytest.raises(Forbidden):
                await out.send("GET", url)
        with pytest.raises(Forbidden):
            await out.send("GET", "http://169.254.169.254/", named=True)
        assert len(asked) == 2
    async with serving({"/": says(b"direct")}) as public, door.open(RULES) as out:
        assert (await out.send("GET", f"{public}/")).body == b"direct"  # the environment's proxy doesn't count
