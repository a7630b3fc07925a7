"""The page of a cluster: why its records are one, a record beside it, and decisions made and taken back there."""

from __future__ import annotations

from catalog import decisions
from catalog.model import cluster_id
from tests import access, builders
from tests.e2e.test_review_web import browser, catalogue, raw
from tests.forms import Browser
from tests.pipeline import Catalogue
from tests.stocked import SYMBOL

__all__ = ["browser", "catalogue"]
GIVEN = {"title": "长物志图说", "isbn": builders.isbn13(9)}


async def stock(catalogue: Catalogue) -> str:
    """Three records that are one, two of them alike; the cluster's id."""
    await catalogue.load("a", [raw("x"), raw("1", **GIVEN)])
    await catalogue.load("b", [raw("y", publisher="乙出版社"), raw("1", **GIVEN), raw("2", **GIVEN, pages="401页")])
    source = (await catalogue.source("a")).no
    async with catalogue.database.connection() as conn:
        (there,) = (await decisions.clusters_of(conn, [(source, "1")])).values()
    return cluster_id(SYMBOL, there[0])


async def test_a_cataloguer_sees_why_splits_and_takes_it_back(catalogue: Catalogue, browser: Browser) -> None:
    ident = await stock(catalogue)
    assert (await browser.get(f"/clusters/{ident}")).leads_to.startswith("/sign-in")
    await browser.sign_in("wang", access.PASSWORD)
    record = await browser.get(f"/records/{ident}")
    assert record.page.xpath(f"//a[@href='/clusters/{ident}']")
    page = await browser.get(f"/clusters/{ident}")
    assert "a/1 = b/1" in page.text and "equal in all that is compared" in page.text
    assert "same title proper +350" in page.text
    (form,) = [each for each in page.page.forms if each.xpath(".//button[@value='split']")]
    values = {name: value for name, value in form.form_values() if isinstance(value, str)}
    sent = values | {"do": "split", "record": "b/2", "why": "another printing"}
    assert (await browser.ask("POST", "/cluster/act", sent | {"why": " "})).status == 400
    assert (await browser.ask("POST", "/cluster/act", {k: v for k, v in sent.items() if k != "record"})).status == 400
    assert (await browser.ask("POST", "/cluster/act", sent)).leads_to == f"/clusters/{ident}?done=split"
    await catalogue.settle()
    assert frozenset({"b/2"}) in await catalogue.partition()
    page = await browser.get(f"/clusters/{ident}")
    assert "Decision 1 split holds" in page.text and "another printing" in page.text
    assert (await browser.send(f"/clusters/{ident}", decision="1", do="undo", why="no")).leads_to
    await catalogue.settle()
    assert frozenset({"a/1", "b/1", "b/2"}) in await catalogue.partition()
    assert "taken back" in (await browser.get(f"/clusters/{ident}")).text
    base = values | {"do": "base", "record": "b/2", "why": "in hand"}
    assert (await browser.ask("POST", "/cluster/act", base)).leads_to.endswith("done=base")
    await catalogue.settle()
    page = await browser.get(f"/clusters/{ident}")
    assert page.page.xpath("string(//label[contains(., 'b/2')]//span[@class='badge'])") == "base"
    assert (await browser.send(f"/clusters/{ident}", do="policy", why="enough")).leads_to.endswith("done=policy")


async def test_another_record_beside_it_says_why_not(catalogue: Catalogue, browser: Browser) -> None:
    ident = await stock(catalogue)
    await browser.sign_in("wang", access.PASSWORD)
    page = await browser.get(f"/clusters/{ident}?other=a/x")
    assert "The rules keep them apart" in page.text and "园冶注释" in page.text
    assert "There is no a/none here" in (await browser.get(f"/clusters/{ident}?other=a/none")).text
    assert (await browser.send(f"/clusters/{ident}?other=a/x", 1, do="join", why="one book")).leads_to
    await catalogue.settle()
    assert [names for names in await catalogue.partition() if {"a/1", "a/x"} <= names]


async def test_who_may_look_has_no_forms_and_strangers_may_not_decide(catalogue: Catalogue, browser: Browser) -> None:
    ident = await stock(catalogue)
    await browser.sign_in("looker", access.PASSWORD)
    page = await browser.get(f"/clusters/{ident}")
    assert "a/1 = b/1" in page.text and not page.page.xpath("//button[@name='do']")
    assert (await browser.ask("POST", "/cluster/act", {"do": "split"})).status == 403
    browser.cookies.clear()
    await browser.sign_in("stranger", access.PASSWORD)
    page = await browser.get(f"/clusters/{ident}")
    (form,) = [each for each in page.page.forms if each.xpath(".//button[@value='split']")]
    values = {name: value for name, value in form.form_values() if isinstance(value, str)}
    sent = values | {"do": "split", "record": "b/2", "why": "not mine"}
    assert (await browser.ask("POST", "/cluster/act", sent)).status == 403
