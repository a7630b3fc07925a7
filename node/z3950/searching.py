"""Search: from the request to the query that the catalogue is asked, and back to its answer (pure).

A query may name result sets of the session; it is then the query by which they were found, so a set is never copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec import structs

from catalog.search import fielded, tree
from catalog.search.port import MOST_KEYS, SORTED_BY, Key
from node.z3950 import characters, diagnosing, faults, presenting, terms
from node.z3950.state import Kept, State
from node.z3950.tasks import Do, Find, Found, Outcome, Send, Step, Trouble, Way
from protocols import query
from protocols.cql import diagnostics as cql
from protocols.cql import parser
from protocols.query import Unanswerable
from protocols.z3950 import oids, rpn
from protocols.z3950.apdu.parts import octets
from protocols.z3950.apdu.query import Query, Type1, Type101, Type104
from protocols.z3950.apdu.records import ElementSetNames
from protocols.z3950.apdu.search import ResultSetStatus, SearchRequest, SearchResponse
from protocols.z3950.ber import Malformed
from protocols.z3950.diagnostics import Bib1
from services.retrieval.databases import Database

MOST_DATABASES = 20
LONGEST_NAME = 200  # octets of a result set's name


def search(state: State, request: SearchRequest) -> Step:
    """The first step of a search."""
    task = _task(state, request)
    if isinstance(task, Trouble):
        return _failed(state, task)
    return Do(task, lambda outcome: _found(state, request, task, outcome))


def databases(state: State, names: Iterable[str]) -> tuple[Database, ...] | Trouble:
    """The databases of these names, if they can be searched together by this client."""
    found = []
    for name in names:
        known = state.house.databases.find(name)
        if known is None:
            return Trouble(Bib1.NO_SUCH_DATABASE, name)
        if state.habits.databases is not None and name.lower() not in state.habits.databases:
            return Trouble(Bib1.DATABASE_DENIED, name)
        found.append(known)
        if known.dialect != found[0].dialect:
            return Trouble(Bib1.DATABASES_COMBINED, name)
        if len(found) > MOST_DATABASES:
            return Trouble(Bib1.TOO_MANY_DATABASES, str(MOST_DATABASES))
    return tuple(found) if found else Trouble(Bib1.NO_SUCH_DATABASE)


def unnameable(name: str) -> Trouble | None:
    """Why no result set can have that name."""
    return Trouble(Bib1.SET_NAME, name) if len(name) > LONGEST_NAME else None


def encodings(state: State, octets: Iterable[bytes]) -> tuple[str, ...]:
    """In which the terms of a query are read, one after the other until something is found."""
    told = state.charset or state.habits.charset
    if told:
        return (characters.read_as(told),)
    every = tuple(octets)
    found = characters.guesses(every)
    if found == (characters.UTF8,) and state.guessed and not all(map(bytes.isascii, every)):
        state.guessed = characters.UTF8  # this can be nothing else, so what was guessed before was wrong
    if state.guessed in found:
        return (state.guessed, *(each for each in found if each != state.guessed))
    return found


def ways(state: State, found: Iterable[bytes], read: Callable[[str], query.Node]) -> tuple[Way, ...] | Trouble:
    """The readings of a query whose terms have these octets; `read` makes one in an encoding.

    Raises what the likeliest reading does; one that is less likely may make no sense, and is left out then.
    """
    made: list[Way] = []
    for encoding in encodings(state, found):
        try:
            made.append(_way(encoding, read(encoding)))
        except UnicodeDecodeError:
            continue
        except (Unanswerable, rpn.Diagnosed, cql.Diagnosed):
            if not made:
                raise
    return tuple(made) or Trouble(Bib1.MALFORMED_TERM)


def _way(encoding: str, asked: query.Node) -> Way:
    if too_much := query.beyond(asked):  # with its sets; before all of it is looked at for what is remembered
        raise Unanswerable("complex", too_much, f"The query has {too_much}.")
    return Way(encoding=encoding, asked=asked, compiled=compiled(asked))


def compiled(asked: query.Node) -> tree.Query:
    """What the index is asked. Raises Unanswerable.

    The same question comes again from the next client of a metasearch, so those of one term are remembered.
    """
    return _of_one_term(asked) if isinstance(asked, query.Term) else fielded.compiled(asked)


_of_one_term = lru_cache(maxsize=1024)(fielded.compiled)


def trouble(error: Unanswerable | rpn.Diagnosed | cql.Diagnosed) -> Trouble:
    """Why a query can't be answered, as the protocol says it."""
    if isinstance(error, cql.Diagnosed):
        return Trouble(*faults.of(error))
    told = rpn.diagnosed(error) if isinstance(error, Unanswerable) else error
    return Trouble(told.number, told.addinfo)


