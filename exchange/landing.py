"""Landing: input becomes units in the inbox, each with the load's checkpoint in the same transaction (shell).

A landing that was cut short (kill -9, a pulled stick) goes on when the same input is given again: stretches are cut at
the same places, those below the checkpoint are passed over, the next one is landed.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import re
import stat
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from catalog import bodies, hosting, inbox, loads, quarantine, sources
from catalog.database.pool import Database
from catalog.loads import Load
from catalog.model import CARRIERS, LoadState, Source
from catalog.quarantine import Case
from catalog.work import leases, units
from catalog.work.queue import Queue
from config.errors import BadRecord, Conflict, Misconfigured, Refused, Retry
from exchange import repeats
from protocols import detect, stream
from protocols.gunzip import Input
from protocols.stream import Stretch
from protocols.tables import opening
from protocols.tables.opening import Table
from protocols.tables.rows import Given
from protocols.tables.template import Template

HEAD = 1 << 20  # bytes of each input that make its fingerprint
LEASE_SECONDS = 30
TABLES = ("csv", "excel")  # what `carrier` may say of a table; its records are landed as MARC-in-JSON
INPUT_FAULT = "input-fault"  # the rule of what could not become a stretch
MOST_WAITING = 400  # units that may wait for PREPARE before landing pauses: about 400 MB of input
PAUSE = 0.1  # seconds between looks while it pauses
AWAY = 60.0  # seconds that the database may be away before landing gives up

_XML_RECORD = re.compile(rb"<(?:[\w.-]+:)?(?:record|oai_marc|r)[\s>]")

T = TypeVar("T")
Progress = Callable[[int, int], None]  # bytes landed, records landed


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Opened inputs of one load, all of one carrier."""

    names: tuple[str, ...]
    streams: tuple[Input | Table, ...]
    carrier: str
    fingerprint: bytes
    size: int | None  # bytes to land, None where compression or a pipe hides it
    files: tuple[Path, ...] = ()  # the inputs where all are files, which can be read twice
    template: bytes = b""  # of tables: a digest of the templates by which they are read

    @property
    def tables(self) -> tuple[Table, ...]:
        """Those that are tables of cells, read as MARC-in-JSON."""
        return tuple(each for each in self.streams if isinstance(each, Table))


def open_inputs(
    stack: ExitStack,
    paths: Sequence[str],
    carrier: str = "auto",
    *,
    template: Template | None = None,
    encoding: str = "auto",
    library: str = "",
) -> Inputs:
    """Open files (`-` = standard input), find their carrier and fingerprint by content. Misconfigured if mixed.

    Tables (`carrier` csv or excel, or known by their columns, or any input where there is a `template`) are read by
    that template, or by the ready one that fits, in the encoding said; the records made of them say which `library`
    made them, and that it was today.
    """
    given = Given(library=library, entered=f"{datetime.date.today():%Y%m%d}")
    streams: list[Input | Table] = []
    digest = hashlib.sha256()
    by = b""
    found: dict[str, str] = {}
    sizes: list[int | None] = []
    files = []
    for path in paths:
        opened = stack.enter_context(stream.open_input(path))
        head = opened.head(HEAD)
        digest.update(len(head).to_bytes(8, "big") + head)
        sizes.append(None)
        if path != "-":
            # The head alone would take a corrected file for the one whose load was cut short or held.
            told = os.stat(path)
            digest.update(f"{told.st_size} {told.st_mtime_ns}".encode())
            if stat.S_ISREG(told.st_mode):
                files.append(Path(path))
                sizes[-1] = None if opened.compressed else told.st_size
        if _is_table(head, carrier, template):
            by = opening.digest_of(template)
            streams.append(stack.enter_context(Table(opened, path, template, encoding, given)))
            found[path], sizes[-1] = "marcjson", None
        else:
            streams.append(opened)
            try:
                found[path] = detect.carrier_of(head) if carrier == "auto" else carrier
            except detect.UnknownCarrier as error:
                raise detect.UnknownCarrier(f"{path}: {error}") from error
    if len(set(found.values())) > 1:
        kinds = ", ".join(f"{path} is {kind}" for path, kind in found.items())
        raise Misconfigured(f"one load takes files of one format, but {kinds}: load them one by one")
    return Inputs(
        names=tuple(paths),
        streams=tuple(streams),
        carrier=next(iter(found.values())),
        fingerprint=hashlib.sha256(digest.digest() + by).digest()[:16] if by else digest.digest()[:16],
        size=sum(size or 0 for size in sizes) if None not in sizes else None,
        files=tuple(files) if len(files) == len(paths) else (),
        template=by,
    )


