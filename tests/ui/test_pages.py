"""Pages in a real browser: nothing in a record or an address ever runs, and no page needs JavaScript."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio

from catalog.database.pool import Database
from catalog.model import Description, Holding, cluster_id
from node.web import routes, texts
from protocols import marc
from protocols.marc import Record
from tests import builders, stocked
from tests.stocked import Shelf, Stock

pytestmark = pytest.mark.ui
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--timeout=15000",
)  # fmt: skip
PATIENCE = 60  # seconds for one page, with the browser's start
# What runs changes the title, which the page as the browser leaves it then shows. Each breaks out of another place.
RAN = "something-ran"
RUN = f"document.title='{RAN}'"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f'"><img src=x onerror="{RUN}">',
    f"'><svg onload={RUN}>",
    f'" autofocus onfocus="{RUN}',
    f"</title><script>{RUN}</script>",
    f"javascript:{RUN}",
    f"{{{{7*7}}}}<style>@import'javascript:{RUN}'</style>",
    f'<a href="javascript:{RUN}">',
)
PAYLOAD = "".join(PAYLOADS)


class Browser:
    """A headless browser with a profile of its own for each page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = 0

    async def dump(self, url: str, *flags: str) -> str:
        """The document after everything in it that can run has run."""
        assert CHROMIUM
        self.started += 1
        profile = self.folder / f"profile{self.started}"
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, "--dump-dom", url,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return out.decode()


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt install chromium")
    return Browser(tmp_path)


def hostile() -> Stock:
    """The payloads in every part of the description, every MARC field and every part of a holding."""
    parts = {
        field.name: {int: 1999, str: PAYLOAD}.get(field.type, (PAYLOAD, *PAYLOADS))
        for field in msgspec.structs.fields(Description)
    }
    text = marc.field('"<', [("a", PAYLOAD), ("u", f"javascript:{RUN}"), ("<", PAYLOAD), ('"', PAYLOAD)])
    fields = [("008", PAYLOAD), ('"><', text), *((tag, text) for tag in ("100", "245", "500", "650", "856"))]
    held = Holding(library="CN-TJU", call_number=PAYLOAD, item=PAYLOAD, location=PAYLOAD, status=PAYLOAD, note=PAYLOAD)
    return Stock(
        record=Record(PAYLOAD[:24], tuple(fields)),
        description=Description(**parts),  # type: ignore[arg-type]
        holdings=(held,),
    )


@pytest_asyncio.fixture
async def address(database: Database, home: Path) -> AsyncIterator[str]:
    """A node with one hostile and one honest record, in libraries with hostile names."""
    shelf = Shelf()
    async with database.connection() as conn:
        await stocked.open_house(conn)
        await conn.execute("update library set name = $1, name_en = $1, area = $1 where symbol <> 'CN-SZL'", PAYLOAD)
        honest = Stock(record=builders.a_marc21(), holdings=(builders.a_holding(builders.SZL),))
        await stocked.stock(conn, [hostile(), honest])
        await shelf.look(conn)
    async with stocked.serving(database, shelf, home) as at:
        yield at


async def test_the_trap_works(browser: Browser, tmp_path: Path) -> None:
    """Without our escapes and headers the payload does run: the other tests could fail."""
    bare = tmp_path / "bare.html"
    bare.write_text(f"<!doctype html><title>still</title><body>{PAYLOAD}", encoding="utf-8")
    assert f"<title>{RAN}</title>" in await browser.dump(bare.as_uri())


async def test_nothing_in_a_record_or_an_address_runs(browser: Browser, address: str) -> None:
    first = cluster_id(stocked.SYMBOL, 1)
    each = quote(PAYLOAD[:190], safe="")
    pages = [
        "/", "/libraries", "/network", f"/network?every={each}", "/about", "/api", "/search",
        f"/records/{first}", f"/records/{first}?view=marc",
        f"/search?q={quote(PAYLOAD[:290], safe='')}", f"/search?kind={each}&library={each}&class={each}",
        f"/search?q=a&year={each}", f"/search?sort={each}", f"/search?page={each}", f"/search?field={each}",
        f"/search?scope={each}", f"/search?q=a&from={each}&library={each}", "/search?library=CN-TJU",
        f"/records/{each}", f"/records/{first}?view={each}", f"/{each}", f"/about?lang={each}", f"/about?{each}={each}",
        f"/oai?verb={each}", f"/oai?verb=GetRecord&identifier={each}&metadataPrefix=oai_dc",
        "/oai?verb=ListRecords&metadataPrefix=oai_dc", f"/api/search?q={each}", f"/api/records/{first}",
    ]  # fmt: skip
    for path in pages:
        shown = await browser.dump(address + path)
        assert shown, path
        assert f"<title>{RAN}" not in shown, path


async def test_a_reader_has_everything_where_no_script_may_run(browser: Browser, address: str) -> None:
    # The pages' own policy stops every script; a browser with scripts switched off can't dump its document.
    home = await browser.dump(f"{address}/?lang=en")
    assert 'action="/search"' in home and texts.TEXTS["search_button"]["en"] in home
    results = await browser.dump(f"{address}/search?q=gardens&lang=en")
    assert "A field guide to walled gardens" in results and "/records/" in results
    record = await browser.dump(f"{address}/records/{cluster_id(stocked.SYMBOL, 2)}?lang=en")
    assert "Shenzhen Library" in record and "N092/12" in record


@pytest.mark.parametrize("width", [360, 1280])
async def test_no_page_is_wider_than_its_window(browser: Browser, address: str, tmp_path: Path, width: int) -> None:
    """Checked by a page of ours that measures them, because a page itself may run nothing."""
    css = (Path(routes.__file__).parent / "static" / "tianlu.css").read_text()
    marc_view = f"/records/{cluster_id(stocked.SYMBOL, 1)}?view=marc"
    for path in ("/", "/search", marc_view, "/libraries", "/network", "/api"):
        plain = await browser.dump(address + path)
        measured = plain.replace("</head>", f"<style>{css}</style></head>").replace(
            "</body>", "<script>document.title = document.documentElement.scrollWidth</script></body>"
        )
        copy = tmp_path / "copy.html"
        copy.write_text(measured, encoding="utf-8")
        shown = await browser.dump(copy.as_uri(), f"--window-size={width},900")
        title = shown.partition("<title>")[2].partition("</title>")[0]
        assert title.isdigit() and int(title) <= max(width, 500), (path, title)  # the browser's least width is 500
