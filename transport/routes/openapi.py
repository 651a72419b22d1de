from collections.abc import Sequence
from functools import cache

import msgspec

from transport.http import JSON, Request, Response, Route
from transport.openapi import document
from transport.services import Services

PATH = "/api/openapi.json"


def described(routes: Sequence[Route]) -> tuple[Route, ...]:
    """The routes, and one more that shows the description of them all."""

    @cache
    def description() -> bytes:
        return msgspec.json.encode(document(table))

    async def show_description(_: Request, __: Services) -> Response:
        """The description of all routes that you are reading: an OpenAPI document."""
        return Response(body=description(), headers=(JSON,))

    table = (*routes, Route("GET", PATH, show_description, access="anybody"))
    return table
