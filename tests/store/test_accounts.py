"""Accounts in the database: sessions end when they should, tries are counted over connections, codes work once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.connection import Connection
from catalog.database.pool import Database
from config.errors import Conflict, NotFound
from config.settings import Access
from services.access import accounts, attempts, keeping, passwords, resets, sealed, sessions, signing, totp
from services.access.keeping import Unfit
from services.access.policy import ALL, DUTIES, Actor, Grant, Permission, Reach, Role
from services.access.sealed import Seal
from services.access.signing import Claim, Locked, Weak, Wrong
from tests import access, stocked

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ACCESS = Access(totp="nobody")
MACHINE = Actor(name="os:root", grants=tuple(Grant(role=each, library=ALL) for each in DUTIES))


@pytest_asyncio.fixture(autouse=True)
async def libraries(conn: Connection) -> None:
    await stocked.open_house(conn)


@pytest.fixture
def seal(home: Path) -> Seal:
    return sealed.of(home)


async def test_a_name_is_one_account_however_it_is_written(conn: Connection) -> None:
    made = await access.an_account(conn, "Bianmu-1", Role.CATALOGUER)
    assert (await accounts.get(conn, "bianmu-1")) == (await accounts.get(conn, " ｂianmu-1")) == made
    with pytest.raises(Conflict):
        await access.an_account(conn, "BIANMU-1")
    with pytest.raises(NotFound, match="CN-NONE"):
        await access.an_account(conn, "other", library="CN-NONE")
    assert made.actor.may(Permission.CHANGE, "CN-TJU") and not made.actor.may(Permission.CHANGE, "CN-SZL")


async def test_roles_of_a_later_release_permit_nothing(conn: Connection) -> None:
    made = await access.an_account(conn, "bianmu-1", Role.COPYIST)
    await conn.execute("insert into account_role values ($1, 'emperor', '', now(), '-')", made.account)
    assert (await accounts.get(conn, "bianmu-1")).grants == made.grants


async def test_accounts_are_seen_within_reach(conn: Connection) -> None:
    await access.an_account(conn, "admin", Role.ADMIN)
    await access.an_account(conn, "reader", Role.READER)
    await access.an_account(conn, "elsewhere", Role.CATALOGUER, library="CN-SZL")
    await access.an_account(conn, "reader-there", Role.READER, library="CN-SZL")
    tju = Reach(libraries=frozenset({"CN-TJU"}))
    szl = Reach(libraries=frozenset({"CN-SZL"}))
    assert [each.name for each in await accounts.within(conn, tju, Reach())] == ["admin", "reader"]
    assert [each.name for each in await accounts.within(conn, Reach(), szl)] == ["reader-there"]
    assert len(await accounts.within(conn, Reach(everywhere=True), Reach())) == 4
    assert await accounts.within(conn, Reach(), Reach()) == []


async def test_a_session_ends_when_idle_and_at_last_in_any_case(conn: Connection) -> None:
    made = await access.an_account(conn, "bianmu-1", Role.CATALOGUER)
    token = await sessions.begin(conn, made, NOW)
    assert await conn.fetchval("select token = $1 from session", sessions.digest(token))  # nothing else of it
    now = NOW
    for _ in range(28):  # 11 h 40 min, a request every 25 minutes
        now += 25 * MINUTE
        assert await sessions.find(conn, token, now, ACCESS)
    assert await sessions.find(conn, token, NOW + 12 * HOUR - MINUTE, ACCESS)
    assert await sessions.find(conn, token, NOW + 12 * HOUR, ACCESS) is None

    token = await sessions.begin(conn, made, NOW)
    assert await sessions.find(conn, token, NOW + 29 * MINUTE, ACCESS)
    assert await sessions.find(conn, token, NOW + 59 * MINUTE, ACCESS) is None
    short = Access(idle_minutes=5, absolute_hours=1)
    token = await sessions.begin(conn, made, NOW)
    assert await sessions.find(conn, token, NOW + 5 * MINUTE, short) is None
    assert await sessions.find(conn, "no token", NOW) is None
    await sessions.sweep(conn, NOW + 13 * HOUR)
    assert await conn.fetchval("select count(*) from session") == 0


async def test_a_session_is_fresh_for_a_quarter_of_an_hour(conn: Connection) -> None:
    token = await sessions.begin(conn, await access.an_account(conn, "bianmu-1"), NOW)
    found = await sessions.find(conn, token, NOW + 14 * MINUTE, ACCESS)
    assert found and found.fresh
    found = await sessions.find(conn, token, NOW + 15 * MINUTE, ACCESS)
    assert found and not found.fresh


async def test_what_is_taken_away_counts_from_the_next_request(conn: Connection) -> None:
    made = await access.an_account(conn, "bianmu-1", Role.CATALOGUER)
    token = await sessions.begin(conn, made, NOW)
    found = await sessions.find(conn, token, NOW, ACCESS)
    assert found and found.actor.may(Permission.CHANGE, "CN-TJU")
    await accounts.take(conn, made.account, made.grants[0])
    found = await sessions.find(conn, token, NOW, ACCESS)
    assert found and not found.actor.may(Permission.CHANGE)
    await conn.execute("update account set state = 'disabled'")  # whoever did it
    assert await sessions.find(conn, token, NOW, ACCESS) is None


@pytest.mark.parametrize(("must_change", "rule", "todo"), [(True, "nobody", "password"), (False, "duties", "totp")])
async def test_a_session_may_only_put_its_account_in_order_first(
    conn: Connection, must_change: bool, rule: str, todo: str
) -> None:
    made = await access.an_account(conn, "operator", *DUTIES, must_change=must_change)
    token = await sessions.begin(conn, made, NOW)
    found = await sessions.find(conn, token, NOW, Access(totp=rule))
    assert found and found.todo == todo
    assert found.actor.may(Permission.OWN) and found.actor.may(Permission.READ)
    assert not any(found.actor.may(each) for each in Permission if each not in ("own", "read"))


async def test_another_password_ends_sessions_and_codes(conn: Connection) -> None:
    made = await access.an_account(conn, "bianmu-1")
    other = await access.an_account(conn, "bianmu-2")
    tokens = [await sessions.begin(conn, each, NOW) for each in (made, made, other)]
    code = await resets.issue(conn, made, "os:root", NOW)
    await accounts.set_password(conn, made.account, access.kept(), must_change=False)
    found = [await sessions.find(conn, each, NOW, ACCESS) is not None for each in tokens]
    assert found == [False, False, True]
    assert await resets.owner(conn, code.reveal(), NOW) is None


async def test_a_reset_code_works_once_and_for_a_day(database: Database, conn: Connection) -> None:
    made = await access.an_account(conn, "bianmu-1")
    first = (await resets.issue(conn, made, "os:root", NOW)).reveal()
    code = (await resets.issue(conn, made, "os:root", NOW)).reveal()
    assert code.encode() not in b"".join(row[0] for row in await conn.fetch("select code from reset_code"))
    new = "江枫渔火对愁眠，姑苏城外寒山寺"
    for wrong, at in ((first, NOW), ("", NOW), (code, NOW + 24 * HOUR)):
        with pytest.raises(Wrong):
            await signing.reset(database, wrong, new, at, (), "192.0.2.1")
    with pytest.raises(Weak):  # the code is still good
        await signing.reset(database, code, "bianmu-1bianmu-1", NOW, (), "192.0.2.1")
    typed = code.replace("-", " ").upper()
    both = await asyncio.gather(
        *(signing.reset(database, typed, new, NOW, (), "192.0.2.1") for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in both) == ["Account", "Wrong"]
    kept = await accounts.proof(conn, made.account)
    assert kept and await passwords.right(new, kept.password)
    assert not (await accounts.get(conn, "bianmu-1")).must_change


async def test_ten_tries_lock_an_account_over_all_connections(database: Database, conn: Connection) -> None:
    counted = attempts.of_account("bianmu-1"), attempts.of_address("192.0.2.1")

    async def once(at: datetime) -> bool:
        async with database.transaction() as one:
            return await attempts.take(one, counted, at) is None

    let = await asyncio.gather(*(once(NOW) for _ in range(40)))  # as many as the pool has, each a connection
    assert sum(let) == 10
    assert not await once(NOW + timedelta(seconds=89))
    assert [await once(NOW + timedelta(seconds=90)) for _ in range(3)] == [True, False, False]
    assert [await once(NOW + timedelta(seconds=269)), await once(NOW + timedelta(seconds=270))] == [False, True]


@pytest.mark.parametrize("patience", [timedelta(), timedelta(minutes=5), timedelta(hours=1)])
async def test_any_90_seconds_see_at_most_ten_tries(conn: Connection, patience: timedelta) -> None:
    """An attacker who knows the rules: asks as fast as he is let, then waits for the end of the lock and longer."""
    counted, now, let = (attempts.of_account("bianmu-1"),), NOW, []
    while now < NOW + 24 * HOUR:
        until = await attempts.take(conn, counted, now)
        if until is None:
            let.append(now)
            now += timedelta(milliseconds=100)
        else:
            now = until + patience
    spans = [sum(1 for each in let if at <= each < at + timedelta(seconds=90)) for at in let]
    assert max(spans) == 10
    assert len(let) < 260


async def test_ten_tries_lock_over_processes(dsn: str, conn: Connection) -> None:
    """Each process asks for itself, all at once."""
    program = (
        "import asyncio, datetime, json, sys\n"
        "from catalog.database import pool\n"
        "from pathlib import Path\n"
        "from services.access import attempts\n"
        "async def main():\n"
        "    at = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)\n"
        "    async with pool.open(Path('/nonexistent'), sys.argv[1]) as database:\n"
        "        found = []\n"
        "        for n in range(12):\n"
        "            async with database.transaction() as conn:\n"
        "                found.append(await attempts.take(conn, [attempts.of_account('bianmu-1')], at) is None)\n"
        "    print(json.dumps(sum(found)))\n"
        "asyncio.run(main())\n"
    )
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, dsn, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    told = await asyncio.gather(*(each.communicate() for each in running))
    assert sum(json.loads(out) for out, _ in told) == 10


async def test_addresses_that_nobody_knows_share_a_wider_count(conn: Connection) -> None:
    let = [await attempts.take(conn, [attempts.of_address("")], NOW) is None for _ in range(120)]
    assert sum(let) == 100


async def test_a_right_try_is_given_back_to_its_address_alone(database: Database, conn: Connection, seal: Seal) -> None:
    await access.an_account(conn, "bianmu-1")
    right = Claim(name="bianmu-1", password=access.PASSWORD, address="192.0.2.1")
    wrong = Claim(name="nobody-here", password="x", address="192.0.2.1")
    for _ in range(9):
        with pytest.raises(Wrong):
            await signing.prove(database, seal, wrong, NOW)
    for _ in range(3):
        await signing.prove(database, seal, right, NOW)
    with pytest.raises(Wrong):
        await signing.prove(database, seal, wrong, NOW)
    with pytest.raises(Locked) as caught:
        await signing.prove(database, seal, right, NOW)
    assert caught.value.until == NOW + attempts.PAUSE
    await signing.prove(database, seal, Claim(name="bianmu-1", password=access.PASSWORD, address="192.0.2.2"), NOW)


async def test_unknown_names_get_the_same_answer_for_the_same_work(
    database: Database, conn: Connection, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await access.an_account(conn, "known")
    off = await access.an_account(conn, "off")
    await accounts.set_state(conn, off.account, "disabled")
    hashed: list[str] = []
    statements: list[str] = []
    verify, connection = passwords._verify, Database.connection

    def noted(password: str, kept: str) -> bool:
        hashed.append(kept.rsplit("$", 2)[0])
        return verify(password, kept)

    @contextlib.asynccontextmanager
    async def logged(self: Database) -> AsyncIterator[Connection]:
        async with connection(self) as one:
            with one.query_logger(lambda record: statements.append(record.query)):
                yield one

    monkeypatch.setattr(passwords, "_verify", noted)
    monkeypatch.setattr(Database, "connection", logged)
    said, done = set(), set()
    for name, password in (("known", "wrong"), ("unknown", "wrong"), ("off", access.PASSWORD), ("off", "wrong")):
        statements.clear()
        with pytest.raises(Wrong) as caught:
            await signing.prove(database, seal, Claim(name=name, password=password), NOW)
        said.add((str(caught.value), caught.value.code))
        done.add(tuple(statements))
    assert len(said) == 1
    assert len(done) == 1 and len(done.pop()) > 4
    assert len(hashed) == 4 and len(set(hashed)) == 1


async def test_a_one_time_code_is_asked_for_and_counts_once(database: Database, conn: Connection, seal: Seal) -> None:
    made = await access.an_account(conn, "operator", *DUTIES)
    secret = b"12345678901234567890"
    step = totp.step(NOW)
    await signing.set_up_codes(database, seal, made, secret, totp.code(secret, step), NOW)
    with pytest.raises(Conflict):
        await signing.set_up_codes(database, seal, made, secret, totp.code(secret, step), NOW)
    kept = await accounts.proof(conn, made.account)
    assert kept and kept.totp and secret not in kept.totp

    def claim(code: str) -> Claim:
        return Claim(name="operator", password=access.PASSWORD, code=code, address="192.0.2.1")

    for code in ("", "000000", totp.code(secret, step)):  # the last was used up when it was set up
        with pytest.raises(Wrong):
            await signing.prove(database, seal, claim(code), NOW)
    later = NOW + timedelta(seconds=30)
    both = await asyncio.gather(
        *(signing.prove(database, seal, claim(totp.code(secret, step + 1)), later) for _ in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in both) == ["Account", "Wrong"]
    with pytest.raises(Wrong):
        await signing.set_up_codes(database, seal, await access.an_account(conn, "x-1"), secret, "123", NOW)


async def test_signing_in_takes_the_place_of_the_session_before(
    database: Database, conn: Connection, seal: Seal
) -> None:
    await access.an_account(conn, "bianmu-1")
    claim = Claim(name="bianmu-1", password=access.PASSWORD)
    first, _ = await signing.sign_in(database, seal, claim, NOW, ACCESS)
    second, _ = await signing.sign_in(database, seal, claim, NOW, ACCESS, before=first)
    assert first != second
    assert await sessions.find(conn, first, NOW, ACCESS) is None
    assert await sessions.find(conn, second, NOW, ACCESS)
    third, _ = await signing.sign_in(database, seal, claim, NOW, ACCESS, before="somebody else's")
    assert len(await sessions.every(conn, (await accounts.get(conn, "bianmu-1")).account, NOW, ACCESS)) == 2
    assert access.PASSWORD not in repr(claim) and third


async def test_a_password_that_changes_meanwhile_opens_nothing(
    database: Database, conn: Connection, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await access.an_account(conn, "bianmu-1")
    right = passwords.right

    async def slow(password: str, kept: str) -> bool:
        found = await right(password, kept)
        await accounts.set_password(conn, made.account, access.kept("another password of theirs"), must_change=False)
        return found

    monkeypatch.setattr(passwords, "right", slow)
    with pytest.raises(Wrong):
        await signing.sign_in(database, seal, Claim(name="bianmu-1", password=access.PASSWORD), NOW, ACCESS)
    assert await conn.fetchval("select count(*) from session") == 0


async def test_passwords_are_kept_with_todays_costs_at_the_next_sign_in(
    database: Database, conn: Connection, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await access.an_account(conn, "bianmu-1")
    with monkeypatch.context() as cheap:
        cheap.setattr(passwords, "MEMORY", 1024)
        await accounts.keep_password(conn, made.account, passwords.shroud(access.PASSWORD))
    before = await accounts.proof(conn, made.account)
    assert before and passwords.outdated(before.password)
    await signing.prove(database, seal, Claim(name="bianmu-1", password=access.PASSWORD), NOW)
    after = await accounts.proof(conn, made.account)
    assert after and not passwords.outdated(after.password)
    assert await passwords.right(access.PASSWORD, after.password)


async def test_a_library_admin_looks_after_the_own_library_alone(conn: Connection) -> None:
    admin = (await access.an_account(conn, "admin", Role.ADMIN)).actor
    await access.an_account(conn, "theirs", Role.CATALOGUER, library="CN-SZL")
    boss = await access.an_account(conn, "boss", Role.OPERATOR)  # at home there, but with a duty
    made = await keeping.add(
        conn, admin, "bianmu-9", [keeping.grant(Role.CATALOGUER, "", "CN-TJU")],
        library="CN-TJU", title="编目九组", password=access.kept(), separate=False,
    )  # fmt: skip
    assert made.must_change and made.made_by == "account:admin" and made.title == "编目九组"
    with pytest.raises(NotFound):
        await keeping.set_state(conn, admin, "theirs", "disabled")
    for act in (keeping.issue(conn, admin, "boss", NOW), keeping.remove_codes(conn, admin, "boss")):
        with pytest.raises(Unfit) as caught:
            await act
        assert caught.value.why == "beyond"
    with pytest.raises(Unfit) as caught:
        await keeping.set_password(conn, admin, "admin", access.kept())
    assert caught.value.why == "own"
    with pytest.raises(Unfit):
        await keeping.give(conn, admin, "bianmu-9", Grant(role=Role.OPERATOR, library=ALL), separate=False)
    with pytest.raises(Unfit):
        await keeping.add(conn, admin, "x@example.org", [], library="CN-TJU", title="", password="", separate=False)
    with pytest.raises(Unfit):
        await keeping.add(conn, admin, "ｂoss", [], library="CN-TJU", title="", password="", separate=False)
    assert (await accounts.get(conn, "boss")) == boss


async def test_where_duties_are_separate_an_account_has_one(conn: Connection) -> None:
    await access.an_account(conn, "operator", Role.OPERATOR)
    with pytest.raises(Unfit) as caught:
        await keeping.give(conn, MACHINE, "operator", Grant(role=Role.AUDITOR, library=ALL), separate=True)
    assert caught.value.why == "duties"
    assert await accounts.with_several_duties(conn) == []
    await keeping.give(conn, MACHINE, "operator", Grant(role=Role.AUDITOR, library=ALL), separate=False)
    assert await accounts.holders(conn) == {Role.OPERATOR: 1, Role.SECURITY: 0, Role.AUDITOR: 1}
    assert await accounts.with_several_duties(conn) == ["operator"]
    await keeping.set_state(conn, MACHINE, "operator", "disabled")
    assert await accounts.with_several_duties(conn) == []
