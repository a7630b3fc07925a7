"""What other nodes ask first: to join (`/x/join`), and who is there (`/x/hello`)."""

from __future__ import annotations

from aiohttp import web

from catalog import audit, peers
from catalog.acts import Entry
from config import profile
from config.errors import Refused
from exchange import greeting, joining
from exchange.greeting import Greeted, Hello, Join
from exchange.model import Cursor
from node.web import context, exchange_door
from node.web.exchange_door import Caller, answer


async def join(request: web.Request, told: Join) -> web.Response:
    """A library's node comes with a one-time code."""
    door = request.app[exchange_door.DOOR]
    node = door.node
    if not profile.load(node.settings.node.tier).aggregate:
        raise Refused(f"{node.symbol} takes no records from other nodes")
    async with node.database.transaction() as conn:
        joined = await joining.admit(
            conn, told, me=node.symbol, name=context.site(node), key=door.keyring.key(), now=door.clock()
        )
        act = Entry(actor=f"node:{told.symbol}", act="peer.joined", object=told.symbol, library=told.symbol)
        await audit.append(conn, act)
    return answer(joined)


async def hello(_request: web.Request, caller: Caller) -> web.Response:
    """A child is there: the version of the protocol to speak, and how far we have heard it."""
    told = caller.message(Hello)
    proto = greeting.agree(told.proto, caller.peer.symbol)
    async with caller.door.node.database.connection() as conn:
        await peers.seen(conn, caller.peer.no, proto=proto, skew=caller.skew)
        heard = await peers.heard(conn, caller.peer.no)
    cursors = {channel: Cursor(*place) for channel, place in heard.items()}
    return answer(Greeted(proto=proto, cursors=cursors, time=caller.door.clock()))
