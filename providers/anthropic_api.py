"""The dialect of Anthropic: the Messages API."""

from typing import Any

import msgspec

from protocol.values import Prompt
from providers.calls import (
    Call,
    Listed,
    Unreadable,
    decoded,
    instructed,
    reported,
    request,
)
from providers.endpoint import Endpoint
from providers.server_events import data_in

VERSION = "2023-06-01"

# Every later model refuses a request that names a temperature.
TAKES_TEMPERATURE = (
    "claude-3",
    "claude-sonnet-4",
    "claude-haiku-4",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-2",  # the date of claude-opus-4-20250514
    "claude-opus-4-5",
    "claude-opus-4-6",
)

# How much a model may write; a request must say it, and more than the model can is refused.
FIRST_MODELS, FIRST_TOKENS = "claude-3", 4_096
MOST_TOKENS = 16_384


class _Delta(msgspec.Struct):
    text: str | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    delta: _Delta | None = None
    error: Any = None


class _Model(msgspec.Struct):
    id: str
    display_name: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


_event = msgspec.json.Decoder(_Event)
_models = msgspec.json.Decoder(_Models)


class AnthropicDialect:
    """``/v1/messages`` as server-sent events, ``/v1/models``; it has no embeddings."""

    def chat(self, endpoint: Endpoint, model: str, prompt: Prompt, temperature: float) -> Call:
        """The request for a streamed answer."""
        system, turns = instructed(prompt)
        content: dict[str, object] = {
            "model": model,
            "max_tokens": FIRST_TOKENS if model.startswith(FIRST_MODELS) else MOST_TOKENS,
            "messages": [{"role": role, "content": text} for role, text in turns],
            "stream": True,
        }
        if system:
            content["system"] = system
        if model.startswith(TAKES_TEMPERATURE):
            content["temperature"] = temperature
        return _request(endpoint, "/v1/messages", content)

    def piece(self, line: bytes) -> tuple[str, bool]:
        """The text in a line of the stream, perhaps none, and whether the answer is whole."""
        data = data_in(line)
        if not data:
            return "", False
        event = decoded(_event, data)
        if event.type == "error":
            reported(event.error)
        return _said(event.delta), event.type == "message_stop"

    def embed(self, endpoint: Endpoint, _model: str, _texts: list[str]) -> Call:
        """No request: raises Unreadable."""
        raise Unreadable(f"{endpoint.provider} has no embeddings")

    def vectors(self, _body: bytes) -> list[list[float]]:
        """No vectors: raises Unreadable."""
        raise Unreadable

    def listing(self, endpoint: Endpoint) -> Call:
        """The request for the list of models, all of them at once."""
        return _request(endpoint, "/v1/models", query="limit=1000")

    def listed(self, body: bytes) -> tuple[Listed, ...]:
        """The models in a reply, in its order."""
        models = decoded(_models, body).data
        return tuple(Listed(model.id, title=model.display_name or "") for model in models)


def _request(endpoint: Endpoint, path: str, content: Any = None, query: str = "") -> Call:
    call = request(endpoint, path, content, query=query, key_header="x-api-key", key_prefix="")
    return msgspec.structs.replace(call, headers=call.headers | {"anthropic-version": VERSION})


def _said(delta: _Delta | None) -> str:
    """The text of an event; what a model thinks aloud comes under another name."""
    if delta is None:
        return ""
    if delta.stop_reason == "refusal":
        raise Unreadable("it declined to answer this")
    return delta.text or ""
