"""The rules of the outgoing door, as the settings of this node say."""

from __future__ import annotations

from config import allow
from config.settings import Settings
from protocols.http.guard import Rules


def rules(settings: Settings) -> Rules:
    """For the outgoing door (`protocols.http.door`)."""
    return Rules(proxy=settings.exchange.proxy.reveal(), allow=allow.read(settings.http.allow))
