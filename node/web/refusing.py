"""Refusals that cost next to nothing: made before a request is looked at, in both languages, with all headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

from aiohttp import web

from node.web.openapi import PROBLEM
from node.web.texts import TEXTS

RETRY_AFTER = "5"  # seconds
LATER = (429, 503)  # that say when to come back


def known(status: int) -> str:
    """The key of the text about a status."""
    return f"error_{status}" if f"error_{status}" in TEXTS else "error_other"


@lru_cache(maxsize=64)
def _problem(status: int, detail: str) -> bytes:
    told = {"type": "about:blank", "title": TEXTS[known(status)]["en"], "status": status}
    return json.dumps(told | ({"detail": detail} if detail else {}), ensure_ascii=False).encode()


@lru_cache(maxsize=64)
def _page(status: int, detail: str) -> bytes:
    zh, en = TEXTS[known(status)]["zh"], TEXTS[known(status)]["en"]
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{zh} · {en}</title>'
        f'<link rel="stylesheet" href="/static/tianlu.css"><main><h1>{zh}</h1><p lang="en">{en}</p>'
        f"<p>{detail}</p></main></html>\n"
    ).encode()


def answer(status: int, detail: str = "", *, page: bool = False, close: bool = False) -> web.Response:
    """A refusal as a problem (RFC 9457) or a page. `detail` is our own sentence, never the visitor's words. `close` =
    what follows on the connection can't be understood."""
    body, kind = (_page, "text/html") if page else (_problem, PROBLEM)
    response = web.Response(body=body(status, detail), status=status, content_type=kind)
    if page:
        response.charset = "utf-8"
    response.headers["Cache-Control"] = "no-store"
    if status in LATER:
        response.headers["Retry-After"] = RETRY_AFTER
    if close:
        response.force_close()
    return response


def raw(status: int, headers: Mapping[str, str], *, page: bool = False, close: bool = True) -> bytes:
    """The whole answer as bytes, for those who aren't let in to aiohttp."""
    body = (_page if page else _problem)(status, "")
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Type: {'text/html; charset=utf-8' if page else PROBLEM}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        f"Retry-After: {RETRY_AFTER}",
        f"Connection: {'close' if close else 'keep-alive'}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
