"""Extended service Update: records that a client's cataloguer hands in, and the package that says what became of each
(pure; Z39.50-1995, 3.2.9 and ESFormat-Update revision 1).

Records are handed in as at the pages and by the command line: what would become of each is said, and a record that has
to wait for a reviewer is answered as queued. A replaced or deleted record is named by recordId, else by its own 001.
"""

from __future__ import annotations

from msgspec import structs

from catalog.submissions import Action
from config import sentences
from node.z3950 import characters, diagnosing, searching
from node.z3950.operations import NEEDS
from node.z3950.state import State
from node.z3950.tasks import Do, Handed, HandIn, Offered, Outcome, Send, Step, Trouble
from protocols import detect
from protocols.detect import ISO2709
from protocols.z3950 import oids, update
from protocols.z3950.apdu.extended import (
    ExtendedServicesRequest,
    ExtendedServicesResponse,
    Function,
    OperationStatus,
    WaitAction,
)
from protocols.z3950.apdu.parts import DiagRec, External, OtherInfo, octets
from protocols.z3950.ber import Malformed
from protocols.z3950.diagnostics import Bib1
from protocols.z3950.update import (
    OriginPartToKeep,
    RecordStatus,
    SuppliedRecord,
    SurrogateDiagnostics,
    TargetPart,
    TaskPackage,
    TaskPackageRecord,
    TaskStatus,
    UpdatePackage,
    UpdateRequest,
    UpdateStatus,
)
from services.retrieval.databases import SCOPES

MOST = 50  # records of a request
ACTIONS: dict[int, tuple[Action, ...]] = {  # the first that is possible
    update.Action.RECORD_INSERT: ("insert",),
    update.Action.RECORD_REPLACE: ("replace",),
    update.Action.RECORD_DELETE: ("delete",),
    update.Action.SPECIAL_UPDATE: ("replace", "insert"),
}
# bib-1 diagnostics of extended services
DENIED, FAILED, WAITS = 222, 224, 226
BAD_FUNCTION, BAD_PARAMETERS, BAD_ACTION, TOO_MANY = 1040, 1043, 1044, 1046
KINDS = (oids.UPDATE, oids.UPDATE_SECOND, oids.UPDATE_REVISED)


def hand_in(state: State, request: ExtendedServicesRequest) -> Step:
    """The first step of a request."""
    if not state.house.updates or request.package_type not in KINDS:
        return _failed(state, Trouble(Bib1.EXTENDED_SERVICE, oids.dotted(request.package_type)))
    if request.function != Function.CREATE:
        why = _told(state, f"packages are made, and neither changed nor deleted (function {request.function})")
        return _failed(state, Trouble(BAD_FUNCTION, why))
    if not state.visitor.actor.may(NEEDS["update"].permission, state.visitor.library):
        return _failed(state, Trouble(DENIED, _told(state, "sign in with an account that may submit records")))
    if request.task_specific_parameters is None:
        return _failed(state, Trouble(BAD_PARAMETERS))
    try:
        told = update.read(request.task_specific_parameters)
        if not isinstance(told, UpdateRequest):
            return _failed(state, Trouble(BAD_PARAMETERS, _told(state, "a request is wanted, this is a package")))
        offered = tuple(_offered(state, each) for each in told.not_to_keep)
    except Malformed as error:
        return _failed(state, Trouble(BAD_PARAMETERS, str(error)))
    actions = ACTIONS.get(told.to_keep.action)
    if actions is None:
        return _failed(state, Trouble(BAD_ACTION, str(told.to_keep.action)))
    where = searching.databases(state, (told.to_keep.database_name,))
    if isinstance(where, Trouble):
        return _failed(state, where)
    if where[0].scope not in ("", *SCOPES, state.visitor.library):
        return _failed(state, Trouble(Bib1.DATABASE_DENIED, where[0].name))  # another library's
    if not 0 < len(offered) <= MOST:
        return _failed(state, Trouble(TOO_MANY, str(MOST)))
    task = HandIn(
        actions=actions,
        records=offered,
        note=state.read(request.description or ""),
        waits=request.wait_action in (WaitAction.WAIT, WaitAction.WAIT_IF_POSSIBLE),
    )
    return Do(task, lambda outcome: _handed(state, request, told, outcome))


