"""The arguments that programs' addresses take, as the table of routes and the OpenAPI document name them."""

from __future__ import annotations

from catalog.search import port
from node.web import desk, pages
from node.web.inputs import SIZE, SORTS
from node.web.openapi import Parameter
from services.discovery import authorities

ID = Parameter(name="id", about="A record's number, e.g. CN-TJU.00000a.", schema={"type": "string"})
PART = tuple(
    Parameter(name=name, about=about, schema={"type": "integer", "minimum": 0})
    for name, about in (
        ("year", "The year that is wanted."),
        ("volume", "The volume."),
        ("issue", "The issue, counted within year or volume; alone through the whole run."),
    )
)
KEY = Parameter(name="key", about="A key's number.", schema={"type": "integer", "minimum": 1})
FORM = Parameter(name="form", about="The form of the record.", schema={"type": "string", "enum": list(pages.FORMS)})
QUESTION = (
    Parameter(
        name="q",
        about="Words; none finds everything.",
        schema={"type": "string", "maxLength": port.LONGEST_TEXT},
    ),
    Parameter(name="field", about="Where.", schema={"type": "string", "enum": list(port.FIELDS)}),
    *(
        Parameter(name=facet, about=f"Only titles of this {facet}.", schema={"type": "string"}, many=True)
        for facet in port.FACETS
    ),
    Parameter(
        name="scope",
        about="How far to look: the key of a level (library, city, province, nation, …); "
        "unless said, everything that this node holds.",
        schema={"type": "string"},
    ),
    Parameter(
        name="from",
        about="Symbol of the library that scopes are seen from. Beside a scope and without from, library says it.",
        schema={"type": "string"},
    ),
)
SEARCH = (
    *QUESTION,
    Parameter(name="sort", about="The order.", schema={"type": "string", "enum": list(SORTS)}),
    Parameter(name="page", about="Page, 1 = first.", schema={"type": "integer", "minimum": 1, "default": 1}),
    Parameter(
        name="limit",
        about="Records a page.",
        schema={"type": "integer", "minimum": 1, "maximum": port.MOST_HITS, "default": SIZE},
    ),
)
AUTHORITIES = (
    Parameter(
        name="q",
        about="A heading, a variant, or a part of one; an identifier.",
        schema={"type": "string", "maxLength": port.LONGEST_TEXT},
        required=True,
    ),
    Parameter(name="kind", about="What it names.", schema={"type": "string", "enum": list(authorities.KINDS)}),
    *SEARCH[-2:],
)
LISTED = (
    Parameter(
        name="limit",
        about="Items at once.",
        schema={"type": "integer", "minimum": 1, "maximum": desk.MOST, "default": desk.SIZE},
    ),
    Parameter(name="before", about="Only what is older than this one.", schema={"type": "integer", "minimum": 1}),
)
LOAD = Parameter(name="load", about="A load's number.", schema={"type": "integer", "minimum": 1})
OAI = tuple(
    Parameter(name=name, about=about, schema={"type": "string"}, required=name == "verb")
    for name, about in (
        ("verb", "Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords or GetRecord."),
        ("metadataPrefix", "oai_dc, qdc, mods or marcxml."),
        ("identifier", "An OAI identifier."),
        ("from", "Changed at or after: YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ."),
        ("until", "Changed at or before."),
        ("set", "A library's setSpec."),
        ("resumptionToken", "Where a list goes on; alone."),
    )
)
AUDITED = tuple(
    Parameter(name=name, about=about, schema={"type": "string"})
    for name, about in (
        ("since", "From this day on, UTC: YYYY-MM-DD."),
        ("until", "Up to this day."),
        ("actor", "account:NAME, key:NAME/PREFIX, os:LOGIN or node:SYMBOL."),
        ("act", "library.add, or library for all acts that begin so."),
        ("library", "Symbol of the library whose data it was about."),
        ("outcome", "done, begun, refused or failed."),
        ("before", "Only entries before this number: `next` of the answer before."),
    )
)
