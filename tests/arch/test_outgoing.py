"""Requests go out by one door: nothing else in the program can make one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.guard import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
DOOR = ROOT / "protocols" / "http"
CLIENTS = ("aiohttp", "http.client", "httpx", "requests", "urllib.request", "urllib3")
# What may be imported of them elsewhere, as it begins: what serves, and names of the protocol.
SERVING = ("aiohttp:web", "aiohttp:StreamReader", "aiohttp:hdrs", "aiohttp.web", "aiohttp.http")


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) of every import, name "" where the module itself is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, each.name) for each in node.names)


def clients(source: str) -> list[str]:
    """The imports by which a module could ask something over HTTP past the door."""
    return [
        f"{module}:{name}"
        for module, name in imported(ast.parse(source))
        for client in CLIENTS
        if (module == client or f"{module}.{name}" == client or module.startswith(f"{client}."))
        and not f"{module}:{name}".startswith(SERVING)
    ]


def test_only_the_door_makes_requests() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if not path.is_relative_to(DOOR)]
    assert len(files) > 200
    found = {str(path.relative_to(ROOT)): names for path in files if (names := clients(path.read_text("utf-8")))}
    assert not found


CONNECTING = {"open_connection", "create_connection", "sock_connect", "create_datagram_endpoint", "connect_ex"}


def connecting(source: str) -> set[str]:
    """The calls by which a module could connect past the door."""
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)} & CONNECTING


def test_only_the_door_connects() -> None:
    """Protocols that aren't HTTP go by `protocols.http.connect`, which judges each address."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if not path.is_relative_to(DOOR)]
    found = {str(path.relative_to(ROOT)): names for path in files if (names := connecting(path.read_text("utf-8")))}
    assert not found
    assert connecting((DOOR / "connect.py").read_text("utf-8")) == {"open_connection", "sock_connect"}


@pytest.mark.parametrize(
    "source",
    [
        "import aiohttp",
        "import aiohttp as a",
        "from aiohttp import ClientSession",
        "from aiohttp import client, web",
        "from aiohttp.client import ClientSession",
        "def late():\n    import urllib.request",
        "from urllib import request",
        "from http import client",
        "import http.client",
        "import requests",
    ],
)
def test_other_ways_out_would_be_seen(source: str) -> None:
    assert clients(source)


@pytest.mark.parametrize(
    "source",
    [
        "from aiohttp import web",
        "from aiohttp.web_protocol import RequestHandler",
        "from http import HTTPStatus",
        "import urllib.parse",
    ],
)
def test_what_serves_is_no_way_out(source: str) -> None:
    assert not clients(source)
