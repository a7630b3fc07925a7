"""The official ASN.1 text of Z39.50, compiled by asn1tools: what octets should be, by others than us.

The text is the Maintenance Agency's, as the Debian package libyaz-dev installs it. asn1tools reads a later notation, so
a few places are changed on the way; each change has its reason beside it and changes no octet.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import asn1tools
import pytest

FOLDER = Path("/usr/share/yaz/z39.50")
MODULES = {
    "z3950v3.asn": (
        "Z39-50-APDU-1995",
        "DiagnosticFormatDiag1",
        "RecordSyntax-SUTRS",
        "RecordSyntax-opac",
        "RecordSyntax-ESTaskPackage",
    ),
    "esupdate.asn": ("ESFormat-Update",),
    "charneg-3.asn": ("NegotiationRecordDefinition-charSetandLanguageNegotiation-3",),
}
_MODULE = re.compile(r"([A-Z][\w-]*)\s*(?:\{[^}]*\})?\s*DEFINITIONS\s*::=\s*BEGIN(.*?)\bEND\b", re.DOTALL)
CHANGES = (
    # In 1990's notation a comment may end within its line; in this text none does, but some have two hyphens in them.
    (re.compile(r"--.*$", re.MULTILINE), ""),
    # asn1tools knows what a module exports anyway.
    (re.compile(r"EXPORTS.*?;", re.DOTALL), ""),
    # The module of language codes is as long as all the rest, for the one line that its own comment repeats.
    (re.compile(r"IMPORTS LanguageCode.*?;", re.DOTALL), "LanguageCode ::= GeneralString "),
    # asn1tools makes a date of it, which loses how it was written. The tag and the octets are the same.
    (re.compile(r"\bGeneralizedTime\b"), "[UNIVERSAL 24] IMPLICIT VisibleString"),
    (re.compile(r"IMPLICIT\s+\[UNIVERSAL 24\] IMPLICIT VisibleString"), "IMPLICIT VisibleString"),
    # asn1tools has no value for single-ASN1-type; X.690, 8.18.1 says what EXTERNAL is.
    (re.compile(r"\bEXTERNAL\b"), "External"),
)
EXTERNAL = """
    External ::= [UNIVERSAL 8] IMPLICIT SEQUENCE {
        direct-reference OBJECT IDENTIFIER OPTIONAL,
        indirect-reference INTEGER OPTIONAL,
        data-value-descriptor [UNIVERSAL 7] IMPLICIT VisibleString OPTIONAL,
        encoding CHOICE {
            single-ASN1-type [0] ANY, octet-aligned [1] IMPLICIT OCTET STRING, arbitrary [2] IMPLICIT BIT STRING } }
"""


@cache
def _texts() -> dict[str, str]:
    """Each module's body, changed."""
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not here: apt-get install libyaz-dev")
    found = {}
    for file, wanted in MODULES.items():
        text = (FOLDER / file).read_text("latin-1")
        for pattern, instead in CHANGES:
            text = pattern.sub(instead, text)
        bodies = dict(_MODULE.findall(text))
        found.update({name: bodies[name] for name in wanted})
    return found


@cache
def specification() -> Any:
    """The compiled text; the tags of these modules are explicit unless they say otherwise."""
    whole = "\n".join(
        f"{name} DEFINITIONS EXPLICIT TAGS ::= BEGIN {body} {EXTERNAL} END" for name, body in _texts().items()
    )
    return asn1tools.compile_string(whole, "ber")


@cache
def names() -> dict[str, str]:
    """Identifiers of the text by how they look without hyphens and capitals."""
    whole = " ".join([EXTERNAL, *_texts().values()])
    return {plain(name): name for name in re.findall(r"\b[a-z][\w-]*", whole)}


def plain(name: str) -> str:
    """A name without what notations differ in."""
    return name.replace("-", "").replace("_", "").lower()
