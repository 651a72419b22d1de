"""What is found of the services, and what is advised."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from doctor.finding import Finding
from doctor.patient import Upstreams
from doctor.services import MODEL_ADVICE, SEARCH_ADVICE, advised_for, check_provider, check_search
from protocol.errors import ModelUnavailable
from tests.doctor.places import patient

ROOT = Path(__file__).parents[2]
Stream = Callable[..., AsyncGenerator[str, None]]


async def speaks(*_: object, **__: object) -> AsyncGenerator[str, None]:
    """A model that is well."""
    yield "Yes"
    raise AssertionError("nobody wants to hear more")


async def hangs(*_: object, **__: object) -> AsyncGenerator[str, None]:
    """A model that is loading, for ever."""
    await asyncio.Event().wait()
    yield ""


async def refuses(*_: object, **__: object) -> AsyncGenerator[str, None]:
    """A model that is not there."""
    raise ModelUnavailable("mine", "it does not know this model")
    yield ""


async def is_mute(*_: object, **__: object) -> AsyncGenerator[str, None]:
    """A model that ends before it begins."""
    words: tuple[str, ...] = ()
    for word in words:
        yield word


async def found(folder: Path, stream: Stream, unwell: dict[str, str] | None = None) -> Finding:
    """What is found of a provider whose model answers so."""

    async def models() -> Any:
        return SimpleNamespace(chat={"mine": {"large": "Large"}})

    providers = SimpleNamespace(models=models, unwell=lambda: unwell or {}, stream=stream)
    upstreams = Upstreams(cast("Any", providers), None)
    return await check_provider("mine", patient(folder, first_token_s=0.05), upstreams)


@pytest.mark.parametrize(
    ("stream", "state", "says"),
    [
        (speaks, "ok", "mine answers with large"),
        (hangs, "failed", "mine, asked for large: no answer within 0.05 s"),
        (refuses, "failed", "mine, asked for large: it does not know this model"),
        (is_mute, "failed", "mine, asked for large: it answers without any words"),
    ],
)
async def test_first_word_of_the_model(
    tmp_path: Path, stream: Stream, state: str, says: str
) -> None:
    """The rest is not waited for."""
    finding = await found(tmp_path, stream)
    assert finding.state == state
    assert finding.says.startswith(says)


async def test_service_that_gives_no_list_is_asked_nothing_else(tmp_path: Path) -> None:
    """What its list came to says it all."""
    finding = await found(tmp_path, is_mute, unwell={"mine": "it refused the key"})
    assert (finding.state, finding.advice) == ("failed", "set a key that it knows: its key")


@pytest.mark.parametrize(
    ("provider", "problem", "named"),
    [
        ("openai", "it refused the key", "OPENAI_API_KEY or [MODELS.OPENAI] API_KEY"),
        ("openai", "it does not know this model", "OPENAI_BASE_URL or [API_ENDPOINTS] OPENAI"),
        ("ollama", "it cannot be reached", "OLLAMA_BASE_URL or [MODELS.OLLAMA] API_URL"),
        ("custom_openai", "it refused the key", "PERPLEXICA_CUSTOM_OPENAI_API_KEY or [MODELS."),
    ],
)
def test_advice_names_the_setting_to_change(provider: str, problem: str, named: str) -> None:
    """By its names in the environment and in the settings file."""
    assert named in advised_for(provider, problem)


async def test_search_that_is_not_set_up_is_no_failure(tmp_path: Path) -> None:
    """There are other ways to search."""
    assert (await check_search(patient(tmp_path), Upstreams(cast("Any", None), None))).state == (
        "warning"
    )


@pytest.mark.parametrize(
    ("table", "folders"), [(SEARCH_ADVICE, ("retrieval",)), (MODEL_ADVICE, ("providers", "doctor"))]
)
def test_advice_is_for_what_is_said(table: dict[str, str], folders: tuple[str, ...]) -> None:
    """Words that nothing says any more would never be met; others have the last row."""
    paths = [path for folder in folders for path in (ROOT / folder).glob("*.py")]
    texts = [path.read_text("utf-8") for path in paths if path.name != "services.py"]
    texts.append((ROOT / "doctor" / "services.py").read_text("utf-8").partition("\ndef ")[2])
    unsaid = [words for words in table if not any(words in text for text in texts)]
    assert not unsaid
    assert list(table)[-1] == ""
