"""Connections of protocols that aren't HTTP (Z39.50): made by the same guard as those that are (shell).

Whoever is asked this way was named by the operator, at exactly this host and port; its address is judged all the same,
each one at the moment when it is connected to. They go past `exchange.proxy`, which takes HTTP only.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import cache
from ipaddress import ip_address
from typing import Any

from protocols.http import guard
from protocols.http.door import Unanswered
from protocols.http.guard import Forbidden, Rules

KEPT = 1 << 18  # bytes that wait to be read before the other side has to


async def connect(
    host: str, port: int, rules: Rules, *, tls: bool = False, seconds: float = 10.0
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a host that the operator named, with TLS if told: certificate and name are verified.

    Its addresses are tried in turn, within `seconds` altogether. Raises Forbidden or Unanswered.
    """
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        async with asyncio.timeout(seconds):
            infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            ends = [(family, str(where[0]), where) for family, _, _, _, where in infos]
            sock = await _first(ends, rules, shown, seconds)
            try:
                return await asyncio.open_connection(
                    sock=sock, limit=KEPT, ssl=_trusted() if tls else None, server_hostname=host if tls else None
                )
            except BaseException:
                sock.close()
                raise
    except TimeoutError as error:
        raise Unanswered(shown, f"no connection within {seconds:g} s") from error
    except ssl.SSLError as error:
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
        raise Unanswered(shown, f"TLS: {why or error}") from error
    except (OSError, UnicodeError) as error:
        raise Unanswered(shown, (isinstance(error, OSError) and error.strerror) or type(error).__name__) from error


async def _first(ends: Sequence[tuple[int, str, Any]], rules: Rules, shown: str, seconds: float) -> socket.socket:
    """A socket that is connected to the first (family, address, what a socket takes for it) that may be connected to
    and answers."""
    why, fault = "it has no address", None
    allowed = []
    for family, address, where in ends:
        if told := guard.address(ip_address(address), rules.allow, named=True):
            why = told
        else:
            allowed.append((family, where))
    for family, where in allowed:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(seconds / len(allowed)):
                await asyncio.get_running_loop().sock_connect(sock, where)
            return sock
        except (OSError, TimeoutError) as error:
            sock.close()
            fault = error
        except BaseException:
            sock.close()
            raise
    if fault is not None:
        raise fault
    raise Forbidden(shown, why)


@cache
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
