"""All checks as tables, and how they are carried out: side by side, each within its time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from doctor.clock import check_clock
from doctor.finding import Finding, Report, failed, warned
from doctor.machine import (
    check_disk,
    check_folder,
    check_port,
    check_settings,
    check_store,
)
from doctor.patient import Patient, Upstreams, reached, unusable
from doctor.proxies import check_proxies
from doctor.services import (
    check_embedding,
    check_models,
    check_provider,
    check_search,
    providers_of,
)
from protocol.errors import ServiceError, SettingsError

log = structlog.get_logger(__name__)

Look = Callable[[], Awaitable[Finding]]

MACHINE: Mapping[str, Callable[[Patient], Awaitable[Finding]]] = {
    "settings": check_settings,
    "data folder": check_folder,
    "disk": check_disk,
    "store": check_store,
    "port": check_port,
    "proxies": check_proxies,
}
SERVICES: Mapping[str, Callable[[Patient, Upstreams], Awaitable[Finding]]] = {
    "search": check_search,
    "models": check_models,
    "embedding": check_embedding,
}
WITHIN_S = 15.0
BEYOND_S = 5.0  # what a check of a service may take beside the wait for its first word


async def examined(patient: Patient) -> Report:
    """What all checks come to; never raises for anything that can be told."""
    machine = asyncio.ensure_future(_all(_machine(patient), WITHIN_S))
    try:
        async with reached(patient) as upstreams:
            within_s = patient.settings.limits.first_token_s + BEYOND_S
            services = await _all(_services(patient, upstreams), within_s)
        found = {**await machine, **services}
    except SettingsError as error:
        found = {**await machine, "settings": unusable(error), **_unasked(patient)}
    last = await _all({"clock": partial(check_clock, patient)}, WITHIN_S)
    return {**found, **last}


def _machine(patient: Patient) -> dict[str, Look]:
    return {name: partial(check, patient) for name, check in MACHINE.items()}


def _services(patient: Patient, upstreams: Upstreams) -> dict[str, Look]:
    """The checks of the table, and one of each provider that is set up."""
    fixed = {name: partial(check, patient, upstreams) for name, check in SERVICES.items()}
    names = providers_of(patient.settings)
    return fixed | {name: partial(check_provider, name, patient, upstreams) for name in names}


def _unasked(patient: Patient) -> dict[str, Finding]:
    """Of services that cannot be asked as the settings are."""
    names = (*SERVICES, *providers_of(patient.settings))
    return dict.fromkeys(names, warned("not looked at", "correct the settings first"))


async def _all(looks: Mapping[str, Look], within_s: float) -> dict[str, Finding]:
    running = (_within(look, within_s) for look in looks.values())
    ended = await asyncio.gather(*running, return_exceptions=True)
    return {name: _told(name, end) for name, end in zip(looks, ended, strict=True)}


def _told(name: str, end: Finding | BaseException) -> Finding:
    """What a check came to; one that broke must not cost the others."""
    if isinstance(end, Finding):
        return end
    log.error("check.failed", check=name, exc_info=end)
    return failed("the check itself broke, and the log says where", "report it as a bug")


async def _within(look: Look, within_s: float) -> Finding:
    try:
        async with asyncio.timeout(within_s):
            return await look()
    except TimeoutError:
        return failed(f"no end within {within_s:g} s", "see whether disk and network hang")
    except ServiceError as error:
        return failed(str(error), "see what the log of the server says")
