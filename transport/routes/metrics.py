from access.proofs import NO_PROOF
from protocol.errors import NotFound, StorageUnavailable
from protocol.refusals import Unauthorized
from transport.http import Request, Response, Route
from transport.refusals import OnlyNearby
from transport.services import Services
from upstreams.addresses import is_for_this_machine

TEXT = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")  # a proxy beside us is nearby for all


async def show_metrics(request: Request, services: Services) -> Response:
    """What is counted, for Prometheus; 404 where nothing is.

    To programs of this machine, and to administrators.
    """
    if services.metrics is None:
        raise NotFound
    if not is_nearby(request) and not await is_administrators(request, services):
        raise OnlyNearby
    return Response(body=services.metrics(), headers=(TEXT,))


async def is_administrators(request: Request, services: Services) -> bool:
    """Whether it is proved that an administrator asks; raises Unauthorized."""
    if request.proof is NO_PROOF:
        return False
    return (await services.gate.person(request.proof)).is_admin


def is_nearby(request: Request) -> bool:
    """Whether a program of this machine asks, for itself."""
    is_proxied = any(name in request.headers for name in PROXIED)
    return is_for_this_machine(request.peer) and not is_proxied


ERRORS = (NotFound, OnlyNearby, Unauthorized, StorageUnavailable)
ROUTES = (Route("GET", "/metrics", show_metrics, access="anybody", shows=str, errors=ERRORS),)
