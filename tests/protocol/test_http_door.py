"""The outgoing door against hostile addresses and names, over real sockets: what is refused is never connected to."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from yarl import URL

from config import allow
from protocols.http import door, targets
from protocols.http.door import Limits, Unanswered
from protocols.http.guard import Forbidden, Rules
from protocols.http.targets import Target
from tests import doors
from tests.doors import PRIVATE, PUBLIC, RULES, Names, leads, says, serving, watching

LITERAL = "spelling"
HOSTILE = {
    "http://127.0.0.1:{port}/": "loopback",
    "http://localhost:{port}/": "local network",
    "http://LOCALHOST.:{port}/": "local network",
    "http://db.localhost:{port}/": "local network",
    "http://redis:{port}/": "local network",
    "http://printer.local/": "local network",
    "http://metadata.google.internal/computeMetadata/v1/": "local network",
    "http://2130706433:{port}/": LITERAL,
    "http://0x7f000001:{port}/": LITERAL,
    "http://0x7f.0.0.1:{port}/": LITERAL,
    "http://017700000001:{port}/": LITERAL,
    "http://0177.0.0.1:{port}/": LITERAL,
    "http://127.1:{port}/": LITERAL,
    "http://127.0.1:{port}/": LITERAL,
    "http://0:{port}/": LITERAL,
    "http://127.0.0.01:{port}/": LITERAL,
    "http://127.0.0.1.:{port}/": LITERAL,
    "http://127.0.0.1..:{port}/": "no name",
    "http://１２７.０.０.１:{port}/": "loopback",
    "http://127。0。0。1:{port}/": "loopback",
    "http://①②⑦.0.0.1:{port}/": "loopback",
    "http://ⓛocalhost:{port}/": "local network",
    "http://%31%32%37.0.0.1:{port}/": "percent-encoded",
    "http://0.0.0.0:{port}/": "this machine or network",
    "http://[::1]:{port}/": "loopback",
    "http://[::]:{port}/": "no address",
    "http://[0:0:0:0:0:0:0:1]:{port}/": "loopback",
    "http://[::ffff:127.0.0.1]:{port}/": "loopback",
    "http://[::ffff:7f00:1]:{port}/": "loopback",
    "http://[::127.0.0.1]:{port}/": "IPv4-compatible",
    "http://[64:ff9b::127.0.0.1]:{port}/": "loopback",
    "http://[64:ff9b::169.254.169.254]/": "link-local",
    "http://[64:ff9b:1::7f00:1]:{port}/": "local translation",
    "http://[2002:7f00:1::]:{port}/": "loopback",
    "http://[2002:a9fe:a9fe::1]/": "link-local",
    "http://[2001:0:7f00:1::]/": "",
    "http://[fe80::1%25lo]:{port}/": "percent-encoded",
    "http://[fe80::1%lo]:{port}/": "percent-encoded",
    "http://[fe80::1]:{port}/": "link-local",
    "http://[fc00::1]/": "private",
    "http://[v1.localhost]/": "no name and no address",
    "http://169.254.169.254/latest/meta-data/": "metadata",
    "http://[fd00:ec2::254]/latest/meta-data/": "metadata",
    "http://100.100.100.200/latest/meta-data/": "metadata",
    "http://10.0.0.1/": "private",
    "http://172.16.0.1/": "private",
    "http://192.168.1.1/": "private",
    "http://100.64.0.1/": "shared",
    "http://198.18.0.1/": "measuring",
    "http://224.0.0.1/": "multicast",
    "http://255.255.255.255/": "broadcast",
    "http://user:pass@127.0.0.1:{port}/": "credentials",
    "http://public.test@127.0.0.1:{port}/": "credentials",
    "http://127.0.0.1:{port}\\@public.test/": "backslashes",
    "http://public.test\\@127.0.0.1:{port}/": "backslashes",
    "http://127.0.0.1:{port}\r\nHost: public.test/": "control characters",
    "http://127.0.0.1 .public.test:{port}/": "blanks",
    "http://127.0.0.1\t:{port}/": "control characters",
    "http:///127.0.0.1:{port}/": "no host",
    "http:127.0.0.1:{port}/": "",
    "//127.0.0.1:{port}/": "only http",
    "127.0.0.1:{port}": "only http",
    "http://127.0.0.1:{port}:80/": "no URL",
    "http://[::1:{port}/": "no URL",
    "http://public.test:0/": "port 0",
    "http://public.test:99999/": "no URL",
    "http://public.test:6379/": "port 6379",
    "https://public.test:22/": "port 22",
    "file:///etc/passwd": "only http",
    "ftp://127.0.0.1:{port}/": "only http",
    "gopher://127.0.0.1:{port}/_INFO": "only http",
    "dict://127.0.0.1:{port}/": "only http",
    "ws://127.0.0.1:{port}/": "only http",
    "javascript:alert(1)": "only http",
    "jar:http://127.0.0.1:{port}/!/": "only http",
    "unix:///var/run/docker.sock": "only http",
    "http://" + "a" * 9_000 + ".test/": "too long",
    "http://" + "a." * 130 + "test/": "no name",
    "": "only http",
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return doors.naming(monkeypatch)


@pytest.mark.parametrize(("url", "why"), HOSTILE.items(), ids=[repr(url)[:60] for url in HOSTILE])
async def test_hostile_url_is_refused_and_nobody_is_connected_to(url: str, why: str, names: Names) -> None:
    names["public.test"] = [[PRIVATE]]
    async with watching() as there, door.open() as out:
        with pytest.raises(Forbidden) as caught:
            await out.send("GET", url.replace("{port}", str(there.port)), limits=Limits(redirects=3))
        assert why in caught.value.reason
        assert "pass" not in str(caught.value).replace("passwd", "")
        assert await there.strangers() == 0


def test_many_are_tried() -> None:
    assert len(HOSTILE) >= 25


@pytest.mark.parametrize(("url", "why"), [each for each in HOSTILE.items() if each[1] in ("loopback", LITERAL)])
async def test_the_guard_where_sockets_are_made_refuses_alone_too(
    url: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the reading of URLs let everything pass: what the library makes of them is judged all the same."""

    def careless(text: str, _: object) -> Target:
        return Target(url=URL(text), host="public.test", port=80, address=None, shown="the URL")

    monkeypatch.setattr(targets, "read", careless)
    async with watching() as there, door.open() as out:
        with pytest.raises((Forbidden, Unanswered)) as caught:
            await out.send("GET", url.replace("{port}", str(there.port)))
        assert isinstance(caught.value, Forbidden) or why == LITERAL  # disguised ones are no addresses to it
        assert await there.strangers() == 0


