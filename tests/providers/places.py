"""What the tests of providers are set up with."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from protocol.errors import ModelUnavailable
from protocol.service_settings import ApiEndpoints, ApiKeys
from protocol.settings import Limits, Settings
from protocol.values import ModelChoice, Prompt, PromptMessage
from providers.catalogue import ROWS, Row
from providers.service import Providers
from tests.providers.tiny_server import Reply, TinyServer
from upstreams.retry import Retry

T = TypeVar("T")

PROMPT: Prompt = (PromptMessage("system", "Be brief."), PromptMessage("user", "What is it?"))
NO_OLLAMA = ""


def in_thread(work: Callable[[], T], /) -> Awaitable[T]:
    """Offload through asyncio's own threads."""
    return asyncio.to_thread(work)


def settings_for(
    *, openai: str = "", key: str = "sk-test", ollama: str = NO_OLLAMA, limits: Limits | None = None
) -> Settings:
    """Settings with the services that have an address."""
    return Settings(
        api_keys=ApiKeys(openai=key if openai else ""),
        api_endpoints=ApiEndpoints(openai=openai or ApiEndpoints().openai, ollama=ollama),
        limits=limits or Limits(),
    )


@asynccontextmanager
async def providers_for(
    settings: Settings, *, rows: Sequence[Row] = ROWS, retry: Retry | None = None
) -> AsyncGenerator[Providers, None]:
    """Providers with these settings, closed at the end."""
    providers = Providers(settings, offload=in_thread, rows=rows, retry=retry)
    try:
        yield providers
    finally:
        await providers.close()


@asynccontextmanager
async def serving(
    reply: Reply,
    *,
    openai: bool = False,
    ollama: bool = False,
    base: str = "",
    limits: Limits | None = None,
    retry: Retry | None = None,
) -> AsyncGenerator[tuple[TinyServer, Providers], None]:
    """A service that answers so, and providers whose settings name it as what is marked."""
    async with TinyServer(reply) as server:
        settings = settings_for(
            openai=server.url + base if openai else "",
            ollama=server.url if ollama else "",
            limits=limits,
        )
        async with providers_for(settings, retry=retry) as providers:
            yield server, providers


def custom(url: str, *, model: str = "m", key: str = "") -> ModelChoice:
    """A client's own service."""
    return ModelChoice("custom_openai", model, url, key)


async def told(providers: Providers, choice: ModelChoice) -> list[str]:
    """All pieces of an answer."""
    return [piece async for piece in providers.stream(choice, PROMPT, temperature=0)]


async def until_failure(providers: Providers, choice: ModelChoice) -> str:
    """The text that comes before the stream fails, as it must."""
    pieces: list[str] = []

    async def read() -> None:
        async for piece in providers.stream(choice, PROMPT, temperature=0):
            pieces.append(piece)  # noqa: PERF401 (what came before the failure counts)

    with pytest.raises(ModelUnavailable):
        await read()
    return "".join(pieces)
