"""Visitors of a web door, in one process: those who wait for their answer, those who come at a set rate whatever
happens, and those who open sockets and say nothing. Each says by X-Forwarded-For who it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from statistics import quantiles

import uvloop

PATIENCE = 5.0  # seconds
WORDS = ("历史", "文学", "中国", "经济", "教育", "history", "garden", "红楼梦", "hongloumeng", "科学", "研究", "社会")
KINDS = ("book", "serial", "map", "music")


@dataclass(slots=True)
class Seen:
    """What a crowd got: seconds of the answers that were given, and how many of each status."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bare: int = 0  # refusals that don't say when to come back
    seconds: float = 0.0

    @property
    def good(self) -> float:
        """Answers a second."""
        return self.statuses[200] / self.seconds if self.seconds else 0.0

    def within(self, share: float) -> float:
        """Milliseconds within which so many hundredths of the answers came."""
        if len(self.waits) < 2:
            return 0.0
        return quantiles(self.waits, n=100, method="inclusive")[round(share) - 1] * 1000


def searches(seed: int) -> Iterator[str]:
    """Addresses of searches as a crawler follows them: words, facets, orders, pages."""
    draw = random.Random(seed)
    while True:
        facet = draw.choice(("", f"&year={draw.randint(1950, 2020)}", f"&kind={draw.choice(KINDS)}"))
        page = draw.choice((1, 1, 1, 2, 5))
        yield f"/search?q={draw.choice(WORDS)}{facet}&page={page}&sort={draw.choice(('relevance', 'newest'))}"


def addresses(block: str = "") -> Iterator[str]:
    """Visitors' addresses: each of another block, or all of one like `203.0.113`."""
    for n in itertools.cycle(range(1, 250)):
        yield f"{block}.{n}" if block else f"100.{64 + n % 60}.{n}.7"


class Door:
    """A web door with connections that are used again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str, address: str) -> tuple[int, bool]:
        """(status, whether a refusal says when to come back); status 0 if the connection breaks."""
        for _ in range(2):  # a kept connection may have been ended meanwhile
            old = bool(self._free)
            try:
                reader, writer = self._free.pop() if old else await asyncio.open_connection("127.0.0.1", self.port)
                target = path.encode("utf-8")
                quoted = "".join(chr(each) if each < 128 else f"%{each:02X}" for each in target)
                asked = (
                    f"GET {quoted} HTTP/1.1\r\nHost: bench\r\nAccept: text/html\r\nX-Forwarded-For: {address}\r\n\r\n"
                )
                writer.write(asked.encode())
                head = await reader.readuntil(b"\r\n\r\n")
                fields = head.lower().split(b"\r\n")
                length = next((int(each[15:]) for each in fields if each.startswith(b"content-length:")), 0)
                await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError):
                if old:
                    continue
                return 0, False
            if b"connection: close" in fields:
                writer.close()
            else:
                self._free.append((reader, writer))
            return int(head.split()[1]), any(each.startswith(b"retry-after:") for each in fields)
        return 0, False

    async def visit(self, path: str, address: str, seen: Seen) -> None:
        """One request, noted down."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                status, told = await self.get(path, address)
        except TimeoutError:
            status, told = 0, False
        seen.statuses[status] += 1
        if status == 200:
            seen.waits.append(time.perf_counter() - began)
        elif status in (429, 503):
            seen.bare += not told


async def patient(door: Door, count: int, seconds: float, block: str = "") -> Seen:
    """`count` visitors, each of whom asks again when it has its answer."""
    seen, end, began = Seen(), time.perf_counter() + seconds, time.perf_counter()

    async def one(n: int, address: str) -> None:
        paths = searches(n)
        while time.perf_counter() < end:
            await door.visit(next(paths), address, seen)

    await asyncio.gather(*(one(n, address) for n, address in zip(range(count), addresses(block), strict=False)))
    seen.seconds = time.perf_counter() - began
    return seen


async def steady(
    door: Door, rate: float, seconds: float, block: str = "", paths: Callable[[int], Iterator[str]] = searches
) -> Seen:
    """`rate` visitors a second, whether those before have their answers or not."""
    seen, began = Seen(), time.perf_counter()
    wanted, whose = paths(1), addresses(block)
    async with asyncio.TaskGroup() as tasks:
        for n in range(round(rate * seconds)):
            if (wait := began + n / rate - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.create_task(door.visit(next(wanted), next(whose), seen))
        sent = time.perf_counter() - began
    seen.seconds = max(sent, seconds)
    return seen


@contextlib.asynccontextmanager
async def silent(port: int, count: int) -> AsyncIterator[None]:
    """`count` sockets that say nothing or half a header, opened again when they are cut, of another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.visitors", str(port), str(count), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    await process.stdout.readline()  # all are open
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _silent(port: int, count: int) -> None:
    loop, opened, all_open = asyncio.get_running_loop(), 0, asyncio.Event()

    async def one(n: int) -> None:
        nonlocal opened
        await asyncio.sleep(n / 2000)
        while True:
            with contextlib.suppress(OSError), socket.socket() as each:
                each.setblocking(False)
                await loop.sock_connect(each, ("127.0.0.1", port))
                await loop.sock_sendall(each, (b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-")[n % 2])
                opened += 1
                if opened >= count:
                    all_open.set()
                await loop.sock_recv(each, 1)
            await asyncio.sleep(1.0)

    async with asyncio.TaskGroup() as tasks:
        for n in range(count):
            tasks.create_task(one(n))
        await all_open.wait()
        print("open", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_silent(int(sys.argv[1]), int(sys.argv[2])))
