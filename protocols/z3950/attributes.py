"""The attributes of set bib-1 (Attribute Set Bib-1: Semantics, Z39.50 Maintenance Agency) as the neutral tree has them.

Tables only. What is in none of them is answered by a diagnostic with the value, never by a guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocols.query import Completeness, Index, Position, Relation, Structure, Truncation, Unit

USE, RELATION, POSITION, STRUCTURE, TRUNCATION, COMPLETENESS = range(1, 7)
TYPES: Mapping[int, str] = {
    USE: "use", RELATION: "relation", POSITION: "position", STRUCTURE: "structure", TRUNCATION: "truncation",
    COMPLETENESS: "completeness",
}  # fmt: skip

# Use: the first of an index is the one that is sent.
USES: Mapping[Index, tuple[int, ...]] = {
    "any": (1016, 1017, 1035),  # any, server-choice, anywhere
    "title": (4, 6, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44),  # 4 title, 6 uniform, 33–44 its kinds
    "author": (1003, 1, 2, 3, 1002, 1004, 1005, 1006, 1020),  # 1–3 and 1004–1006 persons, bodies, meetings; 1020 editor
    "subject": (21, 22, 23, 24, 25, 26, 27, 28, 29, 46, 47, 58, 1008, 1009),  # 22–46 lists, 58 places, 1009 persons
    "series": (5,),
    "publisher": (1018,),
    "place": (59,),
    "note": (63, 62),  # 62 abstract
    "class": (20, 13, 14),  # local, which is 中图法 here, Dewey, UDC
    "call": (53, 16, 17, 18),  # local, LC, NLM, NAL
    "isbn": (7,),
    "issn": (8,),
    "number": (1007,),  # identifier—standard
    "national": (48, 9, 10, 49),  # 9 LCCN, 10 BNB, 49 legal deposit
    "music": (51,),  # publisher's number of music
    "control": (12, 1032),  # local number, doc-id
    "language": (54,),
    "kind": (1031, 1001),  # material type, record type
    "year": (31, 30),  # date of publication, date
    "changed": (1012,),  # date/time last modified
    "library": (1044, 56),  # possessing institution, code of an institution
}
INDEXES: Mapping[int, Index] = {use: index for index, uses in USES.items() for use in uses}

RELATIONS: Mapping[int, Relation] = {1: "<", 2: "<=", 3: "=", 4: ">=", 5: ">", 6: "<>", 102: "="}  # 102 relevance
ALWAYS_MATCHES = 103

POSITIONS: Mapping[int, Position] = {3: "any", 1: "first", 2: "first"}  # 1 in field, 2 in subfield

# Structure: 1 phrase, 2 word, 3 key, 4 year, 5 date, 6 word list, 100 date and 102 name as written, 101 name
# normalized, 105 free-form text, 106 document text, 107 local number, 108 string, 109 numeric string.
STRUCTURES: Mapping[int, Structure] = {
    1: "phrase", 6: "all", 105: "some", 108: "exact",
    2: "all", 3: "exact", 4: "exact", 5: "exact", 100: "exact", 101: "phrase", 102: "all", 106: "some", 107: "exact",
    109: "exact",
}  # fmt: skip
DATES = frozenset({4, 5, 100})  # structures of dates, for indexes of dates only …
DATED: frozenset[Index] = frozenset({"year", "changed"})
CODED = frozenset({107, 109})  # … and of numbers, for indexes of whole values only
WORDED: frozenset[Index] = frozenset({"any", "title", "author", "subject", "series", "publisher", "place", "note"})

TRUNCATIONS: Mapping[int, Truncation] = {100: "none", 1: "right", 2: "left", 3: "both"}
NUMBER_SIGNS, EXPRESSIONS, CCL = 101, (102, 103), 104  # kinds of masks in the term

COMPLETENESSES: Mapping[int, Completeness] = {1: "part", 2: "whole", 3: "whole"}  # 2 a subfield, 3 a field

UNITS: Mapping[int, Unit] = {2: "word", 8: "field", 7: "record"}  # 7 document, 8 element
