"""A route as a value, and the OpenAPI 3.1 document that the table of routes makes (spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from services.access.policy import Need

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = Mapping[str, Any]
_IN_PATH = re.compile(r"\{(\w+)\}")
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument of a route; `schema` is JSON Schema."""

    name: str
    about: str
    schema: Mapping[str, Any]
    required: bool = False
    many: bool = False  # may be repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address. Routes with an `answer` are for programs and appear in the OpenAPI document."""

    path: str
    handler: Handler
    summary: str
    allow: Need  # what asking for it takes; there is no default
    methods: tuple[str, ...] = ("GET",)
    act: str = ""  # what the audit log calls it to change something here, or to export what is private
    parameters: tuple[Parameter, ...] = ()
    answer: str = ""  # media type of the answer to a program
    schema: Mapping[str, Any] | None = None  # of a JSON answer
    body: Mapping[str, Any] | None = None  # JSON Schema of what is posted as JSON


JSON = "application/json"


def doing(path: str, handler: Handler, summary: str, allow: Need, act: str) -> Route:
    """An address to which a page of ours sends a form that does something."""
    return Route(path=path, handler=handler, summary=summary, allow=allow, act=act, methods=("POST",))


def asking(path: str, handler: Handler, summary: str, allow: Need, answer: Schema, *parameters: Parameter) -> Route:
    """An address that answers a program in JSON. `answer`: schema of the answer."""
    return Route(
        path=path, handler=handler, summary=summary, allow=allow, parameters=parameters, answer=JSON, schema=answer
    )


def posting(
    path: str,
    handler: Handler,
    summary: str,
    allow: Need,
    act: str,
    body: Schema,
    answer: Schema,
    *parameters: Parameter,
) -> Route:
    """An address where a program posts JSON that does something."""
    return replace(asking(path, handler, summary, allow, answer, *parameters), methods=("POST",), act=act, body=body)


def _parameter(parameter: Parameter, path: str) -> dict[str, Any]:
    within = "path" if parameter.name in _IN_PATH.findall(path) else "query"
    schema: Mapping[str, Any] = {"type": "array", "items": parameter.schema} if parameter.many else parameter.schema
    found: dict[str, Any] = {
        "name": parameter.name,
        "in": within,
        "description": parameter.about,
        "required": parameter.required or within == "path",
        "schema": schema,
    }
    if parameter.many:
        found |= {"style": "form", "explode": True}
    return found


def _operation(route: Route, method: str) -> dict[str, Any]:
    problem = {"description": "Refused: the reason is in `detail`.", "content": {PROBLEM: {"schema": _PROBLEM}}}
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": route.body}}}}
    return {
        **(body if route.body and method == "POST" else {}),
        "summary": route.summary,
        "operationId": f"{method.lower()}{_IN_PATH.sub('', route.path).replace('/', '_').rstrip('_')}",
        "parameters": [_parameter(each, route.path) for each in route.parameters],
        "responses": {
            "200": {"description": "Done.", "content": {route.answer: {"schema": route.schema or {"type": "string"}}}},
            "4XX": problem,
            "5XX": problem,
        },
    }


_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "the number of this request, for reports"},
    },
}


def for_programs(routes: Sequence[Route]) -> list[Route]:
    """The routes that the document and the interface page list."""
    return [route for route in routes if route.answer]


def document(routes: Sequence[Route], *, title: str, version: str, server: str) -> dict[str, Any]:
    """The OpenAPI document of a node's routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in for_programs(routes):
        paths[route.path] = {method.lower(): _operation(route, method) for method in route.methods}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": server}],
        "paths": paths,
    }