def _is_table(head: bytes, carrier: str, template: Template | None) -> bool:
    """Whether a table is to be read, even where no template will be found that knows it."""
    if carrier != "auto" or opening.is_table(head):
        return carrier in TABLES or carrier == "auto"
    if template is None and not opening.is_divided(head):
        return False
    try:
        detect.carrier_of(head)
    except detect.UnknownCarrier:
        return True
    return False


async def repeat(
    database: Database, source: Source, inputs: Inputs, *, mode: str, encoding: str, habits: bytes
) -> Load | None:
    """A load that is done at once, if the inputs are those of the source's newest load (see `repeats`); else None.

    `habits`: a digest of the source's habits.
    """
    how = {"mode": mode, "carrier": inputs.carrier, "encoding": encoding}
    if not inputs.files:
        return None
    async with database.connection() as conn:
        if await repeats.candidate(conn, source.no, size=inputs.size, **how) is None:
            return None
    content = await asyncio.to_thread(repeats.of_files, habits + inputs.template, inputs.files)
    async with database.transaction() as conn:
        await sources.lock(conn, source.no)
        await hosting.writable(conn, source.library)
        before = await repeats.candidate(conn, source.no, size=inputs.size, **how)
        if before is None or before.content != content:
            return None
        return await loads.repeat(conn, before, origin=", ".join(inputs.names), fingerprint=inputs.fingerprint)


async def open_load(
    database: Database,
    source: Source,
    inputs: Inputs,
    *,
    mode: str,
    encoding: str,
    assured: bool,
    mends: Collection[str] = (),
) -> Load:
    """The load of these inputs: the unfinished one of the same inputs, else a new one. `mends`: rules whose fixes are
    used in it.

    Another unfinished load of the source is a Conflict; one that is held, or whose landing died, gives way.
    """
    async with database.transaction() as conn:
        await sources.lock(conn, source.no)
        there = await loads.open_of_source(conn, source.no)
        wanted = (inputs.fingerprint, inputs.carrier, mode, encoding)
        if there is not None and (there.fingerprint, there.carrier, there.mode, there.encoding) == wanted:
            if assured:
                await loads.assure(conn, there.load)
                faults = await quarantine.of_load(conn, source.no, there.load, INPUT_FAULT)
                await loads.judge_again(conn, there.load, faults)
            return await loads.get(conn, there.load)
        if there is not None and there.state in (LoadState.PREPARING, LoadState.PLACING):
            raise Conflict(
                f"load {there.load} of {source.name} is at work: wait for it (tianlu loads show {there.load})"
            )
        if there is not None:
            if not await leases.acquire(conn, _lease(source), inputs.fingerprint.hex(), LEASE_SECONDS):
                raise Conflict(f"load {there.load} of {source.name} is being landed by another process")
            why = f"gave way to another load ({', '.join(inputs.names)})"
            await loads.turn(conn, there.load, LoadState.FAILED, since=(LoadState.LANDING, LoadState.HELD), reason=why)
            await inbox.discard(conn, there.load)
            await quarantine.forget(conn, there.load)
        return await loads.begin(
            conn,
            source.no,
            source.library,
            mode=mode,
            origin=", ".join(inputs.names),
            fingerprint=inputs.fingerprint,
            carrier=inputs.carrier,
            encoding=encoding,
            assured=assured,
            mends=mends,
        )


def _lease(source: Source) -> str:
    return f"{loads.LANDING}{source.no}"


