"""A node that is up: what `tianlu run` and `tianlu demo` keep open, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from node import app, lifecycle, roles
from node.app import Node
from node.context import Context
from node.web import app as website
from node.z3950 import settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The open node and where it listens, by role."""

    node: Node
    addresses: dict[str, str]


@contextlib.asynccontextmanager
async def up(
    context: Context, playing: Collection[str], stop: asyncio.Event, *, debug: bool = False
) -> AsyncIterator[Service]:
    """Plays the roles for the length of the block, or until one of them fails. Sets `stop` at the end of the block.

    Conflict if the home has a running node, Misconfigured if a port can't be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(lifecycle.only(context.home))
        node = await stack.enter_async_context(app.open(context))
        addresses = {}
        if "web" in playing:
            addresses["web"] = await stack.enter_async_context(roles.serving(website.make(node), node.settings))
        listener = None
        if "z3950" in playing:
            told = node.settings.z3950
            settled.check(told, context.home)
            listener = stack.enter_context(roles.bound(told.host, told.port, "z3950"))
            addresses["z3950"] = roles.address_of(listener, tls=bool(told.certificate))
        stack.enter_context(lifecycle.noted(context.home, addresses))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        watching = tasks.create_task(node.database.watch())
        stack.callback(watching.cancel)
        stack.callback(stop.set)
        for role in roles.CHILDREN:
            if role in playing:
                its = listener if role == "z3950" else None
                command = roles.child_command(role, context.home, debug=debug, listener=its)
                tasks.create_task(roles.supervise(role, command, stop, listener=its))
        yield Service(node=node, addresses=addresses)
