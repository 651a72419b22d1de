from typing import Literal

from protocol.base import Value
from transport.http import Request, Response, Route
from transport.services import Services


class Status(Value, frozen=True):
    """That all is well."""

    status: Literal["ok"] = "ok"


async def show_status(_: Request, __: Services) -> Response:
    """A word that the server is there; waits for nothing."""
    return Response.of(Status())


ROUTES = (Route("GET", "/api", show_status, access="anybody", shows=Status),)