def _offered(state: State, each: SuppliedRecord) -> Offered:
    ident = each.record_id
    if isinstance(ident, bytes):
        ident = ident.decode("utf-8", "replace")
    elif isinstance(ident, str):
        ident = state.read(ident)
    data = octets(each.record)
    carrier = _carrier(data, each.record)
    if carrier == ISO2709 and not state.known_charset and characters.guesses((data,)) == (characters.GB18030,):
        state.guessed = characters.GB18030  # who writes so reads so
    return Offered(
        data=data,
        carrier=carrier,
        encoding=(state.known_charset or "auto") if carrier == ISO2709 else "auto",
        ident="" if ident is None else str(ident),
    )


def _carrier(data: bytes, record: External) -> str:
    """What it is in by its own look, else as it is labelled: yaz-client calls whatever it sends XML."""
    try:
        return detect.carrier_of(data)
    except detect.UnknownCarrier:
        return "marcxml" if record.direct_reference == oids.XML else ISO2709


def _told(state: State, sentence: str) -> str:
    """A sentence in the language of the node: cataloguers read it."""
    return sentences.told(sentence, state.house.lang)


def _failed(state: State, trouble: Trouble) -> Send:
    diagnostics = (diagnosing.default(state, trouble),)
    return Send([ExtendedServicesResponse(operation_status=OperationStatus.FAILURE, diagnostics=diagnostics)])


def _handed(state: State, request: ExtendedServicesRequest, told: UpdateRequest, outcome: Outcome) -> Step:
    if isinstance(outcome, Trouble):
        return _failed(state, outcome)
    assert isinstance(outcome, tuple)
    edition = request.package_type
    rows = [_row(state, asked, each) for asked, each in zip(told.not_to_keep, outcome, strict=True)]
    if edition == oids.UPDATE:
        rows = [update.first_edition(each) for each in rows]
    good = sum(each.record_status != RecordStatus.FAILURE for each in rows)
    waiting = any(each.record_status != RecordStatus.SUCCESS for each in rows)
    status = UpdateStatus.SUCCESS if good == len(rows) else UpdateStatus.PARTIAL if good else UpdateStatus.FAILURE
    package = TaskPackage(
        package_type=edition,
        package_name=request.package_name,
        user_id=state.shown(state.visitor.account),
        target_reference=" ".join(str(each.submission) for each in outcome if each.submission).encode() or None,
        task_status=TaskStatus.PENDING if waiting and good else TaskStatus.COMPLETE,
        task_specific_parameters=update.external(
            UpdatePackage(
                origin_part=OriginPartToKeep(action=told.to_keep.action, database_name=told.to_keep.database_name),
                target_part=TargetPart(update_status=status, task_package_records=tuple(rows)),
            ),
            edition,
        ),
    )
    done = OperationStatus.FAILURE if not good else OperationStatus.ACCEPTED if waiting else OperationStatus.DONE
    wrong = [each for row in outcome for each in _diagnostics(state, row)]
    words = "\n".join("; ".join((each.said, *each.why)) for each in outcome if each.said)
    answer = ExtendedServicesResponse(
        operation_status=done,
        diagnostics=tuple(wrong) or None,  # of the records too: most clients show nothing else
        task_package=None
        if request.wait_action == WaitAction.DONT_RETURN_PACKAGE
        else update.package_external(structs.replace(package, description=state.shown(words) or None)),
        other_info=(OtherInfo(information=state.shown(words)),) if words else None,
    )
    return Send([answer])


def _row(state: State, asked: SuppliedRecord, each: Handed) -> TaskPackageRecord:
    wrong = _diagnostics(state, each)
    status = RecordStatus.SUCCESS
    if each.error:
        status = RecordStatus.FAILURE
    elif each.waits:
        status = RecordStatus.QUEUED
    elif each.under_way:
        status = RecordStatus.IN_PROCESS
    return TaskPackageRecord(
        # Optional, but yaz-client reads what isn't there: it gets its record back.
        record_or_sur_diag=SurrogateDiagnostics(wrong) if each.error else asked.record,
        correlation_info=asked.correlation_info,
        record_status=status,
        supplemental_diagnostics=None if each.error else wrong or None,
    )


def _diagnostics(state: State, each: Handed) -> tuple[DiagRec, ...]:
    """Why nothing was done with a record, or why it waits."""
    if each.error:
        return (diagnosing.default(state, Trouble(FAILED, each.error)),)
    if each.waits:
        return (diagnosing.default(state, Trouble(WAITS, "; ".join((each.said, *each.why)))),)
    return ()
