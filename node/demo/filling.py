"""Loads the libraries' files at the nodes that have them, through the same code as `tianlu load`."""

from __future__ import annotations

import asyncio
import contextlib
import io
from dataclasses import dataclass

from catalog import sources
from catalog.loads import Load
from catalog.model import LoadState
from config.errors import Fatal
from exchange import landing
from node.commands import load
from node.demo.cast import File
from node.demo.network import Member, Network
from node.output import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A file that is in."""

    file: File
    node: str  # symbol
    load: Load


async def fill(network: Network) -> list[Filled]:
    """All files, each node's one after the other. Fatal if one can't be taken."""
    found = await asyncio.gather(*(_node(each) for each in network.values()))
    return [filled for each in found for filled in each]


async def _node(member: Member) -> list[Filled]:
    return [await _file(member, each) for each in member.part.files]


async def _file(member: Member, file: File) -> Filled:
    async with member.node.database.transaction() as conn:
        source = await sources.add(conn, file.source, file.library, format=file.format, encoding=file.encoding)
    with contextlib.ExitStack() as stack:
        inputs = landing.open_inputs(stack, [str(file.path)])
        done, _, _ = await load.load_inputs(
            member.node,
            source,
            inputs,
            mode="changes",
            encoding="auto",
            assured=True,
            bar=Progress(io.StringIO(), "", None),  # the table of the network shows how far it is
        )
    if done.state is not LoadState.DONE:
        raise Fatal(f"{file.path} is {done.state.value} at {member.part.symbol}: {done.reason}")
    return Filled(file=file, node=member.part.symbol, load=done)
