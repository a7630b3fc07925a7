"""The nodes of the demonstration: each a `tianlu run` of its own with its own home and database, on one PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import io
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from catalog import libraries
from catalog.database import embedded
from catalog.database.embedded import Server
from catalog.work import workers
from config.errors import Fatal, Misconfigured, Unreachable
from config.secret import Secret
from node import app, roles
from node.app import Node
from node.commands import init, invite, join
from node.context import Context
from node.demo import cast, keeper
from node.demo.cast import Part
from node.output import Output
from protocols.http import door
from protocols.http.door import Door

HOST = "127.0.0.1"
OPERATOR = "operator"
PATIENCE = 120.0  # seconds for a node to come up on a busy machine
LOOK = 0.1  # seconds between looks
SAID = 8  # lines of a log that explain why a node doesn't come up
LOG = "node.log"

Tell = Callable[[int], None]  # how many steps are done


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node that is up."""

    part: Part
    context: Context  # of commands for this node
    node: Node
    address: str
    password: Secret  # of its operator


Network = Mapping[str, Member]  # by symbol, a parent before its children


def steps(parts: Sequence[Part]) -> int:
    """How often `up` tells how far it is."""
    return 3 * len(parts)


@contextlib.asynccontextmanager
async def up(context: Context, home: Path, parts: Sequence[Part], base_port: int, tell: Tell) -> AsyncIterator[Network]:
    """The network, joined, for the length of the block. Fatal if a node doesn't come up."""
    ports = {each.symbol: base_port + cast.PORTS * n for n, each in enumerate(parts)}
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        tell(done)

    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(embedded.server(home, settings=keeper.POSTGRES))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        watching = tasks.create_task(server.watch())
        stack.callback(watching.cancel)
        living = await stack.enter_async_context(asyncio.TaskGroup())  # ends before the server is watched no longer
        stack.callback(stop.set)
        made = await asyncio.gather(*(_made(context, server, home, each, ports[each.symbol], step) for each in parts))
        members = {}
        for part, (told, password) in zip(parts, made, strict=True):
            node = await stack.enter_async_context(app.open(told))
            await _register(node, part)
            members[part.symbol] = Member(
                part=part,
                context=told,
                node=node,
                address=f"http://{HOST}:{ports[part.symbol]}/",
                password=password,
            )
        for each in members.values():
            output = stack.enter_context((each.context.home / LOG).open("ab"))
            living.create_task(roles.supervise(each.part.symbol, _command(each), stop, output=output))
        await asyncio.gather(*(_ready(each, step) for each in members.values()))
        for part in parts:
            if part.parent:
                await _join(members[part.symbol], members[part.parent])
            step()
        yield members


def check_ports(parts: Sequence[Part], base_port: int) -> None:
    """Before anything is made, whether the likeliest thing will go wrong: Misconfigured if a port is taken."""
    for n, _ in enumerate(parts):
        for port in range(base_port + cast.PORTS * n, base_port + cast.PORTS * n + 2):  # of pages and of Z39.50
            _check_free(port)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            if isinstance(error, OverflowError):
                raise Misconfigured(f"--base-port: there is no port {port}") from error
            raise Misconfigured(roles.unavailable(error, HOST, port)) from error


async def _made(
    context: Context, server: Server, home: Path, part: Part, port: int, step: Callable[[], None]
) -> tuple[Context, Secret]:
    """The node's home and database; the context of its commands, and its operator's password."""
    file = home / f"{part.folder}.dsn"
    file.touch(0o600)
    file.write_text(await server.another(part.folder) + "\n", encoding="utf-8")
    made = await init.make(
        home / part.folder,
        {
            "node.tier": part.tier,
            "node.symbol": part.symbol,
            "node.name": part.own.name,
            "web.host": HOST,
            "web.port": port,
            "z3950.port": port + 1,
            "worker.processes": 1,
            "database.dsn_file": str(file),
            "access.totp": "nobody",  # trying it out takes no phone
        },
    )
    step()
    return dataclasses.replace(context, home=home / part.folder, told=made.settings), made.passwords[OPERATOR]


async def _register(node: Node, part: Part) -> None:
    """The libraries that the node has."""
    async with node.database.transaction() as conn:
        await libraries.rename(conn, part.own.symbol, part.own.name, part.own.name_en)
        await libraries.move(conn, part.own.symbol, part.own.area)
        for each in part.hosted:
            await libraries.add(conn, each)


def _command(member: Member) -> list[str]:
    return [sys.executable, "-m", "node.cli", "--home", str(member.context.home), "run", "--child"]


async def _ready(member: Member, step: Callable[[], None]) -> None:
    """Until the node answers and has a worker."""
    give_up = time.monotonic() + PATIENCE
    async with door.open() as out:
        while not await _answers(out, member):
            if time.monotonic() > give_up:
                said = (member.context.home / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
                raise Fatal(f"{member.part.symbol} does not come up: {' / '.join(said[-SAID:]) or 'it says nothing'}")
            await asyncio.sleep(LOOK)
    step()


async def _answers(out: Door, member: Member) -> bool:
    try:
        answer = await out.send("GET", f"{member.address}health", named=True)
    except Unreachable:
        return False
    if answer.status not in (200, 503):  # 503: its index is being made
        return False
    async with member.node.database.connection() as conn:
        return bool(await workers.every(conn))


async def _join(child: Member, parent: Member) -> None:
    """`tianlu invite` at the parent, `tianlu join` at the child."""
    told = await said(parent, invite, "--symbol", child.part.symbol, "--days", "1")
    await said(child, join, told[0]["code"])


async def said(member: Member, command: ModuleType, *words: str) -> list[dict[str, Any]]:
    """What a command of `tianlu --json` answers when it is given with these words at this node. Fatal if its exit code
    isn't 0."""
    parser = argparse.ArgumentParser(prog=command.NAME)
    command.arguments(parser)
    answer, notes = io.StringIO(), io.StringIO()
    out = Output(json=True, color=False, stdout=answer, stderr=notes)
    context = dataclasses.replace(member.context, out=out)
    code = await command.run(context, parser.parse_args(words))
    if code:
        told = answer.getvalue().strip() or notes.getvalue().strip()
        raise Fatal(f"tianlu {command.NAME} at {member.part.symbol} ends with exit code {code}: {told}")
    return [json.loads(line) for line in answer.getvalue().splitlines()]
