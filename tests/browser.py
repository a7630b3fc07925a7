"""A headless browser that is driven like a person does: goes to pages, types, clicks, and keeps its cookies.

Over the Chrome DevTools Protocol. Scripts are switched off, so whatever works here needs none.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests import postgres

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
PATIENCE = 60  # seconds for one step, with the browser's start
PORT_FILE = "DevToolsActivePort"


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def say(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        found, _ = await self._said(method, parameters, until="")
        return found

    async def go(self, url: str) -> None:
        """Open an address, and wait until the page has loaded."""
        await self._said("Page.navigate", {"url": url}, until="Page.loadEventFired")

    async def type(self, name: str, text: str) -> None:
        """Type into the field with this name, in place of what stands there."""
        node = await self._node(f"[name={name}]:not([type=hidden])")
        await self.say("DOM.focus", nodeId=node)
        for kind in ("keyDown", "keyUp"):
            await self.say(
                "Input.dispatchKeyEvent", type=kind, key="a", code="KeyA", modifiers=2, commands=["selectAll"]
            )
        await self.say("Input.insertText", text=text)

    async def press(self, selector: str) -> None:
        """Click on what the selector names, and wait for the page that follows."""
        node = await self._node(selector)
        await self.say("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = (await self.say("DOM.getContentQuads", nodeId=node))["quads"][0]
        where = {"x": sum(quad[0::2]) / 4, "y": sum(quad[1::2]) / 4, "button": "left", "clickCount": 1}
        await self.say("Input.dispatchMouseEvent", type="mousePressed", **where)
        released = {"type": "mouseReleased", **where}
        await self._said("Input.dispatchMouseEvent", released, until="Page.loadEventFired")

    async def text(self) -> str:
        """The page as HTML."""
        root = (await self.say("DOM.getDocument", depth=0))["root"]["nodeId"]
        return str((await self.say("DOM.getOuterHTML", nodeId=root))["outerHTML"])

    async def path(self) -> str:
        """Where the browser is, without scheme and host."""
        history = await self.say("Page.getNavigationHistory")
        url = str(history["entries"][history["currentIndex"]]["url"])
        return "/" + url.partition("://")[2].partition("/")[2]

    async def shot(self, width: int) -> bytes:
        """A picture (PNG) of the whole page in a window of this width."""
        await self.say("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        size = (await self.say("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        found = await self.say("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(found["data"])

    async def width(self, window: int) -> int:
        """How wide the page is in a window of this width: no wider, unless something sticks out."""
        await self.say(
            "Emulation.setDeviceMetricsOverride", width=window, height=800, deviceScaleFactor=1, mobile=False
        )
        return int((await self.say("Page.getLayoutMetrics"))["cssContentSize"]["width"])

    async def _node(self, selector: str) -> int:
        root = (await self.say("DOM.getDocument", depth=0))["root"]["nodeId"]
        found = int((await self.say("DOM.querySelector", nodeId=root, selector=selector))["nodeId"])
        assert found, f"the page has no {selector}"
        return found

    async def _said(self, method: str, parameters: dict[str, object], until: str) -> tuple[dict[str, Any], bool]:
        """The answer, and after it the event to wait for."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer: dict[str, Any] | None = None
        happened = not until
        async with asyncio.timeout(PATIENCE):
            while answer is None or not happened:
                told = await self._socket.receive_json()
                if told.get("id") == number:
                    assert "error" not in told, (method, told["error"])
                    answer = told["result"]
                happened = happened or told.get("method") == until
        return answer, happened


def _port(file: Path) -> str:
    """Where the browser listens: it tells only by this file that it is up."""
    postgres.until(lambda: file.exists() and file.read_text().strip(), PATIENCE)
    return file.read_text().split()[0]


@contextlib.asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A browser with a new profile in the folder, for the length of the block; scripts are off."""
    assert CHROMIUM
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await asyncio.to_thread(_port, profile / PORT_FILE)
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [each for each in await answer.json() if each["type"] == "page"]
            async with client.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                found = Tab(socket)
                await found.say("Page.enable")
                await found.say("Emulation.setScriptExecutionDisabled", value=True)
                yield found
    finally:
        process.terminate()
        await process.wait()
