"""Our Z39.50 server beside Zebra's and the one of YAZ, with the same records: what each takes of a core.

The machine may be busy with other things, so operations are counted by the second of processor time that a server used
(its own, PostgreSQL's included), and each is asked by one client in turn, and by many at once. The queries are so many
that none is answered because it was asked a moment ago; records are taken for the first time, and then by others again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import corpora, foreign, measure, node
from bench.pair import free_port
from bench.report import Row
from protocols import iso2709
from protocols.marc import Record
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.init import InitRequest
from protocols.z3950.apdu.present import PresentRequest
from protocols.z3950.apdu.query import AttributeElement, AttributesPlusTerm, RpnQuery, Type1
from protocols.z3950.apdu.search import SearchRequest, SearchResponse
from protocols.z3950.ber import Frames
from protocols.z3950.limits import ANSWERS

HOST = "127.0.0.1"
RECORDS = 10  # that are taken of each search
TIMES = 2_000
IDLE = 500  # sessions
TOGETHER = 50  # sessions that ask at once; divides the number of queries
LIBRARY, SOURCE = "BENCH", "bench"
FRESH = 300  # searches whose records nobody has taken before
WORDS = 1_000  # of which titles are made, four each; each is asked for in two indexes, so no query comes again soon
SYLLABLES = ("ber", "cal", "dor", "fen", "gram", "hul", "jas", "kir", "lom", "nev")
STEPS = ((1, 0), (3, 1), (7, 3), (9, 7))  # by which the words of a record are chosen: each comes as often
BOTH, CONNECT = f"search and present of {RECORDS}", "connect, init, search"  # what is measured
SHARED = f"{BOTH}, on one core with its client"
TITLE, ANY = 4, 1016  # bib-1 use attributes


class Client:
    """One connection, as quick as Python can be."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = Frames(ANSWERS)

    def ask(self, octets: bytes) -> bytes:
        """The answer to one request."""
        self.send(octets)
        return self.take()

    def send(self, octets: bytes) -> None:
        """Ask, and don't wait."""
        self._socket.sendall(octets)

    def take(self) -> bytes:
        """The answer to what was sent."""
        while True:
            data = self._socket.recv(1 << 20)
            if not data:
                raise node.Failed("the server has closed the connection")
            if whole := self._frames.feed(data):
                return whole[0]

    def close(self) -> None:
        """Leave."""
        self._socket.close()


INIT = apdu.encode(
    InitRequest(
        protocol_version=frozenset((0, 1, 2)),
        options=frozenset((0, 1, 14)),
        preferred_message_size=1 << 20,
        exceptional_record_size=1 << 20,
    )
)
PRESENT = apdu.encode(
    PresentRequest(
        result_set_id="default",
        result_set_start_point=1,
        number_of_records_requested=RECORDS,
        preferred_record_syntax=oids.USMARC,
    )
)


