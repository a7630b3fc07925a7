"""The proxy itself: what it counts, and that its weather does what it says."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.chaos import proxy
from tests.chaos.proxy import Meter, Weather

BODY = b"PATCH /x/up/ff HTTP/1.1\r\n\r\n"  # looks like a head, and is none


def part(link: str, offset: int) -> bytes:
    return (
        f"PATCH /x/up/{link} HTTP/1.1\r\nHost: x\r\nUpload-Offset: {offset}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_segments_are_counted_where_they_begin(piece: int) -> None:
    passing = part("aa", 0) + part("aa", 27) + b"HEAD /x/up/aa HTTP/1.1\r\n\r\n" + part("bb", 0) + part("aa", 0)
    found: Counter[str] = Counter()
    meter = Meter(found)
    for at in range(0, len(passing), piece):
        meter.pass_by(passing[at : at + piece])
    assert found == {"aa": 2, "bb": 1}


async def through(weather: Weather, size: int) -> bytes:
    """What is left of so many zeros that are sent by way of the proxy."""
    arrived = bytearray()
    over = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                arrived.extend(data)
        except ConnectionError:
            pass
        writer.close()
        over.set()

    behind = await asyncio.start_server(take, "127.0.0.1", 0)
    async with behind, proxy.before(behind.sockets[0].getsockname()[1]) as between:
        await between.turn(weather)
        port = int(between.address.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(size))
        writer.write_eof()
        await asyncio.wait_for(over.wait(), 10.0)
        writer.close()
    return bytes(arrived)


async def test_fair_weather_changes_nothing() -> None:
    assert await through(Weather(), 200_000) == bytes(200_000)


async def test_a_bit_flips_after_every_so_many_bytes() -> None:
    arrived = await through(Weather(flip=100_000), 250_000)
    assert len(arrived) == 250_000
    assert [at for at, byte in enumerate(arrived) if byte] == [99_999, 199_999]


async def test_a_line_is_cut_after_so_many_bytes() -> None:
    assert len(await through(Weather(cut=100_000), 250_000)) <= 100_000
