"""What settings of `z3950` say, looked at before anything is opened: a door that can't be stops the node's start."""

from __future__ import annotations

import ssl
from pathlib import Path

from config import z3950
from config.errors import Misconfigured
from config.settings import Z3950
from node.z3950 import databases


def check(told: Z3950, home: Path) -> None:
    """Misconfigured names what can't be."""
    secured(told, home)
    databases.of(told)
    z3950.clients(told.clients)


def secured(told: Z3950, home: Path) -> ssl.SSLContext | None:
    """How TLS is spoken, if it is; files are relative to the home folder. Misconfigured names the one that can't be
    used."""
    if not told.certificate:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.num_tickets = 0  # clients with YAZ up to 5.34 break on the tickets of TLS 1.3
    certificate, key = home / told.certificate, home / told.key if told.key else None
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"z3950.certificate, z3950.key: {certificate} can't be used: {error}") from error
    return made
