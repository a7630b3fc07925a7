"""Keys for programs: made, looked up, bounded by their account, metered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from catalog import libraries
from catalog.connection import Connection
from catalog.model import Library
from config.errors import NotFound
from services.access import accounts, keys
from services.access.accounts import Account
from services.access.keys import Key
from services.access.policy import Grant, Permission, Reach, Role, Scope

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOOK, READ = Scope(permission=Permission.LOOK), Scope(permission=Permission.READ)


async def _account(conn: Connection, name: str = "wang", library: str = "CN-A", *roles: Role) -> Account:
    if await libraries.get(conn, library) is None:
        await libraries.add(conn, Library(symbol=library, name=library))
    made = await accounts.add(conn, name, library=library, password="x", by="test", must_change=False)
    for role in roles:
        await accounts.give(conn, made.account, Grant(role=role, library=library), "test")
    return await accounts.get(conn, name)


async def _key(conn: Connection, account: Account, *scopes: Scope, days: int = 90, rate: int = 60) -> tuple[Key, str]:
    made, secret = await keys.issue(
        conn, account, "夜间同步", scopes or (READ,), days=days, rate=rate, by="test", now=NOW
    )
    return made, secret.reveal()


async def test_a_key_speaks_for_its_account_within_its_scopes(conn: Connection) -> None:
    account = await _account(conn, "wang", "CN-A", Role.ADMIN)
    made, secret = await _key(conn, account, LOOK, Scope(permission=Permission.LOAD, library="CN-A"))
    assert keys.SHAPE.fullmatch(secret)
    found = await keys.bearer(conn, secret, NOW)
    assert found is not None
    assert (found.key, found.rate, found.library) == (made.key, 60, "CN-A")
    assert found.actor.name == f"key:wang/{made.prefix}"
    assert found.actor.may(Permission.LOOK, "CN-A")
    assert found.actor.may(Permission.LOAD, "CN-A")
    assert not found.actor.may(Permission.LOOK, "CN-B")
    assert not found.actor.may(Permission.LIBRARY, "CN-A")  # of the account, but no scope of the key
    assert not found.actor.may(Permission.OWN)
    assert not found.actor.may(Permission.READ)  # what everybody may, a key may only if it says so


async def test_what_the_account_loses_its_key_loses(conn: Connection) -> None:
    account = await _account(conn, "wang", "CN-A", Role.ADMIN)
    _, secret = await _key(conn, account, LOOK)
    await accounts.take(conn, account.account, Grant(role=Role.ADMIN, library="CN-A"))
    found = await keys.bearer(conn, secret, NOW)
    assert found is not None and not found.actor.may(Permission.LOOK)
    await accounts.set_state(conn, account.account, "disabled")
    assert await keys.bearer(conn, secret, NOW) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1] + ("a" if s[-1] != "a" else "b"),
        lambda s: s.upper(),
        lambda s: s + "a",
        lambda s: "tlk_" + "a" * 8 + s[12:],
        lambda _: "",
        lambda _: "tlk__",
    ],
)
async def test_nothing_but_the_key_is_the_key(conn: Connection, spoil: object) -> None:
    _, secret = await _key(conn, await _account(conn))
    assert callable(spoil)
    assert await keys.bearer(conn, spoil(secret), NOW) is None
    assert await keys.bearer(conn, secret, NOW) is not None


async def test_a_key_ends_with_its_time_or_when_it_is_disabled(conn: Connection) -> None:
    account = await _account(conn)
    made, secret = await _key(conn, account, days=1)
    assert await keys.bearer(conn, secret, NOW + timedelta(hours=23)) is not None
    assert await keys.bearer(conn, secret, NOW + timedelta(hours=24)) is None
    await keys.disable(conn, made.key, "account:li", NOW)
    await keys.disable(conn, made.key, "somebody else", NOW + timedelta(hours=1))
    assert await keys.bearer(conn, secret, NOW) is None
    seen = await keys.one(conn, made.key, Reach(), account.account)
    assert (seen.state(NOW), seen.disabled_at, seen.disabled_by) == ("disabled", NOW, "account:li")


async def test_the_database_holds_no_key(conn: Connection) -> None:
    _, secret = await _key(conn, await _account(conn))
    kept = str([dict(each) for each in await conn.fetch("select * from api_key")])
    assert secret not in kept
    assert secret.rpartition("_")[2] not in kept


@pytest.mark.parametrize(
    ("why", "how"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 81}),
        ("scopes", {"scopes": ()}),
        ("scopes", {"scopes": (Scope(permission=Permission.ACCOUNTS),)}),
        ("scopes", {"scopes": (Scope(permission=Permission.OWN),)}),
        ("beyond", {"scopes": (Scope(permission=Permission.OPERATE),)}),
        ("beyond", {"scopes": (Scope(permission=Permission.LOOK, library="CN-B"),)}),
        ("until", {"days": 366}),
        ("until", {"days": 0}),
        ("rate", {"rate": 0}),
        ("rate", {"rate": 6001}),
    ],
)
async def test_what_no_key_can_be(conn: Connection, why: str, how: dict[str, object]) -> None:
    account = await _account(conn, "wang", "CN-A", Role.ADMIN)
    values = {"title": "t", "scopes": (READ,), "days": 90, "rate": 60} | how
    with pytest.raises(keys.Unfit) as caught:
        await keys.issue(conn, account, values.pop("title"), values.pop("scopes"), by="test", now=NOW, **values)  # type: ignore[arg-type]
    assert caught.value.why == why
    assert not await conn.fetchval("select count(*) from api_key")


def test_scopes_as_text() -> None:
    for scope in (READ, LOOK, Scope(permission=Permission.LOAD, library="CN-A")):
        assert keys.read_scope(keys.written(scope)) == scope
    assert keys.read_scope("read") == READ
    for text in ("", "accounts", "own@CN-A", "exchange", "read@" + "x" * 17, "READ"):
        with pytest.raises(keys.Unfit):
            keys.read_scope(text)


async def test_lists_hold_ones_own_and_what_is_within_reach(conn: Connection) -> None:
    mine, theirs = await _account(conn), await _account(conn, "li", "CN-B")
    own, foreign = (await _key(conn, mine))[0], (await _key(conn, theirs))[0]
    own_only = await keys.within(conn, Reach(), mine.account)
    assert [each.key for each in own_only] == [own.key]
    of_b = await keys.within(conn, Reach(libraries=frozenset({"CN-B"})), mine.account)
    assert [each.key for each in of_b] == [foreign.key, own.key]
    assert len(await keys.within(conn, Reach(everywhere=True), None)) == 2
    with pytest.raises(NotFound):
        await keys.one(conn, foreign.key, Reach(libraries=frozenset({"CN-A"})), mine.account)


async def test_the_meter_adds_up_and_forgets_keys_that_are_gone(conn: Connection) -> None:
    made, _ = await _key(conn, await _account(conn))
    day = date(2026, 11, 21)
    for _ in range(2):
        await keys.count(
            conn, {(made.key, "CN-A", day, "/api/search"): (3, 1), (999, "CN-A", day, "/oai"): (1, 0)}, NOW
        )
    await keys.count(conn, {}, NOW)
    assert await keys.usage(conn, made.key) == [keys.Use(day=day, operation="/api/search", calls=6, refused=2)]
    assert (await keys.one(conn, made.key, Reach(everywhere=True), None)).used_at == NOW
