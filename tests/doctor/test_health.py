"""``/health`` puts together what the parts of the running program know."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from doctor.health import Vitals
from protocol.errors import StorageUnavailable
from tests.doctor.places import NOON
from upstreams.breaker import UpstreamHealth
from upstreams.dates import Dates
from upstreams.tally import Tally

LATER = {"date": "Mon, 23 Nov 2026 13:00:00 GMT"}


async def passes() -> None:
    """All is well."""


async def fails() -> None:
    """Nothing can be written."""
    raise StorageUnavailable("its folder is on a disk that is full")


async def vitals(*, head: dict[str, str] | None = None, **ill: Any) -> Vitals:
    """A program that is well but for what is given; a service has answered with that head."""
    dates = Dates(lambda: NOON)
    served = httpx.MockTransport(lambda _: httpx.Response(200, headers=head))
    async with dates.watch(httpx.AsyncClient(transport=served)) as client:
        await client.get("http://service.test")
    fakes: dict[str, Any] = {
        "store": SimpleNamespace(check=ill.get("check", passes)),
        "check_folder": ill.get("check_folder", passes),
        "retrieval": SimpleNamespace(health=lambda: ill.get("upstreams", ())),
        "providers": SimpleNamespace(health=tuple, unwell=lambda: ill.get("unwell", {})),
        "staff": SimpleNamespace(is_draining=ill.get("is_draining", False), backlog=dict),
    }
    return Vitals(**fakes, tally=Tally(), dates=dates)


async def test_all_well() -> None:
    """Nothing is said against anything."""
    health = await (await vitals()).health()
    assert (health.status, health.store, health.clock) == ("ok", "", "")


@pytest.mark.parametrize(
    "ill",
    [
        {"check": fails},
        {"check_folder": fails},
        {"unwell": {"ollama": "it cannot be reached"}},
        {"upstreams": (UpstreamHealth("searxng", "closed", 1, "no answer in time"),)},
        {"head": LATER},
    ],
)
async def test_anything_that_does_not_work_degrades(ill: dict[str, Any]) -> None:
    """Whatever it is."""
    assert (await (await vitals(**ill)).health()).status == "degraded"


async def test_problems_are_told_in_words() -> None:
    """Of the store, and of the clock."""
    health = await (await vitals(check_folder=fails, head=LATER)).health()
    assert health.store.endswith("its folder is on a disk that is full.")
    assert health.clock == "this clock is 60 min behind the services'"


async def test_stop_goes_before_all_else() -> None:
    """A load balancer is to know it first."""
    assert (await (await vitals(is_draining=True, check=fails)).health()).status == "draining"
