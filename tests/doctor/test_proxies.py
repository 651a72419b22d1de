"""Proxies of the environment are reached, and not used for what is on this machine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doctor.finding import Finding
from doctor.proxies import check_proxies, named
from protocol.service_settings import ApiEndpoints
from tests.doctor.places import patient

NOBODY = "http://127.0.0.1:9"
LOCAL = ApiEndpoints(searxng="http://127.0.0.1:8080", ollama="http://localhost:11434")


@pytest.fixture
async def proxy() -> AsyncIterator[str]:
    """The address of something that takes connections."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://somebody:secret@127.0.0.1:{port}"


async def found(folder: Path, endpoints: ApiEndpoints | None = None, **environ: str) -> Finding:
    """What is found in that environment; no login of a proxy is ever shown."""
    finding = await check_proxies(patient(folder, environ=environ, endpoints=endpoints))
    assert "secret" not in finding.says + finding.advice
    return finding


async def test_no_proxy_is_well(tmp_path: Path) -> None:
    """So is one that is set to nothing."""
    assert (await found(tmp_path)).state == "ok"
    assert (await found(tmp_path, HTTP_PROXY=" ")).state == "ok"


async def test_proxy_that_answers_is_well(tmp_path: Path, proxy: str) -> None:
    """In small letters as well as in large ones."""
    assert (await found(tmp_path, https_proxy=proxy)).state == "ok"
    assert (await found(tmp_path, ALL_PROXY=proxy)).state == "ok"


async def test_proxy_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """With its variable."""
    finding = await found(tmp_path, HTTPS_PROXY="http://x:secret@127.0.0.1:9")
    assert finding.state == "failed"
    assert "127.0.0.1:9 of HTTPS_PROXY cannot be reached" in finding.says


@pytest.mark.parametrize("text", ["socks5://x:1080", "http://x:many", "http://"])
async def test_what_is_no_proxy_is_named(tmp_path: Path, text: str) -> None:
    """The kinds that are not spoken, and addresses that are none."""
    finding = await found(tmp_path, HTTP_PROXY=text)
    assert finding.says == "HTTP_PROXY names no http or https address"


async def test_services_of_this_machine_are_not_to_be_asked_through_a_proxy(
    tmp_path: Path, proxy: str
) -> None:
    """Unless NO_PROXY spares them; a proxy for https does not stand before http."""
    finding = await found(tmp_path, LOCAL, HTTP_PROXY=proxy)
    assert (finding.state, finding.advice) == ("warning", "name its host in NO_PROXY")
    assert "ollama, searxng" in finding.says
    spared = await found(tmp_path, LOCAL, HTTP_PROXY=proxy, NO_PROXY="127.0.0.1, localhost")
    assert spared.state == "ok"
    assert (await found(tmp_path, LOCAL, HTTP_PROXY=proxy, no_proxy="*")).state == "ok"
    assert (await found(tmp_path, LOCAL, HTTPS_PROXY=proxy)).state == "ok"


def test_small_letters_go_first() -> None:
    """As the HTTP library has it."""
    [proxy] = named({"http_proxy": NOBODY, "HTTP_PROXY": "http://other:1"})
    assert (proxy.name, proxy.place) == ("http_proxy", "127.0.0.1:9")
