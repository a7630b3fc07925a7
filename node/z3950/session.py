"""A session: requests in, steps out; knows neither sockets nor the catalogue (pure).

States: new → open → over. In `new` only Init and Close are understood, in `open` everything but Init; whatever else
comes ends the session, as the standard says. Each operation is asked for by its name in `operations.NEEDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import structs

from config.z3950 import CHARSETS
from node.z3950 import diagnosing, operations, presenting, scanning, searching, sorting, updating
from node.z3950.state import LARGEST, SMALLEST, USUAL, House, State
from node.z3950.tasks import Do, Outcome, Prove, Send, Step, Trouble
from node.z3950.visitors import Visitor
from protocols.z3950 import charsets, userinfo
from protocols.z3950.apdu import Apdu
from protocols.z3950.apdu.close import Close, CloseReason
from protocols.z3950.apdu.control import TriggerResourceControlRequest
from protocols.z3950.apdu.extended import ExtendedServicesRequest
from protocols.z3950.apdu.init import VERSIONS, Authentication, IdPass, InitRequest, InitResponse, Option
from protocols.z3950.apdu.parts import OtherInfo
from protocols.z3950.apdu.present import PresentRequest
from protocols.z3950.apdu.scan import ScanRequest
from protocols.z3950.apdu.search import SearchRequest
from protocols.z3950.apdu.sets import (
    DeleteFunction,
    DeleteRequest,
    DeleteResponse,
    DeleteSetStatus,
    ListStatus,
    SortRequest,
)
from protocols.z3950.diagnostics import Bib1
from services.access import totp

ABLE = frozenset(
    (
        Option.SEARCH,
        Option.PRESENT,
        Option.DELETE_SET,
        Option.SCAN,
        Option.SORT,
        Option.EXTENDED_SERVICES,
        Option.LEVEL_1_SEGMENTATION,
        Option.NAMED_RESULT_SETS,
        Option.QUERY_TYPE_104,
        Option.STRING_SCHEMA,
    )
)
NAME = "Tianlu"
_CODE = re.compile(rf"([0-9]{{{totp.DIGITS}}})/(?=[^/]+/)")  # before user/password; a password may have a stroke too


class Session:
    """One client's."""

    __slots__ = ("_may", "_whose", "state")

    def __init__(self, house: House, address: str) -> None:
        self.state = State(house=house, address=address)
        self._whose: Visitor | None = None  # whom `_may` is about
        self._may: frozenset[str] = frozenset()  # operations

    def on(self, request: Apdu) -> Step:
        """What is to be done for a request."""
        found = OPERATIONS.get(type(request))
        if found is None:
            return _end(CloseReason.PROTOCOL_ERROR, "this is no request of a client")
        name, operation = found
        if name != "close" and self.state.is_open == (name == "init"):
            return _end(CloseReason.PROTOCOL_ERROR, "Init comes first, and once")
        need = operations.NEEDS.get(name)
        if need is None:
            return _end(CloseReason.SECURITY_VIOLATION, f"{name} is not allowed here")
        if name != "update" and name not in self._allowed():
            return _end(CloseReason.SECURITY_VIOLATION, f"{name} is not allowed")
        step = operation(self.state, request)
        reference = getattr(request, "reference_id", None)
        return step if reference is None else _referring(step, reference)

    def _allowed(self) -> frozenset[str]:
        """What the visitor may; its account is looked at again from time to time, and is then another visitor."""
        visitor = self.state.visitor
        if visitor is not self._whose:
            may = visitor.actor.may
            self._whose = visitor
            self._may = frozenset(name for name, need in operations.NEEDS.items() if may(need.permission))
        return self._may


def refusal(reason: CloseReason, why: str) -> Close:
    """The last word to a client."""
    return Close(close_reason=reason, diagnostic_information=why)


def _end(reason: CloseReason, why: str) -> Send:
    return Send([refusal(reason, why)], last=True)


def _referring(step: Step, reference: bytes) -> Step:
    """The step with the client's reference in each answer."""
    if isinstance(step, Do):
        then = step.then
        return Do(step.task, lambda outcome: _referring(then(outcome), reference))
    return Send([structs.replace(each, reference_id=reference) for each in step.replies], last=step.last)


def _init(state: State, request: InitRequest) -> Step:
    name, password, code = _claim(request.id_authentication)
    if not (name or password) and state.house.told.search == "accounts":
        return _initiated(state, request, Trouble(Bib1.BAD_USER))
    task = Prove(name=state.read(name), password=state.read(password), code=code)
    return Do(task, lambda outcome: _initiated(state, request, outcome))


