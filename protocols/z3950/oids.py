"""Object identifiers of Z39.50 (Z39.50 Maintenance Agency, register of object identifiers) and what they are called."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.z3950.primitive import Oid

Z3950: Oid = (1, 2, 840, 10003)

BIB_1: Oid = (*Z3950, 3, 1)  # attributes
DIAGNOSTICS: Oid = (*Z3950, 4, 1)  # bib-1
DIAGNOSTICS_1: Oid = (*Z3950, 4, 2)  # diag-1

UNIMARC: Oid = (*Z3950, 5, 1)
USMARC: Oid = (*Z3950, 5, 10)
SUTRS: Oid = (*Z3950, 5, 101)
OPAC: Oid = (*Z3950, 5, 102)
SUMMARY: Oid = (*Z3950, 5, 103)
GRS_1: Oid = (*Z3950, 5, 105)
TASK_PACKAGE: Oid = (*Z3950, 5, 106)
HTML: Oid = (*Z3950, 5, 109, 3)
XML: Oid = (*Z3950, 5, 109, 10)

UPDATE: Oid = (*Z3950, 9, 5)  # the extended service, as its first edition was numbered
UPDATE_SECOND: Oid = (*Z3950, 9, 5, 1)
UPDATE_REVISED: Oid = (*Z3950, 9, 5, 1, 1)  # revision 1, which is sent

SEARCH_RESULT: Oid = (*Z3950, 10, 1)  # user information: searchResult-1
USER_INFO: Oid = (*Z3950, 10, 3)  # user information: userInfo-1
CHARSETS_3: Oid = (*Z3950, 15, 3)  # negotiation of character sets and languages
CQL: Oid = (*Z3950, 16, 2)

UTF_8: Oid = (1, 0, 10646, 1, 0, 8)  # ISO 10646 in its form UTF-8

SYNTAXES: Mapping[str, Oid] = {
    "unimarc": UNIMARC,
    "usmarc": USMARC,
    "sutrs": SUTRS,
    "opac": OPAC,
    "summary": SUMMARY,
    "grs-1": GRS_1,
    "html": HTML,
    "xml": XML,
}
NAMES: Mapping[Oid, str] = {
    **{oid: name for name, oid in SYNTAXES.items()},
    BIB_1: "bib-1",
    DIAGNOSTICS: "diag-bib-1",
    DIAGNOSTICS_1: "diag-1",
    TASK_PACKAGE: "es-task-package",
    UPDATE: "update",
    UPDATE_SECOND: "update-second",
    UPDATE_REVISED: "update-1",
    SEARCH_RESULT: "search-result-1",
    USER_INFO: "user-info-1",
    CHARSETS_3: "charset-negotiation-3",
    CQL: "cql",
}


def dotted(oid: Oid) -> str:
    """1.2.840.10003.3.1"""
    return ".".join(map(str, oid))


def name(oid: Oid) -> str:
    """What people call it, or its dotted form."""
    return NAMES.get(oid) or dotted(oid)
