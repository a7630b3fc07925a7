"""Makes pages: the template engine, addresses with their state, and one function that renders.

Every value is escaped by the engine; templates hold no `|safe`. A variable that a page forgot is an error, not a blank.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote, urlencode

import jinja2
from aiohttp import web

from catalog.search.port import FIELDS, LONGEST_TEXT
from node.web import context, texts
from services.access import csrf, sessions
from services.access.policy import Permission

HERE = Path(__file__).parent
_ENGINE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
ASSETS = {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir())}
# The style sheet's address changes with its content, so browsers may keep it for good.
STYLE_VERSION = hashlib.sha256(ASSETS["tianlu.css"]).hexdigest()[:10]


def url(path: str, **parameters: object) -> str:
    """An address with a query string; parameters without a value are left out."""
    given = [(name, value) for name, value in parameters.items() if value not in (None, "")]
    return f"{path}?{urlencode(given)}" if given else path


def record_url(ident: str, form: str = "") -> str:
    """The address of a record, or of one of its other forms."""
    return f"/records/{quote(ident, safe='')}" + (f"/{form}" if form else "")


def _other_language(request: web.Request, lang: str) -> str:
    other = texts.LANGUAGES[1 - texts.LANGUAGES.index(lang)]
    kept = [(name, value) for name, value in request.query.items() if name != "lang"]
    return f"{request.rel_url.raw_path}?{urlencode([*kept, ('lang', other)])}"


def page(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    """A page in the visitor's language; `values` are the template's own."""
    lang = context.lang_of(request)
    session = request.get(context.SESSION)
    body = _ENGINE.get_template(template).render(
        t=texts.in_language(lang),
        lang=lang,
        site=context.site(context.node_of(request)),
        here=request.path,
        fields=FIELDS,
        longest=LONGEST_TEXT,
        url=url,
        other_language=_other_language(request, lang),
        style_version=STYLE_VERSION,
        signed_in=session.account.name if session else "",
        auditor=session is not None and session.actor.may(Permission.AUDIT),
        looker=session is not None and session.actor.may(Permission.LOOK),
        copier=session is not None and session.actor.may(Permission.COPY),
        keeper=session is not None and session.actor.may(Permission.ACCOUNTS),
        csrf=csrf.token(request.cookies.get(sessions.COOKIE, "")) if session else "",
        **values,
    )
    return web.Response(text=body, status=status, content_type="text/html", charset="utf-8")
