"""The live table of the demonstration: each node, and each stream as both of its ends know it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from config.errors import Fatal, Retry
from node import flows, indexed
from node.context import Context
from node.demo import cast
from node.demo.network import Member, Network
from node.flows import Counts, Flow, Work
from node.output import BOLD, GREEN, LINE_EVERY, RED, YELLOW, width
from services.discovery import find

EVERY = 0.5  # seconds between two looks
PATIENCE = 120.0  # seconds without any progress
NAMED = 3  # of the things that are left to do
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"  # a line that wraps would spoil the drawing (DEC private mode 7)
COLORS = {"even": GREEN, "listening": GREEN, "flowing": YELLOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream: what its sender told, and what the other has heard."""

    origin: str
    to: str
    channel: str
    told: int
    heard: int
    behind: int
    state: str
    reason: str

    @property
    def why(self) -> str:
        """The reason on one line."""
        return self.reason.partition("\n")[0]

    @property
    def even(self) -> bool:
        """Nothing is missing at the other end."""
        return self.state == "even" and self.told == self.heard


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The network at one time."""

    titles: dict[str, int]  # by node; as its index has them
    indexed: dict[str, tuple[int, int]]  # place in its feed up to which its index has come
    work: dict[str, Work]
    streams: tuple[Stream, ...]

    @property
    def settled(self) -> bool:
        """Nobody has anything to do, and everybody has heard everything."""
        busy = any(
            each.preparing or each.to_merge or self.indexed[symbol] < (each.epoch, each.last)
            for symbol, each in self.work.items()
        )
        return not busy and all(each.even for each in self.streams)


async def look(network: Network, counts: dict[str, Counts]) -> View:
    """Asks every node."""
    found = await asyncio.gather(*(_look(each, counts.setdefault(s, Counts())) for s, each in network.items()))
    looked = dict(zip(network, found, strict=True))
    sent: dict[tuple[str, str, str], Flow] = {}
    heard: dict[tuple[str, str, str], Flow] = {}
    for symbol, each in looked.items():
        for flow in each.flows:
            (sent if flow.origin == symbol else heard)[flow.origin, flow.to, flow.channel] = flow
    return View(
        titles={symbol: each.titles for symbol, each in looked.items()},
        indexed={symbol: each.indexed for symbol, each in looked.items()},
        work={symbol: each.work for symbol, each in looked.items()},
        streams=tuple(_stream(each, heard.get(key)) for key, each in sent.items()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    flows: list[Flow]
    work: Work
    titles: int
    indexed: tuple[int, int]


async def _look(member: Member, counts: Counts) -> _Looked:
    node = member.node
    async with node.database.connection() as conn:
        _, found = await flows.look(conn, counts, node.symbol, member.part.own.name)
        work = await flows.work(conn)
    titles = await find.count(node.reader)
    return _Looked(flows=found, work=work, titles=titles, indexed=await asyncio.to_thread(indexed.place, node))


def _stream(sent: Flow, heard: Flow | None) -> Stream:
    state, reason = sent.state, sent.reason
    if heard is not None and heard.state in ("trouble", "silent"):  # the child, who calls, knows what is wrong
        state, reason = heard.state, heard.reason
    return Stream(
        origin=sent.origin,
        to=sent.to,
        channel=sent.channel,
        told=sent.records,
        heard=heard.records if heard else 0,
        behind=sent.behind or 0,
        state=state,
        reason=reason,
    )


async def settled(network: Network) -> View:
    """Until nobody has anything to do and everybody has heard everything, twice in a row with nothing new between.

    Fatal if for `PATIENCE` nothing comes nearer to that.
    """
    before: View | None = None
    since = time.monotonic()
    while True:
        now = await look(network, {})
        if now.settled and now == before:
            return now
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            raise Fatal(f"the network doesn't come to rest: {_unsettled(now)}")
        await asyncio.sleep(EVERY)


def _unsettled(view: View) -> str:
    """What is left to do, for people."""
    left = [f"{s}: {each}" for s, each in view.work.items() if each.preparing or each.to_merge]
    left += [
        f"{each.origin} → {each.to} {each.channel}: told {each.told}, heard {each.heard}, behind {each.behind} "
        f"({each.why or each.state})"
        for each in view.streams
        if not each.even
    ]
    return "; ".join(left[:NAMED]) or "an index is behind its feed"


@contextlib.asynccontextmanager
async def live(context: Context, network: Network) -> AsyncIterator[None]:
    """Shows the table for the length of the block."""
    table = Table(context=context, network=network, stream=context.out.stderr)
    showing = asyncio.create_task(table.keep())
    try:
        yield
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
        table.clear()


@dataclass(kw_only=True)
class Table:
    """Shows the network on a terminal in place, elsewhere as a line every 10 s if anything has changed."""

    context: Context
    network: Network
    stream: TextIO
    counts: dict[str, Counts] = field(default_factory=dict)
    drawn: int = 0  # lines on the terminal
    said: str = ""

    async def keep(self) -> None:
        """Until cancelled."""
        terminal = self.stream.isatty()
        told = time.monotonic()
        while True:
            try:
                view = await look(self.network, self.counts)
            except Retry:  # the database is being started again
                await asyncio.sleep(EVERY)
                continue
            if terminal:
                self.draw(view)
            elif time.monotonic() - told >= LINE_EVERY:
                told = time.monotonic()
                self.say(view)
            await asyncio.sleep(EVERY)

    def draw(self, view: View) -> None:
        """In the place of what was drawn before."""
        lines = [*self._nodes(view), "", *self._streams(view)][: shutil.get_terminal_size().lines - 1]
        self.clear()
        self.stream.write("\n".join([f"{NO_WRAP}{lines[0]}", *lines[1:], WRAP]))
        self.stream.flush()
        self.drawn = len(lines)

    def clear(self) -> None:
        """Remove what was drawn, so that something else can be said."""
        if self.drawn:
            self.stream.write(f"\x1b[{self.drawn}A\x1b[J")
            self.drawn = 0

    def say(self, view: View) -> None:
        """One line, unless it was said already."""
        line = self.context.text(
            "demo_flows",
            titles=" / ".join(f"{each:,}" for each in view.titles.values()),
            told=f"{sum(each.told for each in view.streams):,}",
            heard=f"{sum(each.heard for each in view.streams):,}",
            behind=f"{sum(each.behind for each in view.streams):,}",
        )
        if line != self.said:
            self.stream.write(line + "\n")
            self.stream.flush()
            self.said = line

    def _nodes(self, view: View) -> list[str]:
        head = [self.context.text(f"demo_{name}") for name in ("node", "titles", "work", "address")]
        cells = [
            [self._name(symbol), f"{view.titles[symbol]:,}", self._work(view, symbol), each.address]
            for symbol, each in self.network.items()
        ]
        return self._laid_out(head, cells, right=(1,))

    def _streams(self, view: View) -> list[str]:
        head = [self.context.text(f"demo_{name}") for name in ("stream", "channel", "told", "heard", "behind", "state")]
        cells = [
            [
                f"{self._name(each.origin)} → {self._name(each.to)}",
                self.context.text(f"demo_channel_{each.channel}"),
                *(f"{number:,}" for number in (each.told, each.heard, each.behind)),
                self._state(each),
            ]
            for each in view.streams
            if each.told or each.heard or not each.even  # of a hand-over there is nothing to see until there is one
        ]
        return self._laid_out(head, cells, right=(2, 3, 4))

    def _name(self, symbol: str) -> str:
        return cast.named(self.network[symbol].part.own, self.context.lang)

    def _work(self, view: View, symbol: str) -> str:
        work = view.work[symbol]
        if work.preparing or work.to_merge:
            return self.context.text("demo_busy", loads=work.preparing, clusters=f"{work.to_merge:,}")
        return self.context.text("demo_idle")

    def _state(self, stream: Stream) -> str:
        color = COLORS.get(stream.state, RED)
        told = self.context.out.paint(color, self.context.text(f"demo_state_{stream.state}"))
        return f"{told} {stream.why}".rstrip()

    def _laid_out(self, head: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[int]) -> list[str]:
        """Lines in columns, those of `right` with their text at the right; the last column is as wide as it is."""
        widths = [max(width(line[n]) for line in (head, *cells)) for n in range(len(head) - 1)]

        def line(texts: Sequence[str]) -> str:
            padded = [_pad(texts[n], space, right=n in right) for n, space in enumerate(widths)]
            return "  ".join([*padded, texts[-1]])

        return [self.context.out.paint(BOLD, line(head)), *(line(each) for each in cells)]


def _pad(text: str, space: int, *, right: bool) -> str:
    blank = " " * (space - width(text))
    return blank + text if right else text + blank
