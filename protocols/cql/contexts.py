"""Context sets: the names of indexes, by the set that defines them (tables)."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.query import INDEXES, Index

OWN = "urn:tianlu:cql-context-set:1"
CQL = "info:srw/cql-context-set/1/cql-v1.2"
DC = "info:srw/cql-context-set/1/dc-v1.1"
BATH = "http://zing.z3950.org/cql/bath/2.0/"
BIB = "info:srw/cql-context-set/1/bib-v1"
REC = "info:srw/cql-context-set/2/rec-1.1"

# Prefixes that need no assignment, and other names of sets.
PREFIXES: Mapping[str, str] = {"tianlu": OWN, "cql": CQL, "srw": CQL, "dc": DC, "bath": BATH, "bib": BIB, "rec": REC}
SAME: Mapping[str, str] = {
    "info:srw/cql-context-set/1/cql-v1.1": CQL,
    "http://www.loc.gov/zing/cql/": CQL,
    "http://www.loc.gov/zing/cql/dc-indexes/v1.0/": DC,
    "http://docs.oasis-open.org/ns/search-ws/cql": CQL,
    "info:srw/cql-context-set/1/rec-v1.0": REC,
}

RESULT_SET = "resultsetid"  # an index of the set CQL that is a result set
_CQL: Mapping[str, Index] = {
    "serverchoice": "any", "anywhere": "any", "anyindexes": "any", "allindexes": "any", "keywords": "any",
    "allrecords": "everything",
}  # fmt: skip
_DC: Mapping[str, Index] = {
    "title": "title", "creator": "author", "contributor": "author", "subject": "subject", "publisher": "publisher",
    "date": "year", "type": "kind", "identifier": "number", "language": "language", "description": "note",
    "relation": "series",
}  # fmt: skip
_OWN: Mapping[str, Index] = {index: index for index in INDEXES if index not in ("any", "everything")}

SETS: Mapping[str, Mapping[str, Index]] = {
    CQL: _CQL,
    DC: _DC,
    BATH: {
        "any": "any", "anywhere": "any", "title": "title", "keytitle": "title", "uniformtitle": "title",
        "author": "author", "name": "author", "personalname": "author", "corporatename": "author",
        "conferencename": "author", "editor": "author", "subject": "subject", "topicalsubject": "subject",
        "genreform": "subject", "standardidentifier": "number", "isbn": "isbn", "issn": "issn", "lccn": "national",
        "remoteidentifier": "control", "publisher": "publisher", "placepublication": "place", "notes": "note",
        "seriestitle": "series", "possessinginstitution": "library", "resourcetype": "kind",
        "issuedate": "year",
    },
    BIB: {
        "title": "title", "titleproper": "title", "titleuniform": "title", "titleseries": "series", "name": "author",
        "namepersonal": "author", "namecorporate": "author", "nameconference": "author", "subjecttopic": "subject",
        "subjectplace": "subject", "subjectname": "subject", "dateissued": "year", "originplace": "place",
        "originpublisher": "publisher", "languageiso639-2": "language", "callnumber": "call",
    },
    REC: {"identifier": "control", "lastmodificationdate": "changed", "holdingsinstitution": "library"},
    OWN: {**_DC, **_CQL, **_OWN, "any": "any", "resourcetype": "kind"},
}  # fmt: skip
