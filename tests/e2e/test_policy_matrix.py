"""Every route × every role × one's own and another library, over real sockets; and the document that says the same."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from catalog import audit, bodies, libraries, loads, quarantine
from catalog.acts import Entry
from catalog.connection import Connection
from catalog.model import Library
from node.web import exchange_routes, machine, permits
from node.web.openapi import Route
from node.web.routes import ROUTES
from services.access import accounts, csrf, keys, sessions
from services.access.policy import ALL, OF_NODES, PUBLIC, Need, Permission, Role
from tests import access, builders, forms, network
from tests import policy_matrix as matrix
from tests.network import Stand
from tests.policy_matrix import FOREIGN, KEY, NODE, OWN, SIGNED, Probe
from tests.postgres import Postgres

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SHUT = (401, 403)
ABSENT = "CN-NONE"  # a library that nothing is of


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A node that keeps things of two libraries, accounts of each role in the one, and a child that has joined."""

    node: Stand
    child: Stand
    client: ClientSession
    key: str  # what a program presents
    numbers: Mapping[str, Mapping[str, str]]  # by library: of its load and of a key

    async def ask(
        self, column: str, method: str, path: str, tried: Probe, library: str
    ) -> tuple[int, str, Mapping[str, str]]:
        """(status, body, headers) of a request as this column makes it; redirects are not followed."""
        found = {"library": library, **self.numbers[library]}
        url = self.node.address.rstrip("/") + _filled(tried.path or path, found)
        headers, cookies = {"Accept": "application/json"}, ""
        if column == KEY:
            headers["Authorization"] = f"Bearer {self.key}"
        elif column == SIGNED:
            headers |= {"Signature": "sig=:AAAA:", "Signature-Input": 'sig=("@method");keyid="CN-CHILD"'}
        elif column != "nobody":
            cookies = await self._session(column)
            headers |= {"Cookie": f"{sessions.COOKIE}={cookies}", permits.FORM_TOKEN: csrf.token(cookies)}
        sent: dict[str, Any] = {}
        if method not in ("GET", "HEAD"):
            if tried.json is not None:
                sent["json"] = _filled(tried.json, found)
            elif tried.form is not None:
                sent["data"] = _filled(tried.form, found) | ({csrf.FIELD: csrf.token(cookies)} if cookies else {})
        async with self.client.request(method, url, headers=headers, allow_redirects=False, **sent) as got:
            return got.status, (await got.read()).decode("utf-8", "replace"), got.headers

    async def signed(self, method: str, tried: Probe, path: str) -> int:
        """Status of a request that the child signs."""
        body = b"" if tried.json is None else json.dumps(tried.json).encode()
        async with self.child.client(NODE) as client:
            answer = await client.send(method, tried.path or path, body)
            return answer.status

    async def _session(self, column: str) -> str:
        async with self.node.database.transaction() as conn:
            account = await accounts.get(conn, f"as-{column}")
            return await sessions.begin(conn, account, datetime.now(UTC))


def _filled(told: Any, found: Mapping[str, str]) -> Any:
    if isinstance(told, Mapping):
        return {name: _filled(value, found) for name, value in told.items()}
    return told.format(**found) if isinstance(told, str) else told


@pytest_asyncio.fixture
async def world(server: Postgres) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        node = await stack.enter_async_context(network.standing(server, NODE, tier="domain"))
        child = await stack.enter_async_context(network.standing(server, "CN-CHILD"))
        await network.joined(child, node)
        async with node.database.transaction() as conn:
            for symbol in (OWN, FOREIGN):
                await libraries.add(conn, Library(symbol=symbol, name=symbol, area="天津"))
            for role in Role:
                made = await access.an_account(conn, f"as-{role}", role, library=OWN)
                # Who has a duty must have set up one-time codes before anything else.
                await accounts.set_totp(conn, made.account, b"sealed")
            await access.an_account(conn, "visitor", Role.READER, library=OWN)
            whole = await access.an_account(conn, "whole", *matrix.OF_KEY, library=OWN)
            now = datetime.now(UTC)
            _, secret = await keys.issue(
                conn, whole, "-", matrix.SCOPES, days=1, rate=keys.FASTEST, by="os:root", now=now
            )
            numbers = {symbol: await _filled_library(conn, symbol) for symbol in (OWN, FOREIGN)}
            numbers[ABSENT] = {"load": "999999", "key": "999999", "source": "none", "case": "999999"}
            things = [
                Entry(actor="os:root", act="library.add", object=f"thing of {symbol}", library=symbol)
                for symbol in (OWN, FOREIGN)
            ]
            await audit.append(conn, *things)
        client = await stack.enter_async_context(forms.client())
        yield World(node=node, child=child, client=client, key=secret.reveal(), numbers=numbers)


