"""Present: which records, in which form, and the answer (pure).

The syntax says the carrier, the database the dialect: USMARC is MARC 21 in any database, UNIMARC the dialect of the
database, and where no syntax is asked for a record comes as its database has it. Schemas choose among forms of XML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from catalog.model import Format
from node.z3950 import diagnosing, fitting
from node.z3950.state import LARGEST, State
from node.z3950.tasks import SUTRS, Do, Outcome, Send, Step, Take, Trouble, Wanted
from protocols.z3950 import apdu, oids
from protocols.z3950.apdu.parts import DefaultDiagFormat, External
from protocols.z3950.apdu.present import CompSpec, PresentRequest, PresentResponse, Segment, Specification, Uri
from protocols.z3950.apdu.records import ElementSetNames, NamePlusRecord, PresentStatus, SurrogateDiagnostic
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.primitive import Oid
from services.delivery import asked
from services.retrieval.databases import MARC21, Database
from services.retrieval.results import ResultSet

BRIEF, FULL = "b", "f"
CARRIED = (oids.USMARC, oids.UNIMARC, oids.OPAC, oids.SUTRS, oids.XML)
SHORT = 32  # characters of the name of an element set
UNIMARC = ("cnmarc-calis", "cnmarc-nlc", "unimarc")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of the form of records."""

    syntax: Oid | None = None
    composition: ElementSetNames | CompSpec | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a request for records: these, in one message, or a diagnostic."""

    records: tuple[NamePlusRecord, ...] = ()
    diagnostic: DefaultDiagFormat | None = None
    status: PresentStatus = PresentStatus.SUCCESS
    before: tuple[tuple[NamePlusRecord, ...], ...] = ()  # in messages before that one


def present(state: State, request: PresentRequest) -> Step:
    """The first step of a present."""
    kept = state.used(request.result_set_id)
    if kept is None:
        why = Trouble(Bib1.NO_SUCH_SET, state.read(request.result_set_id))
        return _answer(request, 0, _nothing(state, why))
    spans = [(request.result_set_start_point, request.number_of_records_requested)]
    spans += [(each.starting_position, each.number_of_records) for each in request.additional_ranges or ()]
    last = max(first + count - 1 for first, count in spans)
    most = state.habits.records
    if any(first < 1 or count < 0 for first, count in spans) or last > kept.result.total:
        return _answer(request, 0, _nothing(state, Trouble(Bib1.OUT_OF_RANGE)))
    if most is not None and last > most:
        return _answer(request, 0, _nothing(state, Trouble(Bib1.TOO_MANY_RECORDS, str(most))))
    return taking(
        state,
        kept.result,
        tuple(spans),
        Asked(syntax=request.preferred_record_syntax, composition=request.record_composition),
        lambda given: _answer(request, kept.result.total, given),
        segmented=state.segmented,
    )


def taking(
    state: State,
    found: ResultSet,
    spans: tuple[tuple[int, int], ...],
    how: Asked,
    then: Callable[[Given], Step],
    *,
    segmented: bool = False,
) -> Step:
    """The step by which records of a result set are taken, before `then`."""
    form = wanted(state, how, found.database)
    if isinstance(form, Trouble):
        return then(_nothing(state, form))

    def done(outcome: Outcome) -> Step:
        if isinstance(outcome, Trouble):
            return then(_nothing(state, outcome))
        assert isinstance(outcome, list)
        return then(_given(state, outcome, found.database, sum(count for _, count in spans), segmented))

    room = LARGEST if segmented else state.preferred
    return Do(Take(found=found, spans=spans, wanted=form, room=room), done)


def wanted(state: State, how: Asked, database: Database) -> Wanted | Trouble:
    """The form of records that is asked for."""
    short = how.composition is None or (isinstance(how.composition, str) and len(how.composition) < SHORT)
    found = (_known if short else _wanted)(how, database, state.house.told.dialect, state.of_records, state.of_texts)
    if isinstance(found, Trouble) and found.number == Bib1.ELEMENT_SET_NAME:
        return Trouble(found.number, state.read(found.about))
    return found


def _wanted(how: Asked, database: Database, unimarc: str, encoding: str, texts: str) -> Wanted | Trouble:
    """The same; what a client calls an element set is as it came."""
    element = _element(how.composition, database)
    if isinstance(element, Trouble):
        return element
    schema, name = element
    syntax = how.syntax or _own_syntax(database)
    form = asked.ISO2709
    if syntax == oids.XML:
        form = asked.SCHEMAS.get((schema or name).lower(), "" if schema else asked.MARCXML)
        name = "" if name in asked.SCHEMAS else name
    elif syntax == oids.SUTRS:
        form = SUTRS
    if name not in ("", BRIEF, FULL) or not form or (schema and syntax != oids.XML):
        return Trouble(Bib1.ELEMENT_SET_NAME, schema or name)
    if syntax is not None and syntax not in CARRIED:
        return Trouble(Bib1.SYNTAX, oids.dotted(syntax))
    return Wanted(
        database=database.name,
        syntax=syntax,
        form=form,
        dialects=_dialects(syntax, database, unimarc),
        brief=name == BRIEF,
        encoding=encoding,
        texts=texts,
    )


_known = lru_cache(maxsize=256)(_wanted)  # clients ask for records in the same form all day


def _given(
    state: State, made: Sequence[NamePlusRecord | Trouble], database: Database, count: int, segmented: bool
) -> Given:
    named = [_surrogate(state, each, database) if isinstance(each, Trouble) else each for each in made]
    parts = (fitting.segments if segmented else fitting.first)(state, named, single=count == 1)
    given = sum(map(len, parts))
    status = PresentStatus.SUCCESS if given == count else PresentStatus.PARTIAL_2
    return Given(records=parts[-1], before=tuple(parts[:-1]), status=status)


def _surrogate(state: State, why: Trouble, database: Database) -> NamePlusRecord:
    return NamePlusRecord(name=database.name, record=SurrogateDiagnostic(diagnosing.default(state, why)))


def _nothing(state: State, why: Trouble) -> Given:
    return Given(diagnostic=diagnosing.default(state, why), status=PresentStatus.FAILURE)


def _answer(request: PresentRequest, total: int, given: Given) -> Send:
    """The answer, after the messages that come before it."""
    replies: list[apdu.Apdu] = [
        Segment(number_of_records_returned=len(part), segment_records=part) for part in given.before
    ]
    returned = len(given.records) + sum(map(len, given.before))  # of the aggregate, as all of the last message is
    after = request.result_set_start_point + returned
    replies.append(
        PresentResponse(
            number_of_records_returned=returned,
            next_result_set_position=after if returned and after <= total else 0,
            present_status=given.status,
            records=given.diagnostic or given.records,
        )
    )
    return Send(replies)


def _element(composition: ElementSetNames | CompSpec | None, database: Database) -> tuple[str, str] | Trouble:
    """(schema, name of the element set in lower case) that are asked for."""
    if composition is None:
        return "", ""
    if isinstance(composition, str):
        return "", composition.lower()
    if isinstance(composition, tuple):
        named = {each.db_name.lower(): each.esn.lower() for each in composition}
        return "", named.get(database.name.lower(), "")
    specific = {each.db.lower(): each.spec for each in composition.db_specific or ()}
    return _specified(specific.get(database.name.lower()) or composition.generic)


def _specified(spec: Specification | None) -> tuple[str, str] | Trouble:
    if spec is None:
        return "", ""
    if isinstance(spec.element_spec, External):
        return Trouble(Bib1.COMP_SPEC, "externalEspec")
    schema = spec.schema.text if isinstance(spec.schema, Uri) else oids.dotted(spec.schema) if spec.schema else ""
    return schema, (spec.element_spec or "").lower()


def _own_syntax(database: Database) -> Oid | None:
    """What comes where no syntax is asked for; None = as each record is."""
    if not database.dialect:
        return None
    return oids.USMARC if database.dialect == MARC21 else oids.UNIMARC


def _dialects(syntax: Oid | None, database: Database, unimarc: str) -> Mapping[Format, str]:
    """What records of each format are turned into; `unimarc` is the dialect of databases that name none."""
    if syntax == oids.USMARC:
        return dict.fromkeys(Format, MARC21)
    named = database.dialect if database.dialect in UNIMARC else unimarc
    if syntax == oids.UNIMARC:
        return dict.fromkeys(Format, named)
    return {Format.MARC21: database.dialect or MARC21, Format.CNMARC: database.dialect or named}
