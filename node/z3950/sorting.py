"""Sort: a result set in another order is the same query with keys (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.search import port
from catalog.search.port import Key, SortIndex
from node.z3950 import diagnosing, searching
from node.z3950.state import Kept, State
from node.z3950.tasks import Do, Find, Found, Outcome, Send, Step, Trouble, Way
from protocols.query import Unanswerable
from protocols.z3950 import oids
from protocols.z3950.apdu.sets import (
    Abort,
    SortAttributes,
    SortedSet,
    SortKeySpec,
    SortRelation,
    SortRequest,
    SortResponse,
    SortStatus,
)
from protocols.z3950.diagnostics import Bib1

USE = 1  # type of the attribute
# By bib-1 use attribute, and by what clients call fields.
USES: Mapping[int, SortIndex] = {
    4: "title", 5: "title", 1: "author", 1003: "author", 1004: "author", 30: "year", 31: "year", 1011: "changed",
    1012: "changed",
}  # fmt: skip
FIELDS: Mapping[str, SortIndex] = {
    "title": "title", "ti": "title", "author": "author", "au": "author", "date": "year", "year": "year",
    "changed": "changed",
}  # fmt: skip


def sort(state: State, request: SortRequest) -> Step:
    """The first step of a sort."""
    names = request.input_result_set_names
    if len(names) != 1:
        return _failed(state, Trouble(Bib1.SORT_TOO_MANY_SETS, str(len(names))))
    kept = state.used(names[0])
    if kept is None:
        return _failed(state, Trouble(Bib1.NO_SUCH_SET, state.read(names[0])))
    target = request.sorted_result_set_name
    if wrong := searching.unnameable(target):
        return _failed(state, wrong)
    keys: list[Key] = []
    for each in request.sort_sequence:
        key = _key(state, each)
        if isinstance(key, Trouble):
            return _failed(state, key)
        keys.append(key)
    if not 1 <= len(keys) <= port.MOST_KEYS:
        return _failed(state, Trouble(Bib1.TOO_MANY_SORT_KEYS, str(port.MOST_KEYS)))
    try:
        way = Way(encoding="", asked=kept.asked, compiled=searching.compiled(kept.asked))
    except Unanswerable as error:
        return _failed(state, searching.trouble(error))
    task = Find(ways=(way,), databases=kept.databases, keys=tuple(keys))
    return Do(task, lambda outcome: _sorted(state, kept, target, outcome))


def _key(state: State, spec: SortKeySpec) -> Key | Trouble:
    if spec.sort_relation not in (SortRelation.ASCENDING, SortRelation.DESCENDING):
        return Trouble(Bib1.SORT_RELATION, str(spec.sort_relation))
    if isinstance(spec.missing_value_action, bytes | Abort):
        return Trouble(Bib1.MISSING_DATA_ACTION)
    element = spec.sort_element
    if isinstance(element, tuple):
        return Trouble(Bib1.DATABASE_SORT)
    if isinstance(element, str):
        index, told = FIELDS.get(element.lower()), state.read(element)
    elif isinstance(element, SortAttributes):
        if element.id != oids.BIB_1:
            return Trouble(Bib1.ATTRIBUTE_SET, oids.dotted(element.id))
        use = next((each.attribute_value for each in element.list if each.attribute_type == USE), None)
        index, told = (USES.get(use) if isinstance(use, int) else None), str(use)
    else:
        return Trouble(Bib1.SORT_SEQUENCE, "elementSpec")
    if index is None:
        return Trouble(Bib1.SORT_SEQUENCE, told)
    return Key(index, descending=spec.sort_relation == SortRelation.DESCENDING)


def _sorted(state: State, kept: Kept, target: str, outcome: Outcome) -> Step:
    if not isinstance(outcome, Found):
        assert isinstance(outcome, Trouble)
        return _failed(state, outcome)
    state.keep(target, Kept(result=outcome.result, asked=kept.asked, databases=kept.databases))
    return Send([SortResponse(sort_status=SortStatus.SUCCESS, result_count=outcome.result.total)])


def _failed(state: State, why: Trouble) -> Send:
    answer = SortResponse(
        sort_status=SortStatus.FAILURE,
        result_set_status=SortedSet.UNCHANGED,
        diagnostics=(diagnosing.default(state, why),),
    )
    return Send([answer])