def decoding(encoding: str) -> Callable[[bytes], str]:
    """What reads terms in an encoding."""
    return lambda octets: octets.decode(encoding)


def _task(state: State, request: SearchRequest) -> Find | Trouble:
    where = databases(state, request.database_names)
    if isinstance(where, Trouble):
        return where
    if request.result_set_name in state.sets and not request.replace_indicator:
        return Trouble(Bib1.SET_EXISTS, request.result_set_name)
    if wrong := unnameable(request.result_set_name):
        return wrong
    try:
        return _find(state, request.query, where)
    except (Unanswerable, rpn.Diagnosed, cql.Diagnosed) as error:
        return trouble(error)


def _find(state: State, asked: Query, where: tuple[Database, ...]) -> Find | Trouble:
    keys: list[Key] = []
    if isinstance(asked, Type1 | Type101):
        whole = asked.query

        def read(encoding: str) -> query.Node:
            return _with_sets(state, rpn.read(whole, decoding(encoding)), where)

        found = ways(state, tuple(terms.octets(whole.rpn)), read)
    elif isinstance(asked, Type104) and asked.external.direct_reference == oids.CQL:
        try:
            typed = octets(asked.external)
        except Malformed:
            return Trouble(Bib1.MALFORMED_QUERY)

        def read_cql(encoding: str) -> query.Node:
            parsed = parser.parse(typed.decode(encoding))
            if len(parsed.keys) > MOST_KEYS:
                raise Unanswerable("keys", str(MOST_KEYS), f"titles are sorted by at most {MOST_KEYS} keys")
            keys[:] = map(_key, parsed.keys)
            return _with_sets(state, parsed.tree, where)

        found = ways(state, (typed,), read_cql)
    else:
        return Trouble(Bib1.QUERY_TYPE, type(asked).__name__)
    return found if isinstance(found, Trouble) else Find(ways=found, databases=where, keys=tuple(keys))


def _key(told: parser.SortKey) -> Key:
    """What CQL sorts by. Raises Unanswerable."""
    for index in SORTED_BY:
        if told.index == index:
            return Key(index, descending=told.descending)
    raise Unanswerable("sort", told.index, "titles can't be sorted by that")


def _with_sets(state: State, asked: query.Node, where: tuple[Database, ...]) -> query.Node:
    """The query with those of the sets that it names in their place. Raises Unanswerable."""

    def found(name: str) -> query.Node:
        kept = state.used(name)
        if kept is None:
            raise Unanswerable("set", name, "there is no such result set")
        if kept.databases != where:
            raise Unanswerable("combination", name, "the result set is of other databases")
        return kept.asked

    return fielded.resolved(asked, found)


def _found(state: State, request: SearchRequest, task: Find, outcome: Outcome) -> Step:
    if not isinstance(outcome, Found):
        assert isinstance(outcome, Trouble)
        return _failed(state, outcome)
    way, result = outcome.way, outcome.result
    state.keep(request.result_set_name, Kept(result=result, asked=way.asked, databases=task.databases))
    if (len(task.ways) > 1 and result.total) or way.encoding == characters.GB18030:
        state.guessed = way.encoding
    count, elements = _due(request, result.total, state.habits.records)
    if not count:
        return Send([_answer(result.total, 0)])
    return presenting.taking(
        state,
        result,
        ((1, count),),
        presenting.Asked(syntax=request.preferred_record_syntax, composition=elements),
        lambda given: Send([_with_records(result.total, given)]),
    )


def _due(request: SearchRequest, total: int, most: int | None) -> tuple[int, ElementSetNames | None]:
    """How many records come with the answer, and of which element set (Z39.50-1995, 3.2.2.1.4); at most those that the
    client may take."""
    may = total if most is None else min(total, most)
    if total <= request.small_set_upper_bound:
        return may, request.small_set_element_set_names
    if total < request.large_set_lower_bound:
        return max(0, min(may, request.medium_set_present_number)), request.medium_set_element_set_names
    return 0, None


def _answer(total: int, returned: int) -> SearchResponse:
    return SearchResponse(
        result_count=total,
        number_of_records_returned=returned,
        next_result_set_position=returned + 1 if returned < total else 0,
        search_status=True,
    )


def _with_records(total: int, given: presenting.Given) -> SearchResponse:
    answer = _answer(total, len(given.records))
    return structs.replace(answer, present_status=given.status, records=given.diagnostic or given.records)


def _failed(state: State, why: Trouble) -> Send:
    return Send(
        [
            SearchResponse(
                result_count=0,
                number_of_records_returned=0,
                next_result_set_position=0,
                search_status=False,
                result_set_status=ResultSetStatus.NONE,
                records=diagnosing.default(state, why),
            )
        ]
    )
