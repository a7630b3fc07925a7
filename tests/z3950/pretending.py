"""A session with a catalogue of a few lines behind it, for tests of what is said and never of what is found."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.search import port
from config import z3950 as told
from config.settings import Z3950
from node.z3950 import databases, making
from node.z3950.session import Session
from node.z3950.state import House
from node.z3950.tasks import SUTRS, Do, Find, Found, Handed, HandIn, List, Outcome, Prove, Take, Task, Trouble
from node.z3950.visitors import Visitor
from protocols.z3950 import apdu
from protocols.z3950.ber import Frames, Malformed
from protocols.z3950.diagnostics import Bib1
from services.retrieval.results import ResultSet
from tests import builders

TOTAL = 3  # titles that every search finds
RECORD = builders.iso2709(builders.a_bib())


def session() -> Session:
    """A new one, of a node that takes updates."""
    settings = Z3950()
    house = House(
        told=settings, databases=databases.of(settings), clients=told.clients(""), version="1", lang="en", updates=True
    )
    return Session(house, "192.0.2.1")


def outcome(task: Task) -> Outcome:
    """What comes of a task: who has no wrong password comes in, all is found, every second record is given."""
    match task:
        case Prove():
            if task.password == "wrong":
                return Trouble(Bib1.BAD_PASSWORD)
            return Visitor(account=task.name, library="CN-TJU" if task.name else "")
        case Find():
            numbers = tuple(range(1, TOTAL + 1))
            result = ResultSet(request=port.Request(), database=task.databases[0], total=TOTAL, head=numbers)
            return Found(result=result, way=task.ways[-1])
        case Take():
            wanted = [number for first, count in task.spans for number in range(first, first + count)]
            if task.wanted.form == SUTRS:
                given = making.text(task.wanted, "天工开物")
            else:
                given = making.octets(task.wanted, RECORD, (), is_marc21=False)
            return [given if number % 2 else Trouble(Bib1.NOT_IN_SYNTAX) for number in wanted if number <= TOTAL]
        case List():
            listed = (port.Listed(text="天工开物", count=2), port.Listed(text="Minerals", count=1))
            return port.Stretch(values=listed[: task.count], before=0, start=True, end=True)
        case HandIn():
            return tuple(Handed(said="new", waits=number % 2 == 0) for number, _ in enumerate(task.records))


def answers(asked: bytes) -> Iterator[tuple[apdu.Apdu, list[apdu.Apdu]]]:
    """Each request of a stream of octets and what is answered, until the session is over or the octets are broken."""
    opened = session()
    for request in _requests(asked):
        step = opened.on(request)
        while isinstance(step, Do):
            step = step.then(outcome(step.task))
        yield request, list(step.replies)
        if step.last:
            return


def _requests(asked: bytes) -> Iterator[apdu.Apdu]:
    try:
        for octets in Frames().feed(asked):
            yield apdu.decode(octets)
    except Malformed:
        return
