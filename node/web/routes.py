"""Every address of the node on one page. A route with an `answer` is for programs and documents itself (OpenAPI)."""

from __future__ import annotations

from catalog.search import port
from node.web import (
    account_pages,
    api,
    audit_pages,
    desk,
    exchange_door,
    exchange_routes,
    handing,
    key_pages,
    machine,
    network,
    pages,
    peering,
    schemas,
    signing_in,
    staff_pages,
)
from node.web.inputs import SIZE, SORTS
from node.web.openapi import Parameter, Route
from services.access.policy import OF_NODES, PUBLIC, Need, Permission, Subject

OWN = Need(permission=Permission.OWN, subject=Subject.SELF)
ACCOUNTS = Need(permission=Permission.ACCOUNTS, subject=Subject.LIBRARY)
LOOK = Need(permission=Permission.LOOK, subject=Subject.LIBRARY)
CHANGE = Need(permission=Permission.CHANGE, subject=Subject.LIBRARY)
AUDIT = Need(permission=Permission.AUDIT, subject=Subject.LIBRARY)
ID = Parameter(name="id", about="A record's number, e.g. CN-TJU.00000a.", schema={"type": "string"})
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
        ("metadataPrefix", "oai_dc or marcxml."),
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

ROUTES: tuple[Route, ...] = (
    # For people
    Route(path="/", handler=pages.home, summary="Search box", allow=PUBLIC),
    Route(path="/search", handler=pages.results, summary="Results", allow=PUBLIC),
    Route(path="/records/{id}", handler=pages.record, summary="A record with its holdings", allow=PUBLIC),
    Route(path="/libraries", handler=pages.libraries_page, summary="The directory of libraries", allow=PUBLIC),
    Route(path="/network", handler=network.page, summary="Nodes and streams as this node sees them", allow=PUBLIC),
    Route(path="/about", handler=pages.about, summary="How to search, and the programs' addresses", allow=PUBLIC),
    Route(path="/api", handler=pages.interface, summary="This table, for programmers", allow=PUBLIC),
    Route(path="/static/{name}", handler=pages.static, summary="Style sheet and seal", allow=PUBLIC),
    Route(path="/robots.txt", handler=pages.robots, summary="What crawlers may fetch", allow=PUBLIC),
    # For those who have an account
    Route(
        path="/sign-in",
        handler=signing_in.sign_in,
        summary="Sign in, or type the password once more",
        allow=PUBLIC,
        act="session.begin",
        methods=("GET", "POST"),
    ),
    Route(
        path="/sign-out",
        handler=signing_in.sign_out,
        summary="End the session",
        allow=PUBLIC,
        act="session.end",
        methods=("POST",),
    ),
    Route(
        path="/reset",
        handler=signing_in.reset,
        summary="Set a new password with a one-time code",
        allow=PUBLIC,
        act="account.password",
        methods=("GET", "POST"),
    ),
    Route(
        path="/account",
        handler=account_pages.account,
        summary="One's own account: password, one-time codes, sessions",
        allow=OWN,
        act="account.change",
        methods=("GET", "POST"),
    ),
    Route(
        path="/account/codes.svg",
        handler=account_pages.picture,
        summary="The secret of new one-time codes as a QR code",
        allow=OWN,
    ),
    Route(
        path="/accounts",
        handler=staff_pages.listed,
        summary="Accounts that one looks after; make another",
        allow=ACCOUNTS,
        act="account.add",
        methods=("GET", "POST"),
    ),
    Route(
        path="/accounts/{name}",
        handler=staff_pages.one,
        summary="One account: roles, reset code, one-time codes, state",
        allow=ACCOUNTS,
        act="account.change",
        methods=("GET", "POST"),
    ),
    Route(
        path="/keys",
        handler=key_pages.listed,
        summary="Keys for programs; make one",
        allow=OWN,
        act="key.add",
        methods=("GET", "POST"),
    ),
    Route(
        path="/keys/{key}",
        handler=key_pages.one,
        summary="One key: what it was used for, and its end",
        allow=OWN,
        act="key.disable",
        methods=("GET", "POST"),
    ),
    Route(path="/audit", handler=audit_pages.page, summary="Who did what, and whether the log is whole", allow=AUDIT),
    Route(
        path="/audit/export",
        handler=audit_pages.export,
        summary="The audit log for a spreadsheet",
        allow=AUDIT,
        act="audit.export",
    ),
    # For programs
    Route(
        path="/records/{id}/{form}",
        handler=pages.download,
        summary="A record as MARCXML, ISO 2709, MARC-in-JSON, Dublin Core or text.",
        allow=PUBLIC,
        parameters=(ID, FORM),
        answer="application/octet-stream",
    ),
    Route(
        path="/api/search",
        handler=api.search,
        summary="Search the catalogue.",
        allow=PUBLIC,
        parameters=SEARCH,
        answer="application/json",
        schema=schemas.RESULTS,
    ),
    Route(
        path="/api/scopes",
        handler=api.scopes,
        summary="How many titles a search finds on each level: library, city, province, nation.",
        allow=PUBLIC,
        parameters=QUESTION,
        answer="application/json",
        schema=schemas.SCOPES,
    ),
    Route(
        path="/api/records/{id}",
        handler=api.record,
        summary="A record with its holdings.",
        allow=PUBLIC,
        parameters=(ID,),
        answer="application/json",
        schema=schemas.RECORD,
    ),
    Route(
        path="/api/libraries",
        handler=api.libraries_list,
        summary="The directory of libraries.",
        allow=PUBLIC,
        answer="application/json",
        schema=schemas.LIBRARIES,
    ),
    Route(
        path="/api/audit",
        handler=audit_pages.document,
        summary="Who did what, the newest first, 100 entries at once.",
        allow=AUDIT,
        parameters=AUDITED,
        answer="application/json",
        schema=schemas.AUDIT,
    ),
    Route(
        path="/api/keys",
        handler=key_pages.document,
        summary="Keys of one's own account and of those that one looks after; POST makes one.",
        allow=OWN,
        act="key.add",
        methods=("GET", "POST"),
        answer="application/json",
        schema=schemas.KEYS,
    ),
    Route(
        path="/api/keys/{key}",
        handler=key_pages.single,
        summary="One key; DELETE ends it.",
        allow=OWN,
        act="key.disable",
        methods=("GET", "DELETE"),
        parameters=(KEY,),
        answer="application/json",
        schema=schemas.KEY,
    ),
    Route(
        path="/api/keys/{key}/usage",
        handler=key_pages.usage,
        summary="What a key was used for, by day and operation.",
        allow=OWN,
        parameters=(KEY,),
        answer="application/json",
        schema=schemas.USAGE,
    ),
    Route(
        path="/api/loads",
        handler=desk.loads_list,
        summary="Loads of the libraries that one works for, the newest first.",
        allow=LOOK,
        parameters=LISTED,
        answer="application/json",
        schema=schemas.LOADS,
    ),
    Route(
        path="/api/loads/{load}",
        handler=desk.load,
        summary="One load with its counts.",
        allow=LOOK,
        parameters=(LOAD,),
        answer="application/json",
        schema=schemas.LOAD,
    ),
    Route(
        path="/api/quarantine",
        handler=desk.quarantined,
        summary="Records that came back, the newest first.",
        allow=LOOK,
        parameters=LISTED,
        answer="application/json",
        schema=schemas.QUARANTINE,
    ),
    Route(
        path="/api/review",
        handler=desk.review,
        summary="Corrections that wait for somebody.",
        allow=LOOK,
        answer="application/json",
        schema=schemas.REVIEW,
    ),
    Route(
        path="/api/review/decision",
        handler=desk.decide,
        summary="Accept or refuse a correction.",
        allow=CHANGE,
        act="correction.decide",
        methods=("POST",),
        answer="application/json",
        schema=schemas.DECIDED,
    ),
    Route(
        path="/api/network",
        handler=network.document,
        summary="Nodes and streams as this node sees them: who, how much, how far behind.",
        allow=PUBLIC,
        answer="application/json",
        schema=schemas.NETWORK,
    ),
    Route(
        path="/api/openapi.json",
        handler=api.openapi_document,
        summary="This interface as an OpenAPI 3.1 document.",
        allow=PUBLIC,
        answer="application/json",
        schema={"type": "object"},
    ),
    Route(
        path="/health",
        handler=api.health,
        summary="Whether the node can answer: 200, or 503 when it can't.",
        allow=PUBLIC,
        answer="application/json",
        schema=schemas.HEALTH,
    ),
    Route(
        path="/oai",
        handler=machine.oai,
        summary="OAI-PMH 2.0; POST takes the arguments as a form.",
        allow=PUBLIC,
        methods=("GET", "POST"),
        parameters=OAI,
        answer="text/xml",
    ),
    # For other nodes
    Route(
        path="/x/join",
        handler=exchange_door.introduced(peering.join),
        summary="Other nodes: join this one with a one-time code",
        allow=OF_NODES,
        methods=("POST",),
    ),
    Route(
        path="/x/hello",
        handler=exchange_door.signed(peering.hello),
        summary="Other nodes: a child greets its parent",
        allow=OF_NODES,
        methods=("POST",),
    ),
    Route(
        path="/x/up/{link}",
        handler=exchange_door.signed(exchange_routes.up),
        summary="Other nodes: a child sends a segment, in parts if need be",
        allow=OF_NODES,
        methods=("HEAD", "PATCH"),
    ),
    Route(
        path="/x/down/{channel}",
        handler=exchange_door.signed(exchange_routes.down),
        summary="Other nodes: a child asks for the segment that follows, and waits for it",
        allow=OF_NODES,
    ),
    Route(
        path="/x/reconcile/{channel}/{way}",
        handler=exchange_door.signed(exchange_routes.reconcile),
        summary="Other nodes: a child compares a stream with this node and has it mended",
        allow=OF_NODES,
        methods=("POST",),
    ),
    Route(
        path="/x/handover",
        handler=exchange_door.signed(handing.handed),
        summary="Other nodes: a child and this node tell each other how far a library has moved",
        allow=OF_NODES,
        methods=("POST",),
    ),
    Route(
        path="/x/audit",
        handler=exchange_door.signed(exchange_routes.audit),
        summary="Other nodes: a child tells the end of its audit log",
        allow=OF_NODES,
        methods=("POST",),
    ),
    Route(
        path="/x/have",
        handler=exchange_door.signed(handing.have),
        summary="Other nodes: a child asks which records need not be sent whole while a library moves",
        allow=OF_NODES,
        methods=("POST",),
    ),
)