async def test_a_client_without_the_guard_reaches_the_watched_server() -> None:
    """The control of all these tests: the count can rise."""
    async with watching() as there, aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{there.port}/") as got:
            assert await got.read() == b"secret"
        assert await there.strangers() == 1


# Names


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("10.1.2.3", "private"),
        ("169.254.169.254", "metadata"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::1", "loopback"),
        ("0.0.0.0", "this machine"),
        ("fe80::1", "link-local"),
    ],
)
async def test_name_of_a_forbidden_address_is_refused(address: str, why: str, names: Names) -> None:
    names["books.test"] = [[address]]
    async with watching() as there, door.open(RULES) as out:
        with pytest.raises(Forbidden, match=why) as caught:
            await out.send("GET", f"http://books.test:{there.port}/?key=x")
        assert f"http://books.test:{there.port}/ is refused" in str(caught.value)
        assert await there.strangers() == 0


async def test_of_several_addresses_the_forbidden_ones_are_left_out(names: Names) -> None:
    async with watching() as there, serving({"/": says(b"public")}) as public, door.open(RULES) as out:
        port = public.rpartition(":")[2]
        names["mixed.test"] = [["127.0.0.1", "::1", PUBLIC, "10.0.0.1"]]
        answer = await out.send("GET", f"http://mixed.test:{port}/")
        assert (answer.status, answer.body) == (200, b"public")
        names["bad.test"] = [["127.0.0.1", "::1", "10.0.0.1"]]
        with pytest.raises(Forbidden):
            await out.send("GET", f"http://bad.test:{there.port}/")
        assert await there.strangers() == 0


async def test_name_that_is_answered_differently_the_second_time_is_judged_again(
    names: Names,
) -> None:
    """Rebinding: looked up for the check it is public, for the connection private."""
    async with watching() as there, door.open(RULES) as out:
        async with serving({"/{path:.*}": leads(f"http://rebind.test:{there.port}/")}) as public:
            port = public.rpartition(":")[2]
            names["rebind.test"] = [[PUBLIC], [PRIVATE]]
            with pytest.raises(Forbidden, match=r"rebind.test:\d+/ is refused: 127.0.0.1 is this machine"):
                await out.send("GET", f"http://rebind.test:{port}/", limits=Limits(redirects=1))
        names["rebind.test"] = [[PUBLIC], [PRIVATE]]
        checked = socket.getaddrinfo("rebind.test", there.port)[0][4][0]
        assert checked == PUBLIC
        async with door.open(RULES) as other:
            with pytest.raises(Forbidden):
                await other.send("GET", f"http://rebind.test:{there.port}/")
        assert await there.strangers() == 0


async def test_name_that_nobody_knows_is_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with door.open() as out:
        with pytest.raises(Unanswered, match=r"nowhere\.test"):
            await out.send("GET", "http://nowhere.test/")


# What the operator named


async def test_named_host_and_port_may_be_private_and_nothing_beside_them() -> None:
    async with watching() as there, serving({"/": says(b"peer")}, PRIVATE) as peer, door.open() as out:
        assert (await out.send("GET", f"{peer}/", named=True)).body == b"peer"
        # A connection that was opened to it is not there for URLs that were only learnt.
        with pytest.raises(Forbidden):
            await out.send("GET", f"{peer}/")
        allowing = Rules(allow=allow.read(peer.removeprefix("http://")))
        async with door.open(allowing) as other:
            assert (await other.send("GET", f"{peer}/")).body == b"peer"
            with pytest.raises(Forbidden):
                await other.send("GET", f"http://{PRIVATE}:{there.port}/")
        with pytest.raises(Forbidden, match="metadata"):
            await out.send("GET", "http://169.254.169.254/", named=True)
        assert await there.strangers() == 0


@pytest.mark.parametrize("where", ["127.0.0.1:{port}/", "localhost:{port}/", "[::ffff:127.0.0.1]:{port}/"])
async def test_named_host_leads_to_no_other_port(where: str) -> None:
    async with watching() as there, door.open() as out:
        location = "http://" + where.replace("{port}", str(there.port))
        async with serving({"/": leads(location), "/on": leads("/end"), "/end": says(b"end")}, PRIVATE) as peer:
            with pytest.raises(Forbidden):
                await out.send("GET", f"{peer}/", named=True, limits=Limits(redirects=3))
            ended = await out.send("GET", f"{peer}/on", named=True, limits=Limits(redirects=3))
            assert (ended.body, ended.url) == (b"end", f"{peer}/end")
        assert await there.strangers() == 0
