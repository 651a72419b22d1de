"""``GET /health``: how the running program is, in short, from what it has seen while it worked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from actors.staff import Staff
from doctor.clock import off_by
from protocol.errors import ServerDraining, ServiceError
from providers.service import Providers
from retrieval.service import Retrieval
from transport.services import Health, HealthStatus
from upstreams.breaker import UpstreamHealth
from upstreams.dates import Dates
from upstreams.tally import Tally


class Checked(Protocol):
    """The part of the store that is looked at."""

    async def check(self) -> None:
        """Raise StorageUnavailable where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is looked at; ``check_folder`` raises StorageUnavailable as the store does."""

    store: Checked
    check_folder: Callable[[], Awaitable[None]]
    retrieval: Retrieval
    providers: Providers
    staff: Staff
    tally: Tally
    dates: Dates

    async def ready(self) -> None:
        """Return when questions can be answered; raises a ServiceError that says why not."""
        if self.staff.is_draining:
            raise ServerDraining
        await self.store.check()

    async def health(self) -> Health:
        """How all that is needed is; asks no service."""
        store, clock = await self._store_problem(), off_by(self.dates.ahead_s)
        upstreams = self.upstreams()
        unwell = self.providers.unwell()
        is_degraded = store or clock or unwell or any(each.problem for each in upstreams)
        status: HealthStatus = "degraded" if is_degraded else "ok"
        if self.staff.is_draining:
            status = "draining"
        backlog, counts = self.staff.backlog(), self.tally.told()
        return Health(status, upstreams, unwell, store, backlog, counts, clock)

    def upstreams(self) -> tuple[UpstreamHealth, ...]:
        """How the services are."""
        return (*self.retrieval.health(), *self.providers.health())

    async def _store_problem(self) -> str:
        try:
            await self.store.check()
            await self.check_folder()
        except ServiceError as error:
            return str(error)
        return ""
