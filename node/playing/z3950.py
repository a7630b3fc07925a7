"""Answers Z39.50 clients."""

from __future__ import annotations

import asyncio
import socket

from node import roles
from node.app import Node
from node.z3950 import door


async def play(node: Node, stop: asyncio.Event, inherited: int | None) -> None:
    """On the open file of a socket that the parent listens on, or on a socket of its own. Misconfigured if the port
    can't be had."""
    told = node.settings.z3950
    own = roles.bound(told.host, told.port, "z3950") if inherited is None else socket.socket(fileno=inherited)
    with own as listener:
        async with door.open(node, listener):
            await stop.wait()
