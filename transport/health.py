"""How the program and what it needs are, put together from its parts."""

from actors.staff import Staff
from protocol.errors import ServerDraining, ServiceError
from providers.service import Providers
from retrieval.service import Retrieval
from storage.store import Store
from transport.services import Health, HealthStatus
from upstreams.tally import Tally


async def read_health(
    store: Store, retrieval: Retrieval, providers: Providers, staff: Staff, tally: Tally
) -> Health:
    """How all of it is at this moment."""
    problem = await _problem(store)
    upstreams = (*retrieval.health(), *providers.health())
    unwell = providers.unwell()
    is_degraded = problem or unwell or any(each.problem for each in upstreams)
    status: HealthStatus = "degraded" if is_degraded else "ok"
    if staff.is_draining:
        status = "draining"
    return Health(status, upstreams, unwell, problem, staff.backlog(), tally.told())


async def check_ready(store: Store, staff: Staff) -> None:
    """Return when questions can be answered; raises a ServiceError that says why not."""
    if staff.is_draining:
        raise ServerDraining
    await store.check()


async def _problem(store: Store) -> str:
    try:
        await store.check()
    except ServiceError as error:
        return str(error)
    return ""
