"""The dialect of OpenAI, and of all that speak like it."""

from typing import Any

import msgspec

from protocol.values import Prompt
from providers.calls import Call, Listed, Unreadable, decoded, reported, request, sound, told
from providers.endpoint import Endpoint
from providers.server_events import data_in

# These take no temperature but their own, and refuse a request that names another.
OWN_TEMPERATURE = ("o1", "o3", "o4", "gpt-5")


class _Part(msgspec.Struct):
    text: str | None = None


class _Delta(msgspec.Struct):
    content: str | list[_Part] | None = None  # in parts from Mistral's models that think aloud


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: Any = None


class _Vector(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _Vectors(msgspec.Struct):
    data: list[_Vector]


class _Model(msgspec.Struct):
    id: str
    created: float | None = None
    name: Any = None  # not of OpenAI's own making, so that it may be anything


class _Models(msgspec.Struct):
    data: list[_Model]


_chunk = msgspec.json.Decoder(_Chunk)
_vectors = msgspec.json.Decoder(_Vectors)
_models = msgspec.json.Decoder(_Models)


class OpenAiDialect:
    """``/chat/completions`` as server-sent events, ``/embeddings``, ``/models``."""

    def chat(self, endpoint: Endpoint, model: str, prompt: Prompt, temperature: float) -> Call:
        """The request for a streamed answer."""
        content: dict[str, object] = {"model": model, "messages": told(prompt), "stream": True}
        if not model.startswith(OWN_TEMPERATURE):
            content["temperature"] = temperature
        return request(endpoint, "/chat/completions", content)

    def piece(self, line: bytes) -> tuple[str, bool]:
        """The text in a line of the stream, perhaps none, and whether the answer is whole."""
        data = data_in(line)
        if not data:
            return "", False
        if data == b"[DONE]":
            return "", True
        chunk = decoded(_chunk, data)
        if chunk.error:
            reported(chunk.error)
        return _said(chunk.choices[0]) if chunk.choices else ("", False)

    def embed(self, endpoint: Endpoint, model: str, texts: list[str]) -> Call:
        """The request for the vectors of some texts."""
        content = {"model": model, "input": [sound(text) for text in texts]}
        return request(endpoint, "/embeddings", content)

    def vectors(self, body: bytes) -> list[list[float]]:
        """The vectors in a reply, put in the order of the texts."""
        vectors = sorted(decoded(_vectors, body).data, key=lambda vector: vector.index)
        return [vector.embedding for vector in vectors]

    def listing(self, endpoint: Endpoint) -> Call:
        """The request for the list of models."""
        return request(endpoint, "/models")

    def listed(self, body: bytes) -> tuple[Listed, ...]:
        """The models in a reply, in its order."""
        models = decoded(_models, body).data
        return tuple(Listed(m.id, int(m.created or 0), _title(m.name)) for m in models)


def _title(name: object) -> str:
    return name if isinstance(name, str) else ""


def _said(choice: _Choice) -> tuple[str, bool]:
    if choice.finish_reason == "error":
        raise Unreadable("it broke off its answer")
    text = choice.delta.content if choice.delta else None
    if isinstance(text, list):
        text = "".join(part.text or "" for part in text)
    return text or "", bool(choice.finish_reason)
