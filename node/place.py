"""A node's place in the network, by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from config.settings import Settings
from services.discovery.scope import Kind, Place

# What everything that a node of a tier holds is called in the scope bar.
KINDS: Mapping[str, Kind] = {"local": "here", "domain": "province", "central": "nation"}


class Told(Protocol):
    """What a node says of itself."""

    @property
    def settings(self) -> Settings:
        """Those of the node."""
        ...

    @property
    def symbol(self) -> str:
        """Code of its own library."""
        ...


def site(node: Told) -> str:
    """The name at the top of every page."""
    return node.settings.node.name or node.symbol


def place(node: Told) -> Place:
    """The node's place in the network. Readers of a library's own node look from that library."""
    told = node.settings.node
    home = node.symbol if told.tier == "local" else ""
    return Place(symbol=node.symbol, name=site(node), kind=KINDS[told.tier], home=home)
