"""What a node may ask of another in an hour: beyond it, it is told when to go on, and understands."""

from __future__ import annotations

from aiohttp import web

from exchange import greeting
from exchange.peer import Busy
from node.web import exchange_door
from node.web.allowance import Allowance
from node.web.exchange_door import Caller
from node.web.openapi import Route
from services.access.policy import Need, Permission
from tests import network
from tests.postgres import Postgres


async def _echo(_request: web.Request, caller: Caller) -> web.Response:
    return web.Response(body=caller.body, content_type=greeting.MEDIA)


ROUTE = Route(
    path="/x/echo",
    handler=exchange_door.signed(_echo),
    summary="",
    allow=Need(permission=Permission.EXCHANGE),
    methods=("POST",),
)


async def test_a_node_that_asks_too_much_is_told_when_to_go_on(server: Postgres) -> None:
    async with (
        network.standing(server, "CENTRE", tier="central", routes=(ROUTE,)) as centre,
        network.standing(server, "TJU") as greedy,
        network.standing(server, "SZL") as other,
    ):
        await network.joined(greedy, centre)
        await network.joined(other, centre)
        centre.door.allowance = Allowance({"requests": 3, "bytes": 1_000_000})
        async with greedy.client("CENTRE") as client, other.client("CENTRE") as another:
            for _ in range(4):
                assert (await client.send("POST", "/x/echo", b"a")).status == 200
            refused = await client.send("POST", "/x/echo", b"a")
            busy = client.refusal(refused)
            assert refused.status == 429 and isinstance(busy, Busy)
            assert 1100 < busy.pause <= 1200  # one request, of which an hour brings three
            assert "more requests than the 3 that an hour has for each node" in str(busy)
            assert (await another.send("POST", "/x/echo", b"a")).status == 200

            # Bytes count both ways.
            centre.door.allowance = Allowance({"requests": 1000, "bytes": 900_000})
            for _ in range(2):
                assert (await client.send("POST", "/x/echo", bytes(300_000))).status == 200
            refused = await client.send("POST", "/x/echo", bytes(300_000))
            assert isinstance(busy := client.refusal(refused), Busy) and busy.pause > 1000
            assert (await another.send("POST", "/x/echo", bytes(300_000))).status == 200
