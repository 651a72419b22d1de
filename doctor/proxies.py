"""Checks of the proxies that the environment names: all calls to services go through them."""

import asyncio
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from doctor.finding import Finding, failed, warned, well
from doctor.patient import Patient
from protocol.base import Value
from upstreams.addresses import is_for_this_machine

SCHEMES = ("http", "https", "all")
PORTS = {"http": 80, "https": 443}
CONNECT_S = 3.0


class Proxy(Value, frozen=True):
    """A proxy of the environment; without a host where what is named is none."""

    name: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """Where it is; never the login that its address may have."""
        return f"{self.host}:{self.port}"


async def check_proxies(patient: Patient) -> Finding:
    """Whether each can be reached, and services of this machine are asked without one."""
    proxies = list(named(patient.environ))
    if not proxies:
        return well("none is set")
    for proxy in proxies:
        if not proxy.host:
            return failed(f"{proxy.name} names no http or https address", f"correct {proxy.name}")
        if not await _answers(proxy):
            says = f"the proxy {proxy.place} of {proxy.name} cannot be reached"
            return failed(says, f"start it, or correct or unset {proxy.name}")
    if inner := sorted(_led_astray(patient, proxies)):
        says = f"{', '.join(inner)} on this machine would be asked through a proxy"
        return warned(says, "name its host in NO_PROXY")
    return well("; ".join(f"{proxy.name} is {proxy.place}, and answers" for proxy in proxies))


def named(environ: Mapping[str, str]) -> Iterator[Proxy]:
    """The proxies that the environment names, in small letters or large ones."""
    for scheme in SCHEMES:
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if text := environ.get(name, "").strip():
                yield _read(name, text)
                break


def _read(name: str, text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        return Proxy(name, "", 0)
    if parts.scheme not in PORTS:
        return Proxy(name, "", 0)
    return Proxy(name, parts.hostname or "", port or PORTS[parts.scheme])


async def _answers(proxy: Proxy) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(proxy.host, proxy.port)
    except (OSError, UnicodeError, TimeoutError):
        return False
    writer.close()
    return True


def _led_astray(patient: Patient, proxies: list[Proxy]) -> Iterator[str]:
    """The services of this machine that a proxy stands before."""
    schemes = {proxy.name.partition("_")[0].lower() for proxy in proxies}
    no_proxy = patient.environ.get("no_proxy") or patient.environ.get("NO_PROXY") or ""
    endpoints = patient.settings.api_endpoints
    custom = patient.settings.custom_openai.api_url
    addresses = {name: getattr(endpoints, name) for name in endpoints.__struct_fields__}
    for service, address in {**addresses, "custom_openai": custom}.items():
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_led = bool(schemes & {parts.scheme, "all"}) and is_for_this_machine(host)
        if is_led and not _is_spared(host, no_proxy):
            yield service


def _is_spared(host: str, no_proxy: str) -> bool:
    """Whether the list says that a host is asked without a proxy."""
    spared = [entry.strip().lstrip(".").lower() for entry in no_proxy.split(",")]
    return any(entry == "*" or f".{host}".endswith(f".{entry}") for entry in spared if entry)
