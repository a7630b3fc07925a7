"""Sends records to other nodes and fetches theirs."""

from __future__ import annotations

import asyncio

from exchange import running
from node import alone, identity, outgoing
from node.app import Node


async def play(node: Node, stop: asyncio.Event, inherited: int | None) -> None:
    """By the node's key, through the outgoing door."""
    await running.run(
        node.database,
        node.queue,
        symbol=node.symbol,
        keyring=identity.keyring(node.home, node.settings),
        rules=outgoing.rules(node.settings),
        stop=stop,
        alone=alone.alone,
        accepts=node.settings.exchange.corrections == "accept",
        audited_days=node.settings.audit.days,
    )