async def land(
    database: Database,
    queue: Queue,
    source: Source,
    load: Load,
    inputs: Inputs,
    progress: Progress,
    *,
    habits: bytes,
) -> None:
    """Land what the checkpoint has not passed yet, then give the load over to be prepared and judged. `habits` as for
    `repeat`.
    """
    if load.state is not LoadState.LANDING:
        return
    holder = inputs.fingerprint.hex()

    async def hold() -> int | None:
        async with database.connection() as conn:
            return await leases.acquire(conn, _lease(source), holder, LEASE_SECONDS)

    term = await _insist(hold)
    if term is None:
        raise Conflict(f"load {load.load} of {source.name} is being landed by another process: wait for it")

    async def keep() -> bool:
        async with database.connection() as conn:
            return await leases.renew(conn, _lease(source), holder, term, LEASE_SECONDS)

    landed, renewed = load.landed, time.monotonic()
    whole = not landed  # what another process landed we have not seen
    for base, ordinal, stretch in _stretches(inputs):
        end = base + stretch.end
        whole = whole and bool(stretch.length)
        if end > landed or not stretch.length:
            await _keep(database, queue, source, load, base, ordinal, stretch, landed)
            landed = end
        if time.monotonic() - renewed > LEASE_SECONDS / 3:
            await _insist(keep)
            renewed = time.monotonic()
        progress(end, ordinal + count(stretch.data, inputs.carrier))
        await _room(database, load)

    async def give_over() -> None:
        async with database.transaction() as conn:
            if whole:
                digests = [opened.digest for opened in inputs.streams]
                await loads.tell_content(conn, load.load, repeats.content(habits + inputs.template, digests))
            await loads.turn(conn, load.load, LoadState.PREPARING, since=(LoadState.LANDING,))
            await leases.release(conn, _lease(source), holder, term)

    await _insist(give_over)


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, and while the database is away do it again; `work` must be safe to repeat."""
    give_up = time.monotonic() + AWAY
    while True:
        try:
            return await work()
        except Retry:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(PAUSE)


async def _keep(
    database: Database, queue: Queue, source: Source, load: Load, base: int, ordinal: int, stretch: Stretch, landed: int
) -> None:
    """One stretch into the inbox, or into quarantine if it can't be one, with the checkpoint."""
    payload = await asyncio.to_thread(bodies.pass_on, stretch.data)
    position, end = base + stretch.position, base + stretch.end
    tried = False

    async def once() -> None:
        nonlocal tried
        async with database.transaction() as conn:
            if tried and stretch.length and (await loads.get(conn, load.load)).landed == end:
                return  # the commit whose answer was lost was done
            tried = True
            if stretch.fault:
                await loads.advance(conn, load.load, landed, end)
                # A fault at the very end has no length: it comes again when the landing is taken up behind it.
                if await quarantine.put(conn, [_case(source, load, position, ordinal, stretch, payload)]):
                    await loads.count(conn, load.load, {"records": 1, "unreadable": 1})
                return
            unit = await inbox.land(
                conn, load.load, position=position, ordinal=ordinal, payload=payload, expected=landed, landed=end
            )
            await units.announce(queue, conn, load.load, [unit])

    await _insist(once)


def _case(source: Source, load: Load, position: int, ordinal: int, stretch: Stretch, payload: bytes) -> Case:
    return Case(
        source=source.no,
        library=source.library,
        load=load.load,
        position=position,
        ordinal=ordinal + 1,
        local_id="",
        verdict="unreadable",
        rule=INPUT_FAULT,
        reason=stretch.fault,
        carrier=CARRIERS[load.carrier],
        digest=hashlib.blake2b(stretch.data, digest_size=16).digest(),
        body=payload,
    )


def _stretches(inputs: Inputs) -> Iterator[tuple[int, int, Stretch]]:
    """(bytes of the inputs before, records before, stretch) over all inputs as if they were one."""
    base = ordinal = 0
    for name, opened in zip(inputs.names, inputs.streams, strict=True):
        end = 0
        try:
            for stretch in stream.stretches(opened, inputs.carrier):
                yield base, ordinal, stretch
                ordinal += count(stretch.data, inputs.carrier)
                end = stretch.end
        except (BadRecord, Refused) as error:  # damage, or a bomb: what came before is kept, the fault is reported
            yield base, ordinal, Stretch(position=end, data=b"", length=0, fault=_named(name, error))
        base += end


def _named(name: str, error: Exception) -> str:
    """What is wrong with a file, with its name."""
    return str(error) if str(error).startswith(name) else f"{name}: {error}"


def count(data: bytes, carrier: str) -> int:
    """Records in a stretch, as far as their framing tells."""
    if carrier == "iso2709":
        return data.count(b"\x1d")
    if kind := detect.LINES.get(carrier) or detect.KINDS.get(carrier):
        return kind.count(data)
    if carrier == "marcjson":
        return sum(1 for line in data.splitlines() if line.strip(b"[], \t"))
    return len(_XML_RECORD.findall(data))


async def _room(database: Database, load: Load) -> None:
    """Wait until PREPARE has caught up."""

    async def waiting() -> int:
        async with database.connection() as conn:
            return len(await inbox.unprepared(conn, load.load, MOST_WAITING))

    while True:
        if await _insist(waiting) < MOST_WAITING:
            return
        await asyncio.sleep(PAUSE)
