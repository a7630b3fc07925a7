"""The APDUs of Z39.50 as structs, with the tables that read and write them; names are the standard's, in snake case.

`decode` and `encode` are for one whole APDU, which `ber.Frames` cuts out of a stream. DuplicateDetection is not here:
no client in use asks for it, and it is answered as any unknown APDU is.
"""

from __future__ import annotations

from functools import lru_cache

from protocols.z3950.apdu.alike import Alike
from protocols.z3950.apdu.close import CLOSE, Close, CloseReason
from protocols.z3950.apdu.control import (
    ACCESS_CONTROL_REQUEST,
    ACCESS_CONTROL_RESPONSE,
    RESOURCE_CONTROL_REQUEST,
    RESOURCE_CONTROL_RESPONSE,
    RESOURCE_REPORT_REQUEST,
    RESOURCE_REPORT_RESPONSE,
    TRIGGER_RESOURCE_CONTROL_REQUEST,
    AccessControlRequest,
    AccessControlResponse,
    ResourceControlRequest,
    ResourceControlResponse,
    ResourceReportRequest,
    ResourceReportResponse,
    TriggerResourceControlRequest,
)
from protocols.z3950.apdu.extended import (
    EXTENDED_SERVICES_REQUEST,
    EXTENDED_SERVICES_RESPONSE,
    ExtendedServicesRequest,
    ExtendedServicesResponse,
)
from protocols.z3950.apdu.init import INIT_REQUEST, INIT_RESPONSE, InitRequest, InitResponse, Option
from protocols.z3950.apdu.present import (
    PRESENT_REQUEST,
    PRESENT_RESPONSE,
    SEGMENT,
    PresentRequest,
    PresentResponse,
    Segment,
)
from protocols.z3950.apdu.scan import SCAN_REQUEST, SCAN_RESPONSE, ScanRequest, ScanResponse
from protocols.z3950.apdu.search import SEARCH_REQUEST, SEARCH_RESPONSE, SearchRequest, SearchResponse
from protocols.z3950.apdu.sets import (
    DELETE_REQUEST,
    DELETE_RESPONSE,
    SORT_REQUEST,
    SORT_RESPONSE,
    DeleteRequest,
    DeleteResponse,
    SortRequest,
    SortResponse,
)
from protocols.z3950.limits import REQUESTS, Limits
from protocols.z3950.notation import choice, implicit
from protocols.z3950.primitive import Type

__all__ = [
    "APDU",
    "AccessControlRequest",
    "AccessControlResponse",
    "Apdu",
    "Close",
    "CloseReason",
    "DeleteRequest",
    "DeleteResponse",
    "ExtendedServicesRequest",
    "ExtendedServicesResponse",
    "InitRequest",
    "InitResponse",
    "Option",
    "PresentRequest",
    "PresentResponse",
    "Request",
    "ResourceControlRequest",
    "ResourceControlResponse",
    "ResourceReportRequest",
    "ResourceReportResponse",
    "Response",
    "ScanRequest",
    "ScanResponse",
    "SearchRequest",
    "SearchResponse",
    "Segment",
    "SortRequest",
    "SortResponse",
    "TriggerResourceControlRequest",
    "decode",
    "encode",
]

PRESENT, SEARCH = b"\xb8", b"\xb6"  # identifier octets of the requests that come most
SHORT = 48  # octets of one that names no more than a set, a syntax and an element set

Request = (
    InitRequest
    | SearchRequest
    | PresentRequest
    | DeleteRequest
    | AccessControlResponse
    | ResourceControlResponse
    | TriggerResourceControlRequest
    | ResourceReportRequest
    | ScanRequest
    | SortRequest
    | ExtendedServicesRequest
    | Close
)  # what a client sends
Response = (
    InitResponse
    | SearchResponse
    | PresentResponse
    | DeleteResponse
    | AccessControlRequest
    | ResourceControlRequest
    | ResourceReportResponse
    | ScanResponse
    | SortResponse
    | Segment
    | ExtendedServicesResponse
    | Close
)  # what a server sends
Apdu = Request | Response

APDU: Type[Apdu] = choice(
    initRequest=implicit(20, INIT_REQUEST),
    initResponse=implicit(21, INIT_RESPONSE),
    searchRequest=implicit(22, SEARCH_REQUEST),
    searchResponse=implicit(23, SEARCH_RESPONSE),
    presentRequest=implicit(24, PRESENT_REQUEST),
    presentResponse=implicit(25, PRESENT_RESPONSE),
    deleteResultSetRequest=implicit(26, DELETE_REQUEST),
    deleteResultSetResponse=implicit(27, DELETE_RESPONSE),
    accessControlRequest=implicit(28, ACCESS_CONTROL_REQUEST),
    accessControlResponse=implicit(29, ACCESS_CONTROL_RESPONSE),
    resourceControlRequest=implicit(30, RESOURCE_CONTROL_REQUEST),
    resourceControlResponse=implicit(31, RESOURCE_CONTROL_RESPONSE),
    triggerResourceControlRequest=implicit(32, TRIGGER_RESOURCE_CONTROL_REQUEST),
    resourceReportRequest=implicit(33, RESOURCE_REPORT_REQUEST),
    resourceReportResponse=implicit(34, RESOURCE_REPORT_RESPONSE),
    scanRequest=implicit(35, SCAN_REQUEST),
    scanResponse=implicit(36, SCAN_RESPONSE),
    sortRequest=implicit(43, SORT_REQUEST),
    sortResponse=implicit(44, SORT_RESPONSE),
    segmentRequest=implicit(45, SEGMENT),
    extendedServicesRequest=implicit(46, EXTENDED_SERVICES_REQUEST),
    extendedServicesResponse=implicit(47, EXTENDED_SERVICES_RESPONSE),
    close=implicit(48, CLOSE),
)


def decode(octets: bytes, limits: Limits = REQUESTS) -> Apdu:
    """One whole APDU. Malformed if it is none of those above, is broken, or is beyond the limits."""
    if octets[:1] == PRESENT and len(octets) <= SHORT:
        return _present(octets, limits)
    if octets[:1] == SEARCH and limits is REQUESTS:
        return _searches.read(octets)
    return APDU.decode(octets, limits)


_present = lru_cache(maxsize=512)(APDU.decode)  # programs ask for the next records in few different octets
_searches: Alike[Apdu] = Alike(APDU.decode)


def encode(apdu: Apdu) -> bytes:
    """The octets of an APDU."""
    if type(apdu) is SearchResponse and apdu.records is None:
        return _counted(apdu)
    return APDU.encode(apdu)


_counted = lru_cache(maxsize=1024)(APDU.encode)  # answers without records are few numbers
