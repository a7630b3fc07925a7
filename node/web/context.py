"""What the web door needs of its node, and what every handler finds at its application and its request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import web

from catalog.connection import Connection
from catalog.database.pool import Database
from catalog.search.port import Reader
from catalog.work.queue import Queue
from config.settings import Settings
from node.place import place as place
from node.place import site as site
from node.web.openapi import Route
from services.access.policy import NOWHERE, Actor, Need, Permission, Reach, Subject
from services.access.sessions import Session
from services.discovery.ask import Asker
from services.discovery.registry import Registry
from services.discovery.scope import Place


class Node(Protocol):
    """What the composition root hands to the web door."""

    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def symbol(self) -> str: ...
    @property
    def home(self) -> Path: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request as the middleware sees it."""

    id: str  # shown on error pages and written to the log
    lang: str  # zh or en


NODE = web.AppKey("node", Node)
ROUTES: web.AppKey[Sequence[Route]] = web.AppKey("routes", Sequence)
PLACE = web.AppKey("place", Place)
REGISTRY = web.AppKey("registry", Registry)
ASKER = web.AppKey("asker", Asker)
OAI_KEY = web.AppKey("oai_key", bytes)
VISIT = web.RequestKey("visit", Visit)
NEED = web.RequestKey("need", Need)  # what this request takes (permits)
ACTOR = web.RequestKey("actor", Actor)  # who asks (permits)
SESSION: web.RequestKey[Session | None] = web.RequestKey("session", Session)  # of the cookie (visitor.session)


def node_of(request: web.Request) -> Node:
    """The node that answers."""
    return request.app[NODE]


def connection(request: web.Request) -> AbstractAsyncContextManager[Connection]:
    """A connection for the time of an `async with`, to read what is public; a passing fault of the database, or a
    statement that takes too long, becomes Retry (503)."""
    return node_of(request).database.visit()


def private(request: web.Request, permission: Permission | None = None) -> AbstractAsyncContextManager[Connection]:
    """The same with what is private of the visitor's account, and of the libraries within the reach of what the request
    takes, or of another permission. Queries filter by reach all the same; the database does so once more."""
    actor = request[ACTOR]
    if permission is None and request[NEED].subject is Subject.SELF:
        seen = NOWHERE
    else:
        seen = actor.reach(permission or request[NEED].permission)
    return node_of(request).database.private(actor.account, seen.within)


def reach(request: web.Request) -> Reach:
    """The libraries whose things this request may see or touch."""
    return request[ACTOR].reach(request[NEED].permission)


def lang_of(request: web.Request) -> str:
    """The visitor's language, zh or en."""
    return request[VISIT].lang


def origin(request: web.Request) -> str:
    """Scheme, host and port of the node: as the operator told them (behind a proxy), else as the visitor asked."""
    told = node_of(request).settings.web.base_url
    return told.rstrip("/") or f"{request.scheme}://{request.host}"


def lasting(request: web.Request) -> str:
    """The same for addresses that programs and other nodes keep: where nobody has said what visitors know, the one that
    other nodes know, and not the one behind a proxy by which this request came.
    """
    settings = node_of(request).settings
    told = settings.exchange.address if not settings.web.base_url else ""
    return told.rstrip("/") or origin(request)
