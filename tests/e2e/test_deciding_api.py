"""Programs that look into clusters and decide: the answers, what is refused, and that a decision holds."""

from __future__ import annotations

import json
from typing import Any

from catalog import authority_conflicts
from node.web import deciding_schemas, permits
from services.access import csrf, sessions
from tests import access, builders
from tests.e2e.test_review_web import browser, catalogue, linked, raw
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.schema import fits

__all__ = ["browser", "catalogue"]


async def ask(browser: Browser, path: str, status: int = 200) -> Any:
    answer = await browser.ask("GET", path, Accept="application/json")
    assert answer.status == status, answer.body
    return json.loads(answer.body)


async def post(browser: Browser, path: str, told: dict[str, Any], status: int = 200) -> Any:
    token = browser.cookies[sessions.COOKIE]
    headers = {
        "Accept": "application/json",
        "Cookie": f"{sessions.COOKIE}={token}",
        permits.FORM_TOKEN: csrf.token(token),
    }
    async with browser.client.post(browser.address + path, json=told, headers=headers) as got:
        assert got.status == status, await got.text()
        return json.loads(await got.text())


async def test_a_pair_is_explained_joined_and_parted_again(catalogue: Catalogue, browser: Browser) -> None:
    await browser.sign_in("wang", access.PASSWORD)
    waiting = await ask(browser, "/api/review/pairs")
    fits(waiting, deciding_schemas.PAIRS)
    (pair,) = waiting["pairs"]
    assert (pair["a"], pair["b"], pair["score"]) == ("a/x", "b/y", 670) and waiting["next"] is None
    assert (await ask(browser, "/api/review/pairs?limit=1"))["next"].startswith("670,")
    for nonsense in ("670", "x,1,2", "670,-1,2", f"670,{'9' * 19},2", f"670,{'9' * 5000},2", "670,1,²"):
        await ask(browser, f"/api/review/pairs?after={nonsense}", 400)
    told = await ask(browser, "/api/pair?a=a/x&b=b/y&lang=zh")
    fits(told, deciding_schemas.PAIR)
    assert (told["together"], told["verdict"], told["join_from"] > told["score"] - 100) == (False, "review", True)
    assert {each["label"] for each in told["fields"] if each["a"] != each["b"]} == {"出版发行"}
    assert any("出版者不同" in each["text"] and each["points"] < 0 for each in told["reasons"])
    await ask(browser, "/api/pair?a=a/x&b=b/none", 404)
    put = {"kind": "join", "id": "a/x", "other": "b/y", "why": "one book, two imprints"}
    await post(browser, "/api/decide", put | {"why": " "}, 400)
    made = await post(browser, "/api/decide", put)
    fits(made, deciding_schemas.PUT)
    assert made["state"] == "due"
    await catalogue.settle()
    one = await ask(browser, f"/api/decisions/{made['decision']}")
    assert (one["state"], one["result"], len(one["clusters_now"])) == ("done", "", 1)
    cluster = await ask(browser, f"/api/clusters/{one['clusters_now'][0]}?lang=en")
    fits(cluster, deciding_schemas.CLUSTER)
    assert [each["record"] for each in cluster["records"]] == ["a/x", "b/y"]
    assert [each["why"] for each in cluster["decisions"]] == ["one book, two imprints"]
    listed = await ask(browser, "/api/decisions")
    fits(listed, deciding_schemas.DECISIONS)
    assert [each["decision"] for each in listed["decisions"]] == [made["decision"]]
    await post(browser, f"/api/decisions/{made['decision']}/undo", {"why": "no"})
    await catalogue.settle()
    after = await ask(browser, f"/api/decisions/{made['decision']}")
    assert (after["state"], after["undone_why"], len(after["clusters_now"])) == ("undone", "no", 2)
    await post(browser, f"/api/decisions/{made['decision']}/undo", {"why": "again"}, 409)


async def test_records_that_are_split_off_have_their_edges_and_a_base_is_chosen(
    catalogue: Catalogue, browser: Browser
) -> None:
    given = {"title": "长物志图说", "isbn": builders.isbn13(9)}
    await catalogue.load("a", [raw("x"), raw("1", **given)])
    await catalogue.load("b", [raw("1", **given), raw("2", **given, pages="401页")])
    await browser.sign_in("wang", access.PASSWORD)
    (before,) = [each for each in await catalogue.partition() if "a/1" in each]
    assert before == {"a/1", "b/1", "b/2"}
    ident = (await ask(browser, "/api/pair?a=a/1&b=b/2"))["clusters"][0]
    cluster = await ask(browser, f"/api/clusters/{ident}?lang=zh")
    alike, edge = cluster["edges"]
    assert (alike["records"], alike["score"]) == (["a/1", "b/1"], None)
    assert edge["score"] == sum(each["points"] for each in edge["reasons"]) >= 620
    chosen = await post(browser, f"/api/clusters/{ident}/base", {"record": "b/2", "why": "in hand"})
    assert chosen == {"cluster": ident, "base": "b/2"}
    await post(browser, f"/api/clusters/{ident}/base", {"record": "a/x", "why": "another cluster's"}, 404)
    await catalogue.settle()
    assert (await ask(browser, f"/api/clusters/{ident}"))["base_by"] == "pinned"
    split = {"kind": "split", "id": ident, "records": ["b/2"], "why": "another printing"}
    await post(browser, "/api/decide", split | {"other": "a/x"}, 400)
    await post(browser, "/api/decide", split | {"records": ["a/x"]}, 404)
    made = await post(browser, "/api/decide", split)
    await catalogue.settle()
    assert frozenset({"b/2"}) in await catalogue.partition()
    late = await post(browser, "/api/decide", {"kind": "join", "id": "b/2", "other": "a/1", "why": "or not"})
    await catalogue.settle()
    assert (await ask(browser, f"/api/decisions/{late['decision']}"))["result"] == f"against {made['decision']}"


async def test_ids_that_contradict_are_listed_and_settled(catalogue: Catalogue, browser: Browser) -> None:
    await catalogue.load("a", [linked("1", "(CAL)A1")])
    await catalogue.load("b", [linked("1", "(CAL)A2")])
    await browser.sign_in("looker", access.PASSWORD)
    told = await ask(browser, "/api/review/conflicts")
    fits(told, deciding_schemas.CONFLICTS)
    (clash,) = told["conflicts"]
    address = f"/api/review/conflicts/{clash['conflict']}/settle"
    await post(browser, address, {"why": "seen"}, 403)
    browser.cookies.clear()
    await browser.sign_in("stranger", access.PASSWORD)
    assert (await ask(browser, "/api/review/conflicts"))["conflicts"] == []
    await post(browser, address, {"why": "not mine"}, 404)
    browser.cookies.clear()
    await browser.sign_in("wang", access.PASSWORD)
    assert (await post(browser, address, {"why": "A2 went into A1"}))["state"] == "settled"
    async with catalogue.database.connection() as conn:
        (settled,) = await authority_conflicts.listing(conn, 9, settled=True)
    assert (settled.who, settled.why) == ("account:wang", "A2 went into A1")


async def test_what_is_posted_is_in_the_document(browser: Browser) -> None:
    document = await ask(browser, "/api/openapi.json")
    for path in ("/api/decide", "/api/review/decision", "/api/decisions/{decision}/undo"):
        posted = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert posted["properties"] and posted["required"]
