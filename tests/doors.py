"""Servers on this machine for the outgoing door: one stands for the Internet, another counts who comes.

127.0.0.2 stands for the public Internet (the only address that `RULES` allow), 127.0.0.1 for what must not be reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config import allow
from protocols.http.guard import Rules

PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
RULES = Rules(allow=allow.read(f"{PUBLIC}/32"))
PATIENCE = 30.0  # seconds for what takes none
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Names = dict[str, list[Sequence[str]]]


class Watched:
    """A server that nobody may reach, and how often somebody did."""

    def __init__(self, server: asyncio.Server) -> None:
        self.port: int = server.sockets[0].getsockname()[1]
        self.accepted = 0
        self.seen = asyncio.Event()

    async def strangers(self) -> int:
        """How many have connected. Connections are accepted in order, so ours is the last of them."""
        self.seen.clear()
        before = self.accepted
        _, writer = await asyncio.open_connection(PRIVATE, self.port)
        while self.accepted == before:
            await asyncio.wait_for(self.seen.wait(), PATIENCE)
        writer.close()
        return self.accepted - 1


@contextlib.asynccontextmanager
async def watching() -> AsyncIterator[Watched]:
    """A watched server on the private address."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.accepted += 1
        there.seen.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, PRIVATE, 0)
    async with server:
        there = Watched(server)
        yield there


@contextlib.asynccontextmanager
async def serving(
    routes: Mapping[str, Handler], host: str = PUBLIC, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A server's address without a slash at the end."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_route("*", path, handler)
    server = TestServer(app, host=host, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def raw(serve: Serve) -> AsyncIterator[str]:
    """A server of which the test writes every byte."""
    done = asyncio.Event()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        done.set()

    server = await asyncio.start_server(served, PUBLIC, 0)
    async with server:
        yield f"http://{PUBLIC}:{server.sockets[0].getsockname()[1]}"
        await asyncio.wait_for(done.wait(), PATIENCE)  # nothing is left behind


def says(body: bytes, status: int = 200, **headers: str) -> Handler:
    """The same answer to everything."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={n.replace("_", "-"): v for n, v in headers.items()})

    return handler


def leads(to: str, status: int = 302) -> Handler:
    """A redirect."""
    return says(b"", status, Location=to)


def naming(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Answers of the DNS by name, one list of addresses for each time that it is asked; the last one stays."""
    answers: Names = {}
    real = socket.getaddrinfo

    def fake(host: str, port: object, *how: object, **named: object) -> object:
        if host not in answers:
            return real(host, port, *how, **named)  # type: ignore[arg-type]
        told = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in told
        ]

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return answers


def certified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context with a certificate for secure.test that clients trust for the length of the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "secure.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("secure.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "secure.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context
