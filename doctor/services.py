"""Checks of what is asked: the search, the models, and the vectors."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from doctor.finding import Finding, failed, warned, well
from doctor.patient import Patient, Upstreams
from protocol.errors import ModelUnavailable, SearchUnavailable
from protocol.settings import Settings
from protocol.values import ModelChoice, Models, PromptMessage
from providers.catalogue import ROWS
from storage.setting_fields import declared

QUERY = "weather"  # every engine knows something about it
WORDS = "Say yes."
MOST_NAMED = 5

# What to do about it, by words of ours that say what is wrong; the first that fits counts.
SEARCH_ADVICE = {
    "it refuses JSON": "list json under search.formats in its settings.yml, and restart it",
    "it cannot be reached": "start it, or correct SEARXNG_API_URL",
    "no answer in time": "see whether it is overloaded, or allow more: PERPLEXICA_LIMITS_SEARCH_S",
    "fewer requests": "turn its limiter off, or let this machine pass in its limiter.toml",
    "": "see whether SEARXNG_API_URL is its address, and what its own log says",
}
MODEL_ADVICE = {
    "it refused the key": "set a key that it knows: {key}",
    "it offers no model": "give it one (`ollama pull NAME`), or name one in the settings",
    "it does not know this model": "give it that model, or name one that it has; see {address}",
    "its quota is used up": "pay for more, or use another provider",
    "it takes no more requests": "wait, or use another provider",
    "cannot be reached": "start it, or correct {address}; see the line on proxies too",
    "no answer within": "see whether it is overloaded",
    "its address or key cannot be used": "correct {address} and {key}: no blanks, plain letters",
    "": "see what its own log says",
}


def advised(table: Mapping[str, str], problem: str) -> str:
    """What the table says to the problem."""
    return next(advice for words, advice in table.items() if words in problem)


def advised_for(provider: str, problem: str) -> str:
    """What to do about a model service, with the names of the settings to change."""
    key = _named("its key", f"api_keys_{provider}", f"{provider}_api_key")
    address = _named("its address", f"api_endpoints_{provider}", f"{provider}_api_url")
    return advised(MODEL_ADVICE, problem).format(key=key, address=address)


def _named(otherwise: str, *keys: str) -> str:
    """The setting of one of these keys by its usual names, in the environment and in the file."""
    found = (field for field in declared() if field.key in keys)
    names = (f"{field.env_names[:2][-1]} or {field.file_names[-1]}" for field in found)
    return next(names, otherwise)


async def check_search(_patient: Patient, upstreams: Upstreams) -> Finding:
    """Whether SearXNG gives results as JSON, and its engines are alive."""
    if upstreams.searxng is None:
        says = "SearXNG is not set up; the web is searched without it"
        return warned(says, "set SEARXNG_API_URL")
    try:
        found, silent = await upstreams.searxng.look(QUERY)
    except SearchUnavailable as error:
        return failed(f"SearXNG: {error.problem}", advised(SEARCH_ADVICE, error.problem))
    reasons = [f"{engine} ({why})" for engine, why in sorted(silent.items())[:MOST_NAMED]]
    told = f"no answer from {', '.join(reasons)}" if reasons else ""
    if found:
        return well(f"SearXNG gives {found} results{told and f'; {told}'}")
    if told:
        advice = "wait until it asks them again, or enable other engines in its settings.yml"
        return failed(f"SearXNG answers, but none of its engines does: {told}", advice)
    advice = "enable engines in its settings.yml"
    return failed("SearXNG answers, but finds nothing at all", advice)


def providers_of(settings: Settings) -> list[str]:
    """The model services that are set up."""
    return [row.name for row in ROWS if row.endpoint and row.endpoint(settings)]


async def check_provider(name: str, patient: Patient, upstreams: Upstreams) -> Finding:
    """Whether it takes the key, has the model that is used by default, and says a word with it."""
    models = (await upstreams.providers.models()).chat.get(name, {})
    problem = upstreams.providers.unwell().get(name, "")
    model = next(iter(models), "")
    if not problem:
        problem = await _said(name, patient.settings.limits.first_token_s, upstreams)
    if problem:
        shown = f"{name}, asked for {model}" if model else name
        return failed(f"{shown}: {problem}", advised_for(name, problem))
    return well(f"{name} answers with {model}, the first of its {len(models)} models")


async def _said(name: str, within_s: float, upstreams: Upstreams) -> str:
    """What is wrong with its answer; it is broken off after its first words."""
    prompt = (PromptMessage("user", WORDS),)
    stream = upstreams.providers.stream(ModelChoice(name), prompt, temperature=0)
    try:
        async with asyncio.timeout(within_s), aclosing(stream) as pieces:
            async for _ in pieces:
                return ""
    except TimeoutError:
        return f"no answer within {within_s:g} s"
    except ModelUnavailable as error:
        return error.problem
    return "it answers without any words"


async def check_models(patient: Patient, _upstreams: Upstreams) -> Finding:
    """Whether there is any chat model at all."""
    if names := providers_of(patient.settings):
        return well(f"set up: {', '.join(names)}")
    return warned(
        "no chat model is set up: answers are extracts",
        "set OPENAI_API_KEY or OLLAMA_BASE_URL",
    )


async def check_embedding(_patient: Patient, upstreams: Upstreams) -> Finding:
    """Whether the embedding model that is used by default gives vectors."""
    await upstreams.providers.models()
    choice = upstreams.providers.resolve(Models()).embedding
    try:
        vectors = await upstreams.providers.embed(choice, [WORDS])
    except ModelUnavailable as error:
        return failed(
            f"{choice.provider}/{choice.model}: {error.problem}",
            advised_for(choice.provider, error.problem),
        )
    return well(f"{choice.provider}/{choice.model} gives vectors of {vectors.shape[1]} numbers")