def rows(size: int) -> list[Row]:
    """Of all three servers, the first two with the same records."""
    records = _records(size)
    home = Path(tempfile.mkdtemp(prefix="z3950-", dir=corpora.folder()))
    found: list[Row] = []
    try:
        with _ours(home, records) as (port, pids):
            found += _measured("Tianlu", port, pids, "MARC21")
            found.append(Row(name="Tianlu: idle session", value=_idle(port, pids()[0]), unit="bytes", goal="< 10,000"))
        with foreign.zebra(home / "zebra", records) as port:
            found += _measured("Zebra", port, lambda: _listening(port), "Default")
        found += _against(found)
        with foreign.ztest() as ports:
            found += _measured(
                "yaz-ztest, without an index", ports[0], lambda: _listening(ports[0]), "Default", indexed=False
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return found


def _against(found: Sequence[Row]) -> list[Row]:
    """Ours beside Zebra's, of what there are goals for."""
    value = {row.name: row.value for row in found}

    def times(what: str) -> float:
        return value[f"Tianlu: {what}"] / value[f"Zebra: {what}"]

    goals = {BOTH: "≥ 1", SHARED: "≥ 1", f"{BOTH}, {TOGETHER} sessions at once": "≥ 1", CONNECT: "≥ 3"}
    return [Row(name=f"against Zebra: {what}", value=times(what), unit="×", goal=goal) for what, goal in goals.items()]


def _word(number: int) -> str:
    return "".join([SYLLABLES[int(digit)] for digit in f"{number % WORDS:03}"])


def _records(size: int) -> bytes:
    """MARC 21 of as many books, each with four of the words in its title."""
    made = []
    for number in range(size):
        one, two, three, four = (_word(number * step + number // WORDS * shift) for step, shift in STEPS)
        fields = (
            ("001", f"z{number:07}"),
            ("008", "200101s2011    xx a          001 0 eng d"),
            ("020", f"  \x1fa{_isbn(number)}"),
            ("040", "  \x1faBENCH\x1fbeng\x1fcBENCH"),
            ("100", f"1 \x1fa{two.title()}, {one.title()} {number}."),
            ("245", f"10\x1fa{one.title()} and {two} :\x1fbof {three} and {four}, {number} /\x1fc{one} {two}."),
            ("264", f" 1\x1faOxford :\x1fbPress of {two},\x1fc2011."),
            ("300", f"  \x1fa{100 + number % 700} pages ;\x1fc23 cm"),
            ("650", f" 0\x1fa{two.title()}\x1fvHandbooks, manuals, etc."),
        )
        made.append(iso2709.write(Record("00000nam a2200000 a 4500", fields)))
    return b"".join(made)


def _isbn(number: int) -> str:
    body = f"978{number:09}"
    return body + str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body)) % 10)


