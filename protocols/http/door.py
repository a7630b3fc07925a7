"""Makes the requests of this program (shell): judged, limited, without cookies, and without the environment's proxies.

    async with door.open(rules) as out:
        answer = await out.send("GET", url)                # learnt somewhere: the public Internet only
        answer = await out.send("GET", url, named=True)    # the operator named this host and port

Two pools of connections, so that one which was opened to a private address because its host was named is never used for
a URL that was only learnt. The guard sits where the socket is made, which every connection passes: IP literals, which
skip the resolver, and each of the addresses that the DNS answers with.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import aiohttp
from aiohttp import ClientSession, TCPConnector
from multidict import CIMultiDict, CIMultiDictProxy

from config.errors import Unreachable
from protocols.http import guard, targets
from protocols.http.guard import Forbidden, Rules
from protocols.http.inflate import Body, Excessive
from protocols.http.targets import Parameters, Target

AGENT = "Tianlu"
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
SAFE = ("GET", "HEAD")  # methods whose redirects are followed: nothing that was meant for one server is told to another
# Header fields of a request that may go on to another origin; credentials have many names.
PLAIN = frozenset(("accept", "accept-encoding", "accept-language", "user-agent", "from"))
LINE, FIELD, FIELDS = 8_190, 8_190, 100  # bytes of the status line and of a header field, and fields in an answer
AT_ONCE, AT_ONCE_PER_HOST = 100, 16  # connections

AddrInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]  # as of getaddrinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one answer may cost."""

    total: float = 60.0  # seconds for all of it: redirects, connecting, header and body
    connecting: float = 10.0  # seconds until there is a connection, each time
    body: int = 8 * 1024 * 1024  # bytes, as they travel and as they are unpacked
    redirects: int = 0  # that are followed, up to MOST_REDIRECTS; 0 = a redirect is an answer like others

    def __post_init__(self) -> None:
        if not 0 <= self.redirects <= MOST_REDIRECTS:
            raise ValueError(f"redirects: from 0 to {MOST_REDIRECTS}, not {self.redirects}")


DEFAULT = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came, whatever its status."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: str  # that answered, after redirects


class Unanswered(Unreachable):
    """No answer came, or not in time. `reason`: without the URL."""

    code = "unanswered"

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(f"{shown} doesn't answer: {reason}")
        self.reason = reason


class _Closed(OSError):
    """The guard made no socket. All have the same text, so that several addresses of one host fail as one does."""

    def __init__(self, reason: str) -> None:
        super().__init__("the guard made no socket")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Two pools of connections, and how this node gets out."""

    rules: Rules
    strict: ClientSession
    private: ClientSession  # to hosts that the operator named, or to the proxy

    async def send(
        self,
        method: str,
        url: str,
        *,
        parameters: Parameters = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        named: bool = False,
        raw: bool = False,
        limits: Limits = DEFAULT,
    ) -> Answer:
        """Ask, and read the whole answer.

        `named`: the operator gave the host and port of this URL; where it redirects to counts as learnt. `raw`: the
        body as it travelled, with nothing said about codings; else gzip is asked for and unpacked.
        Raises Forbidden, Excessive, Damaged or Unanswered; none of them tells credentials or the query.
        """
        target = targets.read(url, parameters)
        fields = CIMultiDict({"User-Agent": AGENT} | ({} if raw else {"Accept-Encoding": "gzip"}))
        fields.update(headers or {})
        follows = method in SAFE and limits.redirects > 0
        try:
            async with asyncio.timeout(limits.total):
                for _ in range(1 + limits.redirects):
                    answer = await self._once(method, target, fields, body, limits, named=named, raw=raw)
                    location = answer.headers.get("Location") if answer.status in REDIRECTS and follows else None
                    if location is None:
                        return answer
                    before, target = target, targets.onward(target, location)
                    if target.origin != before.origin:
                        fields = CIMultiDict((name, told) for name, told in fields.items() if name.lower() in PLAIN)
                        named = False
        except TimeoutError as error:
            raise Unanswered(target.shown, f"not within {limits.total:g} s") from error
        raise Excessive(f"{targets.read(url).shown} redirects more than {limits.redirects} times")

    async def _once(
        self,
        method: str,
        target: Target,
        headers: CIMultiDict[str],
        body: bytes,
        limits: Limits,
        *,
        named: bool,
        raw: bool,
    ) -> Answer:
        """One request on one connection."""
        private = targets.admit(target, self.rules, named=named) or bool(self.rules.proxy)
        try:
            async with (self.private if private else self.strict).request(
                method,
                target.url,
                data=body or None,
                headers=headers,
                allow_redirects=False,
                proxy=self.rules.proxy or None,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connecting),
            ) as got:
                coding = "" if raw else got.headers.get("Content-Encoding", "")
                content = Body(coding, limits.body, target.shown)
                async for piece in got.content.iter_any():
                    content.feed(piece)
                return Answer(status=got.status, headers=got.headers, body=content.whole(), url=str(target.url))
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Closed):
                raise Forbidden(target.shown, error.os_error.reason) from error
            raise Unanswered(target.shown, _reason(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unanswered(target.shown, _reason(error)) from error


@contextlib.asynccontextmanager
async def open(rules: Rules | None = None) -> AsyncIterator[Door]:
    """A door for the length of the block; its connections are used again."""
    rules = rules or Rules()
    async with _session(rules, named=False) as strict, _session(rules, named=True) as private:
        yield Door(rules=rules, strict=strict, private=private)


def _session(rules: Rules, *, named: bool) -> ClientSession:
    return ClientSession(
        connector=TCPConnector(
            socket_factory=functools.partial(_socket, rules, named=named),
            limit=AT_ONCE,
            limit_per_host=AT_ONCE_PER_HOST,
        ),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=LINE,
        max_field_size=FIELD,
        max_headers=FIELDS,
    )


def _socket(rules: Rules, info: AddrInfo, *, named: bool) -> socket.socket:
    """A socket for the connection that is about to be made, if it may be."""
    family, kind, protocol, _, where = info
    try:
        why = guard.address(ip_address(where[0]), rules.allow, named=named)
    except ValueError as error:
        raise _Closed(f"{where[0]} is no IP address in its usual spelling") from error
    if why:
        raise _Closed(why)
    return socket.socket(family, kind, protocol)


def _reason(error: Exception) -> str:
    """One line, without the URL that some errors quote."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status} {error.message.partition(chr(10))[0]}"
    return str(error) or type(error).__name__