async def _filled_library(conn: Connection, symbol: str) -> dict[str, str]:
    """An account with a key, a load, a record that came back and a correction; what they are called by."""
    made = await access.an_account(conn, f"post-{symbol}", Role.COPYIST, library=symbol)
    title = f"key of {symbol}"
    scopes = [keys.read_scope("copy")]
    key, _ = await keys.issue(conn, made, title, scopes, days=1, rate=1, by="os:root", now=datetime.now(UTC))
    source = await conn.fetchval("insert into source (name, library) values (lower($1), $1) returning source", symbol)
    load = await loads.begin(
        conn, source, symbol, mode="changes", origin="-", fingerprint=b"", carrier="auto", encoding="auto",
        assured=False,
    )  # fmt: skip
    case = quarantine.Case(
        source=source, library=symbol, load=load.load, position=0, ordinal=1, local_id="1", verdict="returned",
        rule="x", reason="x", carrier=1, digest=b"x", body=bodies.shrink(b"x"),
    )  # fmt: skip
    await quarantine.put(conn, [case])
    await conn.execute(
        "insert into peer (symbol, role, path, suite, key) values ($1, 'child', 'membership', 'ed25519', '')", symbol
    )
    await conn.execute(
        "insert into correction (id, peer, outward, target, tag, expected, old, new, state)"
        " select $1, peer, true, 'x', '245', '', '10\x1faa', '10\x1fab', 'stale' from peer where symbol = $1",
        symbol,
    )
    kept = bodies.shrink(builders.iso2709(builders.a_bib(local_id="1")))
    await conn.execute(
        """insert into record (source, local_id, library, load, format, carrier, encoding, visibility, dictionary,
               digest, stamp, title_hash, body) values ($1, '1', $2, $3, 2, 1, 'utf-8', 2, 0, '', '', 0, $4)""",
        source, symbol, load.load, kept,
    )  # fmt: skip
    await conn.execute("insert into quality_month values ($1, '2026-01-01', 1, 100, 0, 0, 0)", source)
    case_no = await conn.fetchval("select id from quarantine where load = $1", load.load)
    return {"load": str(load.load), "key": str(key.key), "source": symbol.lower(), "case": str(case_no)}


async def tried(world: World, row: matrix.Row, column: str) -> str:
    """What a column may by what it is answered."""
    route, method = row.route, row.method
    probe = matrix.probe(route, method)
    if column == SIGNED and route.allow == OF_NODES:
        return "401" if await world.signed(method, probe, route.path) in SHUT else "yes"
    status, body, headers = await world.ask(column, method, route.path, probe, OWN)
    assert status < 500, (method, route.path, column, body)
    if status in SHUT and not (status == 403 and probe.single):
        if status == 401 and route.allow != OF_NODES:
            assert headers["WWW-Authenticate"].startswith("Bearer")
        return str(status)
    if not (probe.single or probe.shows):
        assert status != 404 or route.allow == PUBLIC or route.path == "/account/codes.svg"
        return "yes"
    if probe.shows:
        shown = {each: probe.shows.format(library=each) in body for each in (OWN, FOREIGN)}
        return matrix.seen(own=shown[OWN], foreign=shown[FOREIGN])
    other, about, _ = await world.ask(column, method, route.path, probe, FOREIGN)
    if 403 == status == other:
        return "403"
    for each in (status, other):
        assert each not in SHUT or each in probe.refused, (method, route.path, column, each)
    if other == 404:
        status_of_none, about_none, _ = await world.ask(column, method, route.path, probe, ABSENT)
        assert (status_of_none, _bare(about_none)) == (404, _bare(about)), "it says that there is one elsewhere"
    return matrix.seen(own=status not in (*SHUT, 404), foreign=other not in (*SHUT, 404))


def _bare(problem: str) -> str:
    """What a refusal says, but for what was asked."""
    return re.sub(r"\d+", "N", json.loads(problem)["detail"].replace(FOREIGN, ABSENT))


