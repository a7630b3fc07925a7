"""Scan: the values of an index around a term, in order, with how many titles each has (pure)."""

from __future__ import annotations

from catalog.search import port
from catalog.search.port import Stretch
from node.z3950 import characters, diagnosing, searching, terms
from node.z3950.state import State
from node.z3950.tasks import Do, List, Outcome, Send, Step, Trouble
from protocols.query import Unanswerable
from protocols.z3950 import oids, rpn
from protocols.z3950.apdu.scan import ListEntries, ScanRequest, ScanResponse, ScanStatus, TermInfo
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.rpn import Diagnosed

LISTED = {"any": "title", "number": "isbn", "letter": "class"}  # which list stands for an index that has none


def scan(state: State, request: ScanRequest) -> Step:
    """The first step of a scan."""
    encoding = searching.encodings(state, terms.octets(request.term_list_and_start_point))[0]
    task = _task(state, request, encoding)
    if isinstance(task, Trouble):
        return _failed(state, task)
    if encoding == characters.GB18030:
        state.guessed = encoding  # it reads what it writes
    return Do(task, lambda outcome: _listed(state, task, outcome))


def _task(state: State, request: ScanRequest, encoding: str) -> List | Trouble:
    where = searching.databases(state, request.database_names)
    if isinstance(where, Trouble):
        return where
    if request.step_size:
        return Trouble(Bib1.ONLY_ZERO_STEP, str(request.step_size))
    count = request.number_of_terms_requested
    if not 1 <= count <= port.MOST_LISTED:
        return Trouble(Bib1.SCAN_TOO_MANY, str(port.MOST_LISTED))
    at = request.preferred_position_in_response
    at = 1 if at is None else at
    if not 0 <= at <= count + 1:
        return Trouble(Bib1.SCAN_POSITION, str(at))
    start = request.term_list_and_start_point
    try:
        term = rpn.term(start, request.attribute_set or oids.BIB_1, searching.decoding(encoding))
    except UnicodeDecodeError:
        return Trouble(Bib1.MALFORMED_TERM)
    except (Unanswerable, Diagnosed) as error:
        return searching.trouble(error)
    index = LISTED.get(term.index, term.index)
    if index not in port.LISTS:
        return Trouble(Bib1.TERM_LIST, term.index)
    return List(index=index, text=term.text, before=max(0, at - 1), count=count, databases=where)


def _listed(state: State, task: List, outcome: Outcome) -> Step:
    if not isinstance(outcome, Stretch):
        assert isinstance(outcome, Trouble)
        return _failed(state, outcome)
    entries = tuple(
        TermInfo(term=each.text.encode(state.of_texts, "replace"), global_occurrences=each.count)
        for each in outcome.values
    )
    answer = ScanResponse(
        step_size=0,
        scan_status=ScanStatus.SUCCESS if len(entries) == task.count else ScanStatus.PARTIAL_5,
        number_of_entries_returned=len(entries),
        position_of_term=outcome.before + 1,
        entries=ListEntries(entries=entries),
    )
    return Send([answer])


def _failed(state: State, why: Trouble) -> Send:
    answer = ScanResponse(
        scan_status=ScanStatus.FAILURE,
        number_of_entries_returned=0,
        entries=ListEntries(nonsurrogate_diagnostics=(diagnosing.default(state, why),)),
    )
    return Send([answer])
