from access.doors import same
from protocol.errors import NotFound, StorageUnavailable
from protocol.refusals import Forbidden, Unauthorized
from transport.http import Request, Response, Route
from transport.services import Services

TEXT = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")


async def show_metrics(request: Request, services: Services) -> Response:
    """What is counted, for Prometheus; 404 where nothing is.

    To administrators, and to who shows the token of the settings. Where a request comes from counts
    for nothing: a proxy on the same machine may look like a program there, in all that it sends.
    """
    if services.metrics is None:
        raise NotFound
    if not same(request.proof.bearer, services.metrics_token):
        person = await services.gate.person(request.proof)
        if not person.is_admin:
            raise Forbidden
    return Response(body=services.metrics(), headers=(TEXT,))


ERRORS = (NotFound, Forbidden, Unauthorized, StorageUnavailable)
ROUTES = (Route("GET", "/metrics", show_metrics, access="anybody", shows=str, errors=ERRORS),)