async def test_every_route_is_open_to_those_alone_whom_its_policy_names(world: World) -> None:
    wrong = []
    for row in matrix.rows():
        for column, expected in row.cells.items():
            found = await tried(world, row, column)
            if found != expected:
                wrong.append(f"{row.method} {row.route.path} as {column}: {found} instead of {expected}")
    assert not wrong, "\n".join(wrong)


async def test_methods_that_a_route_does_not_name_are_nobodys(world: World) -> None:
    for route in ROUTES:
        named = {*route.methods, *(("HEAD",) if "GET" in route.methods else ())}
        for method in set(METHODS) - named:
            for column in ("nobody", "operator", KEY):
                probe = Probe(path=matrix.probe(route, route.methods[0]).path)
                status, _, _ = await world.ask(column, method, route.path, probe, OWN)
                assert status == 405, (method, route.path, column)


async def test_other_nodes_are_believed_by_their_signature_alone(world: World, server: Postgres) -> None:
    """Neither an account nor a key opens what is for nodes, and a child's signature nothing else."""
    async with network.standing(server, "CN-STRANGER") as stranger:
        ways = [route for route in ROUTES if route.allow == OF_NODES and route.path != "/x/join"]
        assert len(ways) >= 7
        for route in ways:
            probe = matrix.probe(route, route.methods[0])
            status, _, _ = await world.ask(SIGNED, route.methods[0], route.path, probe, OWN)
            assert status == 401
        async with world.child.client(NODE) as client:
            client.keyring, client.me = stranger.keyring, "CN-STRANGER"
            for route in ways:
                method = route.methods[-1]
                answer = await client.send(method, matrix.probe(route, method).path or route.path, b"{}")
                assert answer.status == 401, route.path


def test_a_route_that_nobody_says_how_to_try_fails() -> None:
    need = Need(permission=Permission.LOOK)
    for path, allow in (("/new", need), ("/new/{thing}", PUBLIC)):
        with pytest.raises(LookupError, match="how it is tried"):
            matrix.probe(Route(path=path, handler=ROUTES[0].handler, summary="-", allow=allow), "GET")
    assert {each.split(" ")[0] for each in matrix.PROBES} <= {route.path for route in ROUTES}


async def test_an_operation_without_an_entry_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = {name: need for name, need in machine.VERBS.items() if name != "ListSets"}
    monkeypatch.setattr(machine, "VERBS", fewer)
    status, _, _ = await world.ask("operator", "GET", "/oai", Probe(path="/oai?verb=ListSets"), OWN)
    assert status == 403
    status, _, _ = await world.ask("nobody", "GET", "/oai", Probe(path="/oai?verb=Identify"), OWN)
    assert status == 200
    monkeypatch.setattr(exchange_routes, "CHANNELS", {"clusters": OF_NODES})
    monkeypatch.setattr(exchange_routes, "WAYS", {"down": OF_NODES})
    for method, path in (("GET", "/x/down/notices?epoch=0&seq=0&link="), ("POST", "/x/reconcile/clusters/up")):
        assert await world.signed(method, Probe(path=path), "") == 404


async def test_an_address_that_the_table_does_not_name_is_not_served(world: World) -> None:
    """Whatever the router knows: here the table has forgotten a route that the router has."""
    table = world.node.serving.app[permits.TABLE]
    assert isinstance(table, dict)
    del table["/about"]
    assert (await world.ask("operator", "GET", "/about", Probe(), OWN))[0] == 404
    assert (await world.ask("nobody", "GET", "/libraries", Probe(), OWN))[0] == 200


async def test_a_role_within_one_library_reaches_no_other_whatever_it_is(world: World) -> None:
    """Duties too may be given within a library."""
    async with world.node.database.transaction() as conn:
        for role in (Role.OPERATOR, Role.SECURITY, Role.AUDITOR):
            account = await accounts.get(conn, f"as-{role}")
            for grant in account.grants:
                await accounts.take(conn, account.account, grant)
                assert grant.library == ALL
            await conn.execute(
                "insert into account_role (account, role, library, given_by) values ($1, $2, $3, 'os:root')",
                account.account, str(role), OWN,
            )  # fmt: skip
    for row in matrix.rows():
        for role in (Role.OPERATOR, Role.SECURITY, Role.AUDITOR):
            if row.cells[str(role)] == "all":
                assert await tried(world, row, str(role)) == "own", (row.method, row.route.path, role)


def test_the_document_says_what_is_tried() -> None:
    text = matrix.DOCUMENT.read_text(encoding="utf-8")
    assert matrix.written(text) == text, "run `python -m tests.policy_matrix --write` and look at what has changed"
