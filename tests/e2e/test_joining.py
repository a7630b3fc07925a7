"""Joining over real sockets: what a code opens, and what it doesn't."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex

import pytest
import pytest_asyncio

from catalog import libraries, peers, sources
from config.errors import Conflict, Refused, Unreachable
from config.secret import Secret
from exchange import codes, greeting, keys, signing
from exchange import peer as talking
from exchange.codes import Code
from exchange.greeting import Fault, Hello
from exchange.joining import BadCode
from exchange.peer import Client, Impostor
from protocols.signatures import sign
from protocols.signatures.message import Request
from tests import network
from tests.network import Stand
from tests.postgres import Postgres


@pytest_asyncio.fixture
async def centre(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "CENTRE", tier="central", name="国家中心") as stand:
        yield stand


@pytest_asyncio.fixture
async def local(server: Postgres) -> AsyncIterator[Stand]:
    async with network.standing(server, "TJU", name="天津大学图书馆") as stand:
        yield stand


async def test_join_exchanges_keys_and_enters_the_library(centre: Stand, local: Stand) -> None:
    code = codes.read(codes.write(await centre.invite("TJU")))
    parent = await local.join(code)
    assert (parent.symbol, parent.name, parent.role, parent.path, parent.state) == (
        "CENTRE", "国家中心", "parent", "uplink", "active",
    )  # fmt: skip
    assert (parent.address, parent.key) == (centre.address, centre.keyring.key().public)
    child = await centre.peer("TJU")
    assert (child.name, child.role, child.path, child.state, child.proto) == (
        "天津大学图书馆", "child", "uplink", "active", 1,
    )  # fmt: skip
    assert child.key == local.keyring.key().public
    async with centre.database.connection() as conn:
        library = await libraries.get(conn, "TJU")
        source = await sources.get(conn, "TJU")
    assert library is not None and (library.name, library.area, library.node) == ("天津大学图书馆", "天津", "TJU")
    assert (child.source, source.library) == (source.no, "TJU")
    async with local.client("CENTRE") as client:
        greeted = await talking.hello(client, Hello())
    assert greeted.proto == 1
    assert abs(greeted.time - time.time()) < 60
    assert (await centre.peer("TJU")).seen_at is not None


async def test_first_parent_is_the_uplink_and_later_ones_are_memberships(
    server: Postgres, centre: Stand, local: Stand
) -> None:
    async with (
        network.standing(server, "TJPARK", tier="domain") as park,
        network.standing(server, "ART", tier="domain") as art,
    ):
        assert (await network.joined(local, centre)).path == "uplink"
        assert (await network.joined(local, park)).path == "membership"
        assert (await park.peer("TJU")).path == "membership"
        assert (await network.joined(park, centre)).path == "uplink"
        assert (await park.join(await art.invite("TJPARK", path="membership"))).path == "membership"


async def test_invitation_to_a_membership_makes_no_uplink(centre: Stand, local: Stand) -> None:
    assert (await local.join(await centre.invite("TJU", path="membership"))).path == "membership"
    assert (await centre.peer("TJU")).path == "membership"


async def test_library_that_another_node_hosts_is_not_taken_over(centre: Stand, local: Stand) -> None:
    async with centre.database.transaction() as conn:
        for symbol, node in (("PKU", "PKU"), ("SZL", "")):
            await libraries.ensure(conn, symbol)
            await conn.execute("update library set node = $2 where symbol = $1", symbol, node)
        await sources.add(conn, "szl-main", "SZL")
        await sources.add(conn, "TJU", "SZL")  # a source that has the child's name already
    async with local.database.transaction() as conn:
        for symbol in ("PKU", "SZL", "TJMED"):
            await libraries.ensure(conn, symbol)
            await libraries.rename(conn, symbol, f"taken {symbol}", "")
            await sources.add(conn, symbol, symbol)
    await network.joined(local, centre)
    async with centre.database.connection() as conn:
        entered = {each.symbol: (each.name, each.node) for each in await libraries.every(conn)}
        source = await sources.by_number(conn, (await centre.peer("TJU")).source or 0)
    assert entered["PKU"] == ("PKU", "PKU")
    assert entered["SZL"] == ("SZL", "")
    assert entered["TJMED"] == ("taken TJMED", "TJU")
    assert (source.name, source.library) == ("TJU@node", "TJU")


async def used(code: Code, centre: Stand, local: Stand) -> Code:
    await local.join(code)
    await local.set_state("CENTRE", "revoked")
    await centre.set_state("TJU", "revoked")
    return code


async def expired(code: Code, centre: Stand, local: Stand) -> Code:
    async with centre.database.transaction() as conn:
        await conn.execute("update invitation set expires_at = now() - interval '1 second'")
    return code


async def unknown(code: Code, centre: Stand, local: Stand) -> Code:
    return dataclasses.replace(code, secret=Secret(token_hex(codes.SECRET)))


async def of_another_library(code: Code, centre: Stand, local: Stand) -> Code:
    return await centre.invite("PKU")


async def of_another_key(code: Code, centre: Stand, local: Stand) -> Code:
    return dataclasses.replace(code, fingerprint=bytes(16))


async def of_another_name(code: Code, centre: Stand, local: Stand) -> Code:
    return dataclasses.replace(code, symbol="CENTER")


async def of_itself(code: Code, centre: Stand, local: Stand) -> Code:
    return dataclasses.replace(code, symbol="TJU", address=local.address)


async def of_nobody(code: Code, centre: Stand, local: Stand) -> Code:
    return dataclasses.replace(code, address="http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("spoil", "error", "exit_code", "words"),
    [
        (used, BadCode, 5, "used already"),
        (expired, BadCode, 5, "ran out"),
        (unknown, Conflict, 5, "no such code"),
        (of_another_library, Conflict, 5, "for the library PKU, not for TJU"),
        (of_another_key, Impostor, 5, "isn't the known one"),
        (of_another_name, Unreachable, 4, "CENTER"),
        (of_itself, Conflict, 5, "itself"),
        (of_nobody, Unreachable, 4, "doesn't answer"),
    ],
)
async def test_code_that_does_not_fit_is_refused(
    centre: Stand,
    local: Stand,
    spoil: Callable[[Code, Stand, Stand], Awaitable[Code]],
    error: type[Conflict],
    exit_code: int,
    words: str,
) -> None:
    code = await spoil(await centre.invite("TJU"), centre, local)
    with pytest.raises(Conflict if issubclass(error, Conflict) else error, match=words) as caught:
        await local.join(code)
    assert caught.value.exit_code == exit_code
    async with local.database.connection() as conn:
        assert [each.state for each in await peers.every(conn)] in ([], ["revoked"])


async def test_two_with_one_code_one_joins(server: Postgres, centre: Stand, local: Stand) -> None:
    """Somebody who got hold of the code comes with another key."""
    code = await centre.invite("TJU")
    async with network.standing(server, "TJU") as thief:
        done = await asyncio.gather(local.join(code), thief.join(code), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "Peer"]


async def test_join_whose_answer_was_lost_can_be_repeated(centre: Stand, local: Stand) -> None:
    code = await centre.invite("TJU")
    await local.join(code)
    async with local.database.transaction() as conn:
        await conn.execute("delete from peer")
    assert (await local.join(code)).symbol == "CENTRE"
    with pytest.raises(Conflict, match="joined CENTRE already"):
        await local.join(code)


@pytest.mark.parametrize("path", ["uplink", "membership"])
async def test_revoked_node_comes_back_with_a_new_code_and_nothing_else(
    centre: Stand, local: Stand, path: peers.Path
) -> None:
    """It has not heard yet, or only in the words of a refusal, that it was revoked."""
    used = await centre.invite("TJU", path=path)
    await local.join(used)
    await centre.set_state("TJU", "revoked")
    with pytest.raises(Conflict, match="used already"):
        await local.join(used)
    parent = await local.join(await centre.invite("TJU", path=path))
    assert (parent.state, parent.path, (await centre.peer("TJU")).state) == ("active", path, "active")
    async with local.client("CENTRE") as client:
        assert (await talking.hello(client, Hello())).proto == 1


async def test_parent_that_does_not_answer_is_not_joined_anew(centre: Stand, local: Stand) -> None:
    await local.join(await centre.invite("TJU"))
    await centre.set_state("TJU", "revoked")
    code = await centre.invite("TJU")
    await centre.stop()
    with pytest.raises(Unreachable):
        await local.join(code)
    assert (await local.peer("CENTRE")).state == "active"


async def test_joined_node_with_another_key_must_be_revoked_first(
    server: Postgres, centre: Stand, local: Stand
) -> None:
    code = await centre.invite("TJU")
    second = await centre.invite("TJU")
    await local.join(code)
    with pytest.raises(Conflict, match="revoke"):
        await centre.invite("TJU")
    async with network.standing(server, "TJU") as again:
        with pytest.raises(Conflict, match="another key"):
            await again.join(second)
        await centre.set_state("TJU", "revoked")
        await again.join(second)
        assert (await centre.peer("TJU")).key == again.keyring.key().public
    async with local.client("CENTRE") as client:
        with pytest.raises(Refused, match="another key"):
            await talking.hello(client, Hello())


async def test_second_code_does_not_end_a_suspension(centre: Stand, local: Stand) -> None:
    first, second = await centre.invite("TJU"), await centre.invite("TJU")
    await local.join(first)
    await centre.set_state("TJU", "suspended")
    await local.set_state("CENTRE", "revoked")  # as far as the child is concerned it may join anew
    with pytest.raises(Conflict, match="suspended"):
        await local.join(second)
    assert (await centre.peer("TJU")).state == "suspended"


async def test_tampered_join_is_refused(centre: Stand, local: Stand) -> None:
    """Whoever listens learns no secret, and can't put a key of his own in the child's place."""
    code = await centre.invite("TJU")
    seen: list[bytes] = []
    thief = keys.Keyring(local.home / "thief.key")

    class Eavesdropper(Client):
        async def send(self, method: str, path: str, body: bytes = b"", **how: object) -> talking.Answer:
            seen.append(body)
            raise Unreachable("cut off")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exchange.joining.Client", Eavesdropper)
        with pytest.raises(Unreachable):
            await local.join(code)
    told = greeting.decode(seen[0], greeting.Join)
    assert bytes.fromhex(code.secret.reveal()) not in seen[0]
    forged = greeting.encode({**_fields(told), "key": thief.key().public})
    client = Client(out=local.out, keyring=thief, me="TJU", known=network.known(centre))
    answer = await client.send("POST", "/x/join", forged)
    assert (answer.status, greeting.decode(answer.body, Fault).code) == (409, BadCode.code)
    await local.join(code)


@pytest.mark.parametrize("claims", ["its own key", "the child's key"])
async def test_join_that_its_key_did_not_sign_is_refused(centre: Stand, local: Stand, claims: str) -> None:
    """Who repeats a proof that he overheard, can't speak in the child's place."""
    code = await centre.invite("TJU")
    seed, public = codes.ticket(code.secret, code.suite)
    own, thief = local.keyring.key(), keys.Keyring(local.home / "thief.key").key()
    told = greeting.Join(
        ticket=public,
        proof=code.suite.sign(seed, codes.claim(code.fingerprint, "TJU", own.public)),
        symbol="TJU",
        suite=own.suite.name,
        key=own.public,
    )
    signer = signing.signer(thief, "TJU", "CENTRE")
    if claims == "the child's key":
        signer = dataclasses.replace(signer, key_id=signing.signer(own, "TJU", "CENTRE").key_id)
    body = greeting.encode(told)
    request = sign.request(
        signer,
        Request(method="POST", target=f"{centre.address}x/join", headers={"content-type": greeting.MEDIA}),
        body,
        now=int(time.time()),
        nonce=token_hex(12),
        more=("content-type",),
    )
    async with local.session.post(request.target, data=body, headers=request.headers) as got:
        assert got.status == 401
    async with centre.database.connection() as conn:
        assert await peers.every(conn) == []


def _fields(told: greeting.Join) -> dict[str, object]:
    return {name: getattr(told, name) for name in told.__struct_fields__}


async def test_node_without_that_capability_takes_no_children(server: Postgres, local: Stand) -> None:
    async with network.standing(server, "PKU") as other:
        with pytest.raises(Refused, match="takes no records"):
            await other.join(await local.invite("PKU"))


async def test_releases_too_far_apart_refuse_each_other_in_words(centre: Stand, local: Stand) -> None:
    await network.joined(local, centre)
    async with local.client("CENTRE") as client:
        with pytest.raises(
            Conflict, match="TJU speaks versions 2 to 3 of the protocol, this node 1 to 1: upgrade this"
        ):
            await talking.hello(client, Hello(proto=(2, 3)))
        with pytest.raises(Conflict, match="upgrade TJU"):
            await talking.hello(client, Hello(proto=(0, 0)))
        later = greeting.encode({"proto": (1, 9), "caps": ["x"], "unheard-of": {"a": 1}})
        assert (await client.send("POST", "/x/hello", later)).status == 200
