"""Holds what routes answer against what the OpenAPI document declares."""

from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from protocol.errors import ServiceError
from transport.http import Request, Response, Route
from transport.openapi import document
from transport.routes import ROUTES
from transport.services import Services


@cache
def declared() -> dict[str, Any]:
    """The document of all routes, as its readers have it."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(ROUTES)))
    return told


def as_declared(routes: Iterable[Route]) -> tuple[Route, ...]:
    """The same routes; an answer of theirs that is not declared becomes a 500."""
    return tuple(msgspec.structs.replace(route, function=_checked(route)) for route in routes)


def check(route: Route, response: Response) -> None:
    """Raise a KeyError for a status or a type, a ValueError for a shape that is not declared."""
    operation = declared()["paths"][route.pattern][route.method.lower()]
    content = operation["responses"][str(response.status)]["content"]
    schema = content[dict(response.headers)["Content-Type"].partition(";")[0]]["schema"]
    if response.pieces is None:
        whole = {**schema, "components": declared()["components"]}
        is_text = schema.get("type") == "string"
        told = response.body.decode() if is_text else msgspec.json.decode(response.body)
        jsonschema_rs.validate(whole, told)


def _checked(route: Route) -> Callable[[Request, Services], Awaitable[Response]]:
    async def function(request: Request, services: Services) -> Response:
        try:
            response = await route.function(request, services)
        except ServiceError as error:
            check(route, Response.of_error(error))
            raise
        check(route, response)
        return response

    return function
