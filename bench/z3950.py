"""Z39.50: how soon many targets answer where some are dead, and copying a list of ISBNs from a local target."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import corpora, foreign, node, z3950_door
from bench.measure import Ran
from bench.options import Options
from bench.pair import free_port
from bench.report import Report, Row
from catalog.targets import Target
from config.secret import Secret
from dms import formats
from protocols import reading, writing
from protocols.charsets import codec
from protocols.detect import ISO2709
from protocols.http.guard import Rules
from protocols.query import Term
from protocols.target import Profile
from services.copying import lines, metasearch, z3950

SIZE = 1_000  # ISBNs
GOOD, REFUSING, SILENT = 45, 2, 3  # targets
RECORDS = 10  # of each target
TURNS = 20
DEADLINE = 5.0  # seconds


def run(options: Options) -> Report:
    """The rows of both."""
    size = options.size or SIZE
    return Report(bench="z3950", size=size, rows=(*_metasearch(), *_copy(size), *z3950_door.rows(4 * size)))


def _metasearch() -> list[Row]:
    with foreign.ztest(GOOD) as ports, _silent() as silent:
        dead = [free_port() for _ in range(REFUSING)]
        targets = [_target(f"t{number}", port) for number, port in enumerate([*ports, *dead, *silent])]
        first, again = asyncio.run(_timed(targets))
    name = f"{len(targets)} targets, {REFUSING + SILENT} dead, {RECORDS} records each: last good answer"
    return [
        Row(name=f"{name}, new connections", value=1000 * first, unit="ms", goal="< 100"),
        Row(name=f"{name}, kept connections", value=1000 * again, unit="ms"),
    ]


async def _timed(targets: list[Target]) -> tuple[float, float]:
    """Medians of seconds: on new connections, and on those that were kept."""

    async def nothing(target: Target) -> Secret:
        return Secret("")

    news, agains = [], []
    for _ in range(TURNS):
        async with lines.of(z3950.opener(Rules(), nothing)) as kept:
            news.append(await _last(kept, targets))
            agains.append(await _last(kept, targets))
    return median(news), median(agains)


async def _last(kept: lines.Lines, targets: list[Target]) -> float:
    """Seconds to the last good answer; the silent are not waited for."""
    answers: list[float] = []
    asking = metasearch.search(kept, targets, Term(index="title", text="computer"), most=RECORDS, deadline=DEADLINE)
    async with contextlib.aclosing(asking):
        async for outcome in asking:
            if outcome.answer and outcome.answer.found:
                answers.append(outcome.seconds)
            if len(answers) == GOOD:
                break
    return max(answers)


def _target(name: str, port: int) -> Target:
    profile = Profile(host="127.0.0.1", port=port, syntaxes=("usmarc",), auth="none")
    return Target(no=1, name=name, kind="z3950", profile=profile, state="active")


@contextlib.contextmanager
def _silent() -> Iterator[list[int]]:
    """Ports on which somebody listens who never says anything."""
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(SILENT)]
        yield [sock.getsockname()[1] for sock in socks]


def _copy(size: int) -> list[Row]:
    home = Path(tempfile.mkdtemp(prefix="zebra-", dir=corpora.folder()))
    try:
        isbns, records = _books(size)
        with foreign.zebra(home, records) as port, node.fresh() as fresh:
            fresh.tianlu("target", "add", "zebra", f"127.0.0.1:{port}")
            listed = home / "isbns"
            listed.write_text("\n".join(isbns), encoding="ascii")
            found = fresh.tianlu(
                "copy", "--isbns", str(listed), "--from", "zebra", "--dry-run", "--json", allowed=(0, 3)
            )
            saved = fresh.tianlu("copy", "--isbns", str(listed), "--from", "zebra", "--json", allowed=(0, 3))
    except subprocess.CalledProcessError as error:
        raise node.Failed(f"zebraidx: {error.stderr[-500:]!r}") from error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    load = node.objects(saved.out)[-1]
    name = f"copy {len(isbns):,} ISBNs from Zebra"
    return [
        Row(name=f"{name}: find, choose, convert", value=found.seconds, unit="s"),
        Row(name=f"{name}: and save, checked and clustered", value=saved.seconds, unit="s", goal="< 10 of 1,000"),
        Row(name=f"{name}: CPU of finding, choosing, converting", value=found.cpu, unit="s"),
        Row(name=f"{name}: CPU of all, PostgreSQL's included", value=saved.cpu, unit="s"),
        Row(name="records that were found", value=_chosen(found), unit=""),
        Row(name="records that were saved", value=load["added"], unit=""),
    ]


def _chosen(ran: Ran) -> int:
    return sum(1 for line in ran.out.splitlines() if json.loads(line).get("chosen"))


def _books(size: int) -> tuple[list[str], bytes]:
    """ISBNs, each of one record of a made corpus of Chinese libraries, and these records in UTF-8."""
    place, _ = corpora.made(20 * size)
    books: dict[int, bytes] = {}
    for path in sorted(place.rglob("*.mrc")):
        for each in reading.read(path.read_bytes(), ISO2709).reads:
            facts = formats.facts(each.record, formats.format_of(each.record, "auto"))
            for isbn in facts.isbns[:1]:
                if isbn not in books and each.record.leader[5:6] != "d":
                    books[isbn] = writing.write(each.record, ISO2709, codec.UTF8).data
            if len(books) == size:
                return [str(isbn) for isbn in books], b"".join(books.values())
    return [str(isbn) for isbn in books], b"".join(books.values())
