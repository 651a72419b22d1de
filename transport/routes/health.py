from http import HTTPStatus

from protocol.errors import ServerDraining, ServiceError, StorageUnavailable
from transport.http import Problem, Request, Response, Route
from transport.routes.status import Status
from transport.services import Health, Services


async def show_live(_: Request, __: Services) -> Response:
    """200 for as long as the process runs its event loop."""
    return Response.of(Status())


async def show_ready(_: Request, services: Services) -> Response:
    """200 when questions can be answered; else 503 with the reason."""
    try:
        await services.ready()
    except ServiceError as error:
        return Response.of(Problem(str(error)), status=HTTPStatus.SERVICE_UNAVAILABLE)
    return Response.of(Status())


async def show_health(_: Request, services: Services) -> Response:
    """How the program and what it needs are; 200 whatever that is."""
    return Response.of(await services.health())


ROUTES = (
    Route("GET", "/health", show_health, access="admin", shows=Health),
    Route("GET", "/health/live", show_live, access="anybody", shows=Status),
    Route(
        "GET",
        "/health/ready",
        show_ready,
        access="anybody",
        shows=Status,
        errors=(ServerDraining, StorageUnavailable),
    ),
)