def _claim(told: Authentication | None) -> tuple[str, str, str]:
    """(user, password, one-time code) in any of the forms; "open" is user/password, or code/user/password."""
    if isinstance(told, IdPass):
        return told.user_id or "", told.password or "", told.group_id or ""
    if isinstance(told, str):
        code = _CODE.match(told)
        name, _, password = told[code.end() if code else 0 :].partition("/")
        return name, password, code[1] if code else ""
    return "", "", ""


def _initiated(state: State, request: InitRequest, outcome: Outcome) -> Step:
    refused = outcome if isinstance(outcome, Trouble) else None
    if isinstance(outcome, Visitor):
        state.visitor = outcome
    state.habits = state.house.clients.of(state.visitor.account, state.address)
    state.is_v3 = 2 in request.protocol_version
    state.preferred = _size(request.preferred_message_size, USUAL)
    state.exceptional = max(state.preferred, _size(request.exceptional_record_size, LARGEST))
    info = _negotiated(state, request)
    able = ABLE if state.house.updates else ABLE - {Option.EXTENDED_SERVICES}
    state.options = (request.options & able) | ({Option.NEGOTIATION} if info else frozenset())
    state.is_open = refused is None
    if refused:
        text = diagnosing.default(state, refused)
        info = (*info, OtherInfo(information=f"{text.condition}: {diagnosing.words(refused)}"))
    answer = InitResponse(
        protocol_version=(request.protocol_version & VERSIONS) or frozenset((0, 1)),
        options=state.options,
        preferred_message_size=state.preferred,
        exceptional_record_size=state.exceptional,
        result=refused is None,
        implementation_id=NAME,
        implementation_name=NAME,
        implementation_version=state.house.version,
        user_information_field=userinfo.refusal(diagnosing.default(state, refused)) if refused else None,
        other_info=info or None,
    )
    return Send([answer], last=refused is not None)


def _size(told: int, usual: int) -> int:
    return max(SMALLEST, min(told, LARGEST)) if told > 0 else usual


def _negotiated(state: State, request: InitRequest) -> tuple[OtherInfo, ...]:
    """What is agreed on about characters: the first that the client proposes and that we write."""
    if Option.NEGOTIATION not in request.options:
        return ()
    wish = charsets.proposed(request.other_info, request.user_information_field)
    if wish is None:
        return ()
    name = next((each for each in wish.charsets if each in CHARSETS), None)
    state.charset = CHARSETS[name] if name else ""
    state.only_texts = name is not None and wish.records is False
    records = wish.records if name else None
    return (charsets.answer(name, records=records),)


def _close(state: State, request: Close) -> Step:
    return _end(CloseReason.FINISHED, "")


def _delete(state: State, request: DeleteRequest) -> Step:
    if request.delete_function == DeleteFunction.ALL:
        state.sets.clear()
        return Send([DeleteResponse(delete_operation_status=DeleteSetStatus.SUCCESS)])
    statuses = [
        ListStatus(
            id=name,
            status=DeleteSetStatus.SUCCESS if state.sets.pop(name, None) else DeleteSetStatus.RESULT_SET_DID_NOT_EXIST,
        )
        for name in request.result_set_list or ()
    ]
    done = all(each.status == DeleteSetStatus.SUCCESS for each in statuses)
    whole = DeleteSetStatus.SUCCESS if done else DeleteSetStatus.NOT_ALL_REQUESTED_DELETED
    return Send([DeleteResponse(delete_operation_status=whole, delete_list_statuses=tuple(statuses))])


def _trigger(state: State, request: TriggerResourceControlRequest) -> Step:
    """It has no answer, and a target need not do as it says (Z39.50-1995, 3.2.6.4)."""
    return Send([])


Operation = Callable[[State, Any], Step]
# Each operation that is understood: its name in the policy, and what makes the first step of it.
OPERATIONS: Mapping[type[Apdu], tuple[str, Operation]] = {
    InitRequest: ("init", _init),
    SearchRequest: ("search", searching.search),
    PresentRequest: ("present", presenting.present),
    ScanRequest: ("scan", scanning.scan),
    SortRequest: ("sort", sorting.sort),
    DeleteRequest: ("delete", _delete),
    TriggerResourceControlRequest: ("trigger", _trigger),
    ExtendedServicesRequest: ("update", updating.hand_in),
    Close: ("close", _close),
}
