"""Takes connections of clients that speak TLS: a handshake counts from the moment that somebody connects (shell).

A server of the loop makes a connection known only when its handshake is done, and who never begins one would not be
counted. Here there are as many handshakes at once as connections, of all and of one address; the oldest makes room.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter

from node.web import address
from node.z3950 import listener
from node.z3950.listener import Guard

log = logging.getLogger(__name__)

BACKLOG = 100  # clients that may have connected before they are taken
PAUSE = 1.0  # seconds after the system gave no connection: it has no descriptors left


class Handshakes:
    """Takes connections until it is closed."""

    def __init__(self, guard: Guard, at: socket.socket, tls: ssl.SSLContext) -> None:
        """`at` is its own, and listens from now on."""
        self._guard, self._at, self._tls = guard, at, tls
        self._under_way: dict[asyncio.Task[None], tuple[str, float]] = {}  # (host, since), oldest first
        self._of: Counter[str] = Counter()  # by address; "" can't be told apart
        at.setblocking(False)
        at.listen(BACKLOG)
        self._accepting = asyncio.create_task(self._accept())

    def __len__(self) -> int:
        return len(self._under_way)

    def close(self) -> None:
        """Take no more, and end those that are not done."""
        self._accepting.cancel()
        for each in list(self._under_way):
            each.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    plain, peer = await loop.sock_accept(self._at)
                except OSError as error:
                    log.warning("no connection could be taken: %s", error)
                    await asyncio.sleep(PAUSE)
                    continue
                self._take(plain, _host(peer))
        finally:
            self._at.close()

    def _take(self, plain: socket.socket, host: str) -> None:
        if host and self._of[host] >= self._guard.each:
            its = (task for task, (other, _) in self._under_way.items() if other == host)
            room = self._make_room(next(its, None))
        elif len(self._under_way) >= self._guard.most:
            room = self._make_room(next(iter(self._under_way), None))
        else:
            room = True
        if not room:
            plain.close()
            return
        task = asyncio.create_task(self._shake(plain))
        self._under_way[task] = host, self._guard.clock()
        self._of[host] += 1
        task.add_done_callback(self._over)

    async def _shake(self, plain: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._guard, plain, ssl=self._tls, ssl_handshake_timeout=listener.FIRST
            )
        except OSError as error:  # of TLS, of the network, of time
            self._guard.cuts["no handshake"] += 1
            log.debug("a handshake failed: %s", error)

    def _over(self, task: asyncio.Task[None]) -> None:
        """It counts no longer, whether it is done or was cut."""
        if told := self._under_way.pop(task, None):
            host = told[0]
            self._of[host] -= 1
            if self._of[host] <= 0:
                del self._of[host]

    def _make_room(self, victim: asyncio.Task[None] | None) -> bool:
        if victim is None or self._guard.clock() - self._under_way[victim][1] < listener.YOUNG:
            self._guard.cuts["refused"] += 1
            return False
        self._guard.cuts["no room"] += 1
        self._over(victim)
        victim.cancel()
        return True


def _host(peer: object) -> str:
    told = address.read(str(peer[0])) if isinstance(peer, tuple) and peer else None
    return "" if told is None or told.is_loopback else address.host(str(told))
