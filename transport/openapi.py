"""The table of routes as an OpenAPI document: what a client may send, and all that it may get."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from access.proofs import COOKIE
from protocol.errors import DeadlineExceeded, ServiceError, StorageUnavailable, TooLarge
from protocol.refusals import Forbidden, Unauthorized
from transport.http import Access, Problem, Route
from transport.refusals import (
    BadRequest,
    ExpectationFailed,
    HeadTooLarge,
    HostRefused,
    NotImplementedHere,
    OriginRefused,
    RequestTooSlow,
    UnknownVersion,
    UpgradeRequired,
)

OPENAPI = "3.1.0"
VERSION = "1"  # of what is described

JSON, FORM, EVENTS = "application/json", "multipart/form-data", "text/event-stream"
TEXT = "text/plain"

ABOUT = """
Any other path is answered with 404, any other method with 405 and `Allow`; HEAD is answered where
GET is. Errors are JSON with a `message`, of every status. Questions are asked over a WebSocket on
the same port, which this document does not describe.
"""

# Of a form: the name of a file says what it is.
PARTS = {
    "files": {
        "headers": {
            "Content-Disposition": {
                "schema": {"type": "string"},
                "example": 'form-data; name="files"; filename="notes.txt"',
            }
        }
    }
}

# What any request may meet, before its route is asked or while it is.
ANYWHERE: tuple[type[ServiceError], ...] = (
    BadRequest,
    OriginRefused,
    RequestTooSlow,
    TooLarge,
    ExpectationFailed,
    HostRefused,
    UpgradeRequired,
    HeadTooLarge,
    ServiceError,
    NotImplementedHere,
    DeadlineExceeded,
    UnknownVersion,
)

# And what those may meet who must say who they are.
GUARDED: Mapping[Access, tuple[type[ServiceError], ...]] = {
    "anybody": (),
    "user": (Unauthorized, StorageUnavailable),
    "admin": (Unauthorized, Forbidden, StorageUnavailable),
}
PROOFS = {
    "key": {"type": "http", "scheme": "bearer"},
    "login": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}

_NAMED_PART = re.compile(r"\{(\w+)\}")
_SECTION = re.compile(r"\n\n(?:Args|Returns|Raises):")

Object = dict[str, Any]
Shapes = Mapping[Any, Object]


def document(routes: Sequence[Route]) -> Object:
    """The OpenAPI 3.1 document of these routes."""
    shapes, schemas = _shapes(routes)
    paths: dict[str, Object] = {}
    for route in routes:
        paths.setdefault(route.pattern, {})[route.method.lower()] = _operation(route, shapes)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "python-perplexica",
            "version": VERSION,
            "description": ABOUT.strip().replace("\n", " "),
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": PROOFS},
    }


def _shapes(routes: Iterable[Route]) -> tuple[Shapes, Object]:
    """The schema of each type that is sent or shown, and those that they refer to."""
    named = (kind for route in routes for kind in (route.body, route.shows))
    kinds = [kind for kind in dict.fromkeys((Problem, *named)) if kind is not None]
    shapes, schemas = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    for schema in schemas.values():
        schema["description"] = prose(schema.get("description", ""))
    return dict(zip(kinds, shapes, strict=True)), schemas


def _operation(route: Route, shapes: Shapes) -> Object:
    summary, _, more = prose(route.function.__doc__).partition("\n\n")
    told = {
        "operationId": route.function.__name__,
        "summary": summary,
        "description": more,
        "parameters": _parameters(route),
        "requestBody": _body(route, shapes),
        "security": _security(route.access),
    }
    responses = {"200": _success(route, shapes), **_refusals(route, shapes)}
    return {**{name: value for name, value in told.items() if value}, "responses": responses}


def prose(docstring: str | None) -> str:
    """A docstring as CommonMark, without what it says for programmers."""
    text = _SECTION.split(inspect.cleandoc(docstring or ""))[0]
    return text.replace("``", "`")


def _parameters(route: Route) -> list[Object]:
    text = {"type": "string"}
    named = {"in": "path", "required": True, "schema": {**text, "minLength": 1}}
    return [
        *({"name": name, **named} for name in _NAMED_PART.findall(route.pattern)),
        *({"name": name, "in": "query", "schema": text} for name in route.query),
    ]


def _security(access: Access) -> list[Object]:
    """What may prove who asks, with the role that is needed; nothing, where the server is open."""
    if access == "anybody":
        return []
    roles = ["admin"] if access == "admin" else []
    return [*({proof: roles} for proof in PROOFS), {}]


def _body(route: Route, shapes: Shapes) -> Object | None:
    if route.body is None:
        return None
    schema = {"schema": shapes[route.body]}
    content = {FORM: {**schema, "encoding": PARTS}} if route.streams else {JSON: schema}
    return {"required": True, "content": content}


def _success(route: Route, shapes: Shapes) -> Object:
    content: Object = {
        TEXT if route.shows is str else JSON: {"schema": shapes[route.shows]},
    }
    if route.tells_events:
        content[EVENTS] = {"schema": {"description": "Each event is one frame: JSON, in a line."}}
    return {"description": "What was asked for.", "content": content}


def _refusals(route: Route, shapes: Shapes) -> Object:
    """The responses by status, for all errors that the route may raise or any request meet."""
    kinds: dict[int, list[type[ServiceError]]] = {}
    for kind in dict.fromkeys((*ANYWHERE, *GUARDED[route.access], *route.errors)):
        kinds.setdefault(kind.status, []).append(kind)
    return {str(status): _refusal(kinds[status], shapes) for status in sorted(kinds)}


def _refusal(kinds: Sequence[type[ServiceError]], shapes: Shapes) -> Object:
    told: Object = {
        "description": " ".join(prose(kind.__doc__).partition("\n\n")[0] for kind in kinds),
        "content": {JSON: {"schema": shapes[Problem]}},
    }
    if any(kind.temporary for kind in kinds):
        seconds = {"schema": {"type": "integer"}, "description": "Seconds until it may succeed."}
        told["headers"] = {"Retry-After": seconds}
    return told
