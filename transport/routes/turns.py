from protocol.errors import StorageUnavailable, UnknownTurn
from protocol.ids import MessageId
from storage.store import Trace
from transport.http import Request, Response, Route
from transport.services import Services


async def show_trace(request: Request, services: Services) -> Response:
    """What a turn has been through, by its id or its answer's; 404 for one that is not there."""
    name = MessageId(request.params["message_id"])
    trace = await services.store.trace(name, request.person.reach)
    if trace is None:
        raise UnknownTurn
    return Response.of(trace)


ROUTES = (
    Route(
        "GET",
        "/api/turns/{message_id}/trace",
        show_trace,
        shows=Trace,
        errors=(UnknownTurn, StorageUnavailable),
    ),
)
