from transport.http import Request, Response, Route
from transport.services import Services


async def show_status(_: Request, __: Services) -> Response:
    """A word that the server is there; waits for nothing."""
    return Response.of({"status": "ok"})


ROUTES = (Route("GET", "/api", show_status, access="anybody"),)
