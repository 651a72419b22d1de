from protocol.errors import NotFound
from transport.http import Request, Response, Route
from transport.refusals import OnlyNearby
from transport.services import Services
from upstreams.addresses import is_for_this_machine

TEXT = ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")  # a proxy beside us is nearby for all


async def show_metrics(request: Request, services: Services) -> Response:
    """What is counted, for Prometheus; 404 where nothing is, 403 for other machines."""
    if services.metrics is None:
        raise NotFound
    if not is_nearby(request):
        raise OnlyNearby
    return Response(body=services.metrics(), headers=(TEXT,))


def is_nearby(request: Request) -> bool:
    """Whether a program of this machine asks, for itself."""
    is_proxied = any(name in request.headers for name in PROXIED)
    return is_for_this_machine(request.peer) and not is_proxied


ROUTES = (Route("GET", "/metrics", show_metrics),)