def _measured(
    name: str, port: int, pids: Callable[[], Sequence[int]], database: str, *, indexed: bool = True
) -> list[Row]:
    searches = [_search(_word(number * 7), use, database) for use in (TITLE, ANY) for number in range(WORDS)]
    if indexed and any(_hits(port, each) < RECORDS for each in searches[:: WORDS // 10]):
        raise node.Failed(f"{name}: a word is not found {RECORDS} times")
    client = Client(port)
    client.ask(INIT)

    def both(number: int) -> None:
        client.ask(searches[number % len(searches)])
        client.ask(PRESENT)

    def cycle(number: int) -> None:
        fresh = Client(port)
        fresh.ask(INIT)
        fresh.ask(searches[number % len(searches)])
        fresh.close()

    said = (
        ("search", TIMES, lambda number: client.ask(searches[number % len(searches)])),
        (f"{BOTH} records, most of them taken for the first time", FRESH, both),
        (BOTH, TIMES, both),
        (CONNECT, TIMES, cycle),
    )
    made = []
    for what, times, work in said:
        if times == TIMES:
            for number in range(len(searches)):
                work(number)  # once before what counts
        before = _cpu(pids())
        for number in range(times):
            work(number)
        made.append(Row(name=f"{name}: {what}", value=times / max(_cpu(pids()) - before, 0.01), unit="/cpu-s"))
    with _on_one_core(pids()):
        before = _cpu(pids())
        for number in range(TIMES):
            both(number)
        made.append(Row(name=f"{name}: {SHARED}", value=TIMES / max(_cpu(pids()) - before, 0.01), unit="/cpu-s"))
    client.close()
    made.append(_together(name, port, pids, searches))
    return made


@contextlib.contextmanager
def _on_one_core(pids: Sequence[int]) -> Iterator[None]:
    """Keeps these processes and this one on one core, which then never rests: waking it up costs more than a search."""
    every = os.sched_getaffinity(0)
    ours = [os.getpid(), *pids]
    _bind(ours, {min(every)})
    try:
        yield
    finally:
        _bind(ours, every)


def _bind(pids: Sequence[int], cores: set[int]) -> None:
    for thread in [int(each.name) for pid in pids for each in (measure.PROC / str(pid) / "task").glob("*")]:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, cores)


def _together(name: str, port: int, pids: Callable[[], Sequence[int]], searches: Sequence[bytes]) -> Row:
    """Search and present by many sessions at the same time, as they are when cataloguers work."""
    clients = [Client(port) for _ in range(TOGETHER)]
    for client in clients:
        client.ask(INIT)

    def everybody(requests: Sequence[bytes]) -> None:
        for client, request in zip(clients, requests, strict=True):
            client.send(request)
        for client in clients:
            client.take()

    before = _cpu(pids())
    for first in range(0, len(searches), TOGETHER):
        everybody(searches[first : first + TOGETHER])
        everybody([PRESENT] * TOGETHER)
    used = max(_cpu(pids()) - before, 0.01)
    for client in clients:
        client.close()
    what = f"{name}: {BOTH}, {TOGETHER} sessions at once"
    return Row(name=what, value=len(searches) / used, unit="/cpu-s")


def _search(word: str, use: int, database: str) -> bytes:
    attribute = AttributeElement(attribute_type=1, attribute_value=use)
    term = AttributesPlusTerm(attributes=(attribute,), term=word.encode())
    return apdu.encode(
        SearchRequest(
            small_set_upper_bound=0,
            large_set_lower_bound=1,
            medium_set_present_number=0,
            replace_indicator=True,
            result_set_name="default",
            database_names=(database,),
            query=Type1(RpnQuery(attribute_set=oids.BIB_1, rpn=term)),
        )
    )


def _hits(port: int, search: bytes) -> int:
    client = Client(port)
    client.ask(INIT)
    answer = apdu.decode(client.ask(search), ANSWERS)
    client.close()
    return answer.result_count if isinstance(answer, SearchResponse) else 0


@contextlib.contextmanager
def _ours(home: Path, records: bytes) -> Iterator[tuple[int, Callable[[], list[int]]]]:
    """A node with the records; its port, and what gives its processes, the door first."""
    file = home / "records.mrc"
    file.write_bytes(records)
    with node.fresh() as fresh:
        fresh.load(file, source=SOURCE, library=LIBRARY)
        free = {"TIANLU_Z3950__PORT": "0", "TIANLU_WEB__PORT": str(free_port())}
        os.environ.update(free)
        try:
            with fresh.running():
                fresh.tianlu("status", "--wait")
            with fresh.running("web", "z3950") as watch:
                told = json.loads((fresh.home / "run.json").read_text(encoding="utf-8"))
                port = int(told["addresses"]["z3950"].rpartition(":")[2])

                def pids() -> list[int]:
                    every = measure.processes(watch.pid, str(fresh.home))
                    ours = [each for each in every if "run z3950" in _command(each)]
                    return ours + [each for each in every if "postgres" in _command(each)]

                yield port, pids
        finally:
            for name in free:
                del os.environ[name]


def _idle(port: int, pid: int) -> float:
    """Octets of memory that a session takes which has searched and taken records, and then waits."""
    kept = [_waiting(port) for _ in range(IDLE // 10)]
    before = measure.memory(pid)
    more = [_waiting(port) for _ in range(IDLE)]
    time.sleep(1.0)
    grown = measure.memory(pid) - before
    for each in (*kept, *more):
        each.close()
    return grown / IDLE


def _waiting(port: int) -> Client:
    client = Client(port)
    for request in (INIT, _search(_word(0), TITLE, "MARC21"), PRESENT):
        client.ask(request)
    return client


def _listening(port: int) -> list[int]:
    """Processes that belong to a server, by its port on the command line."""
    listed = subprocess.run(["pgrep", "-f", f"127.0.0.1:{port}"], capture_output=True, text=True, check=False)
    return [int(each) for each in listed.stdout.split()]


def _command(pid: int) -> str:
    try:
        return (measure.PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _cpu(pids: Sequence[int]) -> float:
    """Seconds that processes have used, those that have ended under them included.

    By the clock of each process: the system's table has whole hundredths, which is nothing for one session of Zebra's.
    """
    used = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            stat = (measure.PROC / str(pid) / "stat").read_text()
            ended = sum(map(int, stat.rpartition(")")[2].split()[13:15]))
            used += time.clock_gettime(~pid << 3 | 2) + ended / os.sysconf("SC_CLK_TCK")
    return used
