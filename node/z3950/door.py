"""Opens the door: what sessions share, the desk, and the socket that clients come to (shell)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from config import z3950
from node.web import context
from node.web.context import Node
from node.z3950 import databases, listener, session, settled
from node.z3950.clerk import Clerk
from node.z3950.connection import Connection
from node.z3950.desk import Desk
from node.z3950.handshakes import Handshakes
from node.z3950.listener import Guard, Listens
from node.z3950.quick import Quick
from node.z3950.session import Session
from node.z3950.state import House
from node.z3950.tasks import Do, Send, Step
from node.z3950.turns import Turns
from node.z3950.visitors import NotAdmitted, Porter
from protocols.z3950.apdu import Apdu
from protocols.z3950.apdu.close import Close, CloseReason
from services.discovery.registry import Registry
from services.retrieval.remembered import Remembered
from services.retrieval.results import Shelf

PROGRAM = "tianlu"
LANG = "zh"  # of texts for people where the node's settings say none: most clients' users read it


class Client:
    """One client: its session, and the desk that does what the session wants."""

    __slots__ = ("_desk", "_session")

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk, self._session = desk, session

    def begin(self, request: Apdu) -> Step | None:
        """See `connection.Answers`."""
        if not self._desk.porter.is_known(self._session.state.visitor):
            return None
        step = self._session.on(request)
        while isinstance(step, Do):
            outcome = self._desk.at_once(self._session.state, step.task)
            if outcome is None:
                return step
            step = step.then(outcome)
        return step

    async def answer(self, request: Apdu, step: Step | None) -> Send:
        """See `connection.Answers`."""
        state = self._session.state
        if step is None:
            try:
                state.visitor = await self._desk.porter.again(state.visitor)
            except NotAdmitted:
                why = "the account can't be used any more"
                return Send([self.refuse(CloseReason.SECURITY_VIOLATION, why)], last=True)
            step = self._session.on(request)
        while isinstance(step, Do):
            step = step.then(await self._desk.perform(state, step.task))
        return step

    def refuse(self, reason: CloseReason, why: str) -> Close:
        """See `connection.Answers`."""
        return session.refusal(reason, why)

    def over(self) -> None:
        """See `connection.Answers`."""
        self._desk.left(self._session.state)


@contextlib.asynccontextmanager
async def open(node: Node, at: socket.socket) -> AsyncIterator[Guard]:
    """Answers on a socket that listens, for the length of the block. Misconfigured names a setting that can't be."""
    told, lang = node.settings.z3950, node.settings.lang or LANG
    house = House(
        told=told,
        databases=databases.of(told),
        clients=z3950.clients(told.clients),
        version=version("tianlu"),
        lang=lang,
        updates=True,
    )
    tls = settled.secured(told, node.home)
    with ThreadPoolExecutor(max_workers=told.at_work, thread_name_prefix="z3950") as threads:
        desk = Desk(
            database=node.database,
            reader=node.reader,
            shelf=Shelf(node.reader, node.database.visit, threads),
            remembered=Remembered(node.database.visit),
            porter=Porter(node.database, node.home, node.settings.access),
            clerk=Clerk(node.database, node.queue, lang),
            place=context.place(node),
            registry=Registry(),
            threads=threads,
            turns=Turns(told),
            quick=Quick(),
            lang=lang,
            sessions=Counter(),
        )

        def client(connection: Connection) -> Client:
            return Client(desk, Session(house, connection.address))

        guard = Guard(client, most=told.sessions, each=told.sessions_each, idle=told.idle)
        async with listener.listening(guard, lambda made: _serve(made, at, tls)):
            yield guard


async def _serve(guard: Guard, at: socket.socket, tls: ssl.SSLContext | None) -> Listens:
    own = at.dup()  # a server takes the socket away from whoever made it
    return Handshakes(guard, own, tls) if tls else await asyncio.get_running_loop().create_server(guard, sock=own)
