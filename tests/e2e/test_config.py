"""Settings changed through the API of the running program."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.client import Client
from tests.e2e.program import Program
from tests.standins.model_server import CHAT_MODELS, ModelServer
from tests.standins.search_server import SearchServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "sk-a-key-of-the-tests"
COMMENT = "# the key of the office"


@pytest_asyncio.fixture(loop_scope="session")
async def program(
    models: ModelServer, search: SearchServer, tmp_path: Path
) -> AsyncIterator[Program]:
    """The program with a settings file that names no model service."""
    text = f'[API_KEYS]\nOPENAI = "" {COMMENT}\n[API_ENDPOINTS]\nOPENAI = "{models.openai_url}"\n'
    (tmp_path / "config.toml").write_text(text)
    async with Program(tmp_path, SEARXNG_API_URL=search.url) as running:
        yield running
    assert "Traceback" not in running.log_text()
    assert KEY not in running.log_text()


async def change(program: Program, **sent: object) -> dict[str, Any]:
    """What a POST answers."""
    reply = await program.http.post("/api/config", json=sent)
    found: dict[str, Any] = reply.raise_for_status().json()
    return found


async def test_new_key_brings_its_models_at_once(program: Program, tmp_path: Path) -> None:
    """The next GET has the provider; a question is answered by it, without a restart."""
    before = await program.json("/api/config")
    assert list(before["chatModelProviders"]) == ["built_in", "custom_openai"]
    assert await change(program, **before | {"openaiApiKey": KEY}) == {"message": "Config updated"}
    after = await program.json("/api/config")
    assert {model["name"] for model in after["chatModelProviders"]["openai"]} >= set(CHAT_MODELS)
    assert set(CHAT_MODELS) <= set(
        (await program.json("/api/models"))["chatModelProviders"]["openai"]
    )
    async with Client.connect(program) as client:
        turn = await client.answer("Who answers now?")
    assert "no language model" not in turn.text
    assert f'OPENAI = "{KEY}" {COMMENT}' in (tmp_path / "config.toml").read_text()
    assert stat.S_IMODE((tmp_path / "config.toml").stat().st_mode) == 0o600


async def test_all_sent_back_changes_nothing(program: Program, tmp_path: Path) -> None:
    """What GET gives can be posted as it is, mask and all."""
    await change(program, openaiApiKey=KEY)
    before = (tmp_path / "config.toml").read_bytes()
    shown = await program.json("/api/config")
    assert KEY not in str(shown)
    await change(program, **shown)
    assert (tmp_path / "config.toml").read_bytes() == before
    await change(program, openaiApiKey="")
    assert (await program.json("/api/config"))["openaiApiKey"] == ""
    assert "openai" not in (await program.json("/api/models"))["chatModelProviders"]


async def test_turn_that_runs_is_not_disturbed(program: Program, models: ModelServer) -> None:
    """An answer under way goes on with the key it began with, though that is removed."""
    await change(program, openaiApiKey=KEY)
    await program.json("/api/models")
    gate = models.hold_after(2)
    async with Client.connect(program) as client:
        await client.ask("Is it disturbed?")
        await client.until(lambda frame: frame["type"] == "message")
        await change(program, openaiApiKey="")
        gate.release()
        turn = await client.turn()
    assert turn.text == (await models.seen("answer", about="Is it disturbed?")).reply


async def test_two_at_once_are_both_kept(program: Program) -> None:
    """As the web UI sends them: two posts at the same time, each with a setting of its own."""
    names = ("groqApiKey", "anthropicApiKey", "geminiApiKey", "openaiApiKey")
    await asyncio.gather(*(change(program, **{name: KEY}) for name in names))
    shown = await program.json("/api/config")
    assert {shown[name] for name in names} == {"************ests"}


async def test_provider_that_does_not_answer_is_named(program: Program) -> None:
    """A service that is down is told with the settings, and holds nothing up."""
    await change(program, ollamaApiUrl="http://127.0.0.1:9")
    async with asyncio.timeout(3):
        shown = await program.json("/api/config")
    assert "ollama" in shown["unwell"]
    assert shown["ollamaApiUrl"] == "http://127.0.0.1:9"


async def test_key_is_not_sent_to_another_address(program: Program, models: ModelServer) -> None:
    """The web UI posts all fields back, masks and all: with a new address the key is gone."""
    url = {"customOpenaiApiUrl": models.openai_url}
    await change(program, **url, customOpenaiApiKey=KEY, customOpenaiModelName="m")
    shown = await program.json("/api/config")
    moved = shown | {"customOpenaiApiUrl": "http://127.0.0.1:9/v1"}
    assert (await change(program, **moved))["removed"] == ["customOpenaiApiKey"]
    assert (await program.json("/api/config"))["customOpenaiApiKey"] == ""
    assert "removed" not in await change(program, **shown | {"customOpenaiApiKey": KEY})
    assert (await program.json("/api/config"))["customOpenaiApiKey"] == "************ests"
