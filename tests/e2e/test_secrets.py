"""Secrets that come in by every door are used, and come out by none."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.e2e.canary import canary, check, check_reply
from tests.e2e.client import Client, Turn
from tests.e2e.program import Program
from tests.standins.search_server import SearchServer
from tests.standins.telltale import KEY_HEADERS, Telltale

pytestmark = pytest.mark.asyncio(loop_scope="session")

# One for each door. The first letters are what is looked for: a mask may show the last four.
CANARIES = {
    "environment": "sk-canary-environment-0001",
    "file of settings": "sk-canary-toml-0002",
    "file of its own": "sk-canary-file-0003",
    "post": "sk-canary-post-0004",
    "post of an address": "sk-canary-custom-0005",
    "handshake": "sk-canary-handshake-0006",
    "search": "sk-canary-search-0007",
}
SHORT = "canary1"
PROVIDERS = ("openai", "anthropic", "gemini", "custom_openai", "mistral", "deepseek")
READ = (
    *("/api/config", "/api/models", "/api/chats", "/api", "/api/nope"),
    *("/health", "/health/ready", "/metrics"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def telltale() -> AsyncIterator[Telltale]:
    """The service that repeats keys."""
    async with Telltale() as server:
        yield server


def settings(folder: Path, telltale: Telltale, search: SearchServer) -> dict[str, str]:
    """The environment, beside a file of settings and one with a key."""
    (folder / "config.toml").write_text(
        f'[API_KEYS]\nMISTRAL = "{CANARIES["file of settings"]}"\nDEEPSEEK = "{SHORT}"\n'
    )
    (folder / "key").write_text(CANARIES["file of its own"])
    return {
        "SEARXNG_API_URL": search.url,
        "OPENAI_API_KEY": CANARIES["environment"],
        "OPENAI_BASE_URL": telltale.openai_url,
        "PERPLEXICA_API_ENDPOINTS_MISTRAL": telltale.openai_url,
        "PERPLEXICA_API_ENDPOINTS_DEEPSEEK": telltale.openai_url,
        "ANTHROPIC_API_KEY_FILE": str(folder / "key"),
        "ANTHROPIC_BASE_URL": telltale.anthropic_url,
        "PERPLEXICA_API_ENDPOINTS_GEMINI": telltale.gemini_url,
        "PERPLEXICA_LOG_LEVEL": "debug",
        "PERPLEXICA_UI_GAP_MS": "0",
        "PERPLEXICA_METRICS_ON": "true",
        "PYTHONASYNCIODEBUG": "1",
    }


class Told:
    """All that the program has said to its clients."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.texts: list[str] = []

    async def ask(self, **query: str) -> Turn:
        """One question of a connection with that query."""
        async with Client.connect(self._program, query) as client:
            turn = await client.answer("How tall is the lighthouse?", optimizationMode="balanced")
            await client.send("{no frame")
            await client.refusal()
            self.texts.append(str(client.frames))
        return turn

    async def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request."""
        reply = await self._program.http.request(method, path, **given)
        self.texts += [str(reply.headers.raw), reply.text]
        return reply


async def test_secrets_of_all_doors_come_out_by_none(
    telltale: Telltale, search: SearchServer, tmp_path: Path
) -> None:
    """Not in frames, bodies, heads, logs or the store, though each was sent to its service."""
    async with Program(tmp_path, **settings(tmp_path, telltale, search)) as program:
        told = Told(program)
        posted = {
            "geminiApiKey": CANARIES["post"],
            "customOpenaiApiUrl": telltale.openai_url,
            "customOpenaiApiKey": CANARIES["post of an address"],
            "customOpenaiModelName": "a-model",
        }
        assert (await told.call("POST", "/api/config", json=posted)).is_success
        await use(told, telltale)
        await misuse(told)
        for path in READ:
            await told.call("GET", path)
        for chat in (await told.call("GET", "/api/chats")).json()["chats"]:
            await told.call("GET", f"/api/chats/{chat['id']}")
    texts = [*told.texts, program.log_text(), *stored(tmp_path / "data")]
    assert len(program.log_text()) > 1000
    assert not [text[:2000] for text in texts if "sk-canary" in text or SHORT in text]
    assert not set(CANARIES.values()) - keys_sent(telltale)
    assert "lighthouse" not in program.log_text()  # what they ask is nobody's business either


async def test_whatever_comes_out_of_any_test_is_looked_at() -> None:
    """Heads, bodies, frames and logs: a secret in one of them fails the test that saw it."""
    with pytest.raises(AssertionError, match="a secret in a log"):
        check("a log", f"some words {canary('openai')}")
    for leaking in (
        httpx.Response(200, headers={"X-Key": canary("openai")}),
        httpx.Response(200, text=canary("openai")),
    ):
        with pytest.raises(AssertionError, match=r"a secret in a (head|body)"):
            await check_reply(leaking)
    await check_reply(httpx.Response(200, text="************0000"))


async def use(told: Told, telltale: Telltale) -> None:
    """Each key is sent where it belongs, and refused; the turn ends all the same."""
    for provider in PROVIDERS:
        turn = await told.ask(chatModelProvider=provider)
        assert "refused the key" in turn.text
    own = {"openAIApiKey": CANARIES["handshake"], "openAIBaseURL": telltale.openai_url}
    await told.ask(chatModelProvider="custom_openai", chatModel="m", **own)
    embedding = {"embeddingModelProvider": "openai", "embeddingModel": "text-embedding-3-small"}
    await told.ask(chatModelProvider="openai", **embedding)
    model = {
        "provider": "custom_openai",
        "model": "m",
        "customOpenAIBaseURL": telltale.openai_url,
        "customOpenAIKey": CANARIES["search"],
    }
    body: dict[str, Any] = {"focusMode": "webSearch", "query": "How tall is it?"}
    await told.call("POST", "/api/search", json=body | {"chatModel": model})
    await told.call("POST", "/api/images", json=body | {"chatModel": model})


async def misuse(told: Told) -> None:
    """Keys where they do not belong are not repeated either."""
    bad = {"geminiApiKey": f"{CANARIES['post']}\n", "openaiApiKey": f"{CANARIES['post']}\x01"}
    await told.call("POST", "/api/config", json=bad)
    await told.call("POST", "/api/config", json={"customOpenaiApiUrl": CANARIES["post"]})
    await told.call("POST", "/api/config", content=f'{{"openaiApiKey": "{CANARIES["post"]}"')
    await told.call("GET", f"/api/config?openAIApiKey={CANARIES['handshake']}")
    bare = {"openAIApiKey": CANARIES["handshake"], "openAIBaseURL": "ftp://127.0.0.1"}
    await told.call("GET", "/", params=bare, headers={"Upgrade": "websocket"})


def stored(folder: Path) -> list[str]:
    """What is in the files of the data folder, the database and its log among them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.read_bytes().decode("latin-1") for path in files]


def keys_sent(telltale: Telltale) -> set[str]:
    """The keys that the service was given."""
    heads = [exchange.headers for exchange in telltale.record.exchanges]
    sent = [head[name] for head in heads for name in KEY_HEADERS if name in head]
    return {key.removeprefix("Bearer ") for key in sent}
