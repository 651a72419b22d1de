"""The dialect of Gemini."""

from typing import Any
from urllib.parse import quote

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
    sound,
)
from providers.endpoint import Endpoint
from providers.server_events import data_in

ROLES = {"user": "user", "assistant": "model"}
MODELS = "/v1beta/models"
VALUES = 768  # of a vector: a quarter of what the models give unasked, and nearly as good
WHOLE = {"STOP", "MAX_TOKENS"}
DECLINED = "it declined to answer this"
DECLINING = {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


class _Vector(msgspec.Struct):
    values: list[float]


class _Vectors(msgspec.Struct):
    embeddings: list[_Vector]


class _Model(msgspec.Struct, rename="camel"):
    name: str
    display_name: str | None = None
    supported_generation_methods: list[str] | None = None


class _Models(msgspec.Struct):
    models: list[_Model] | None = None


_chunk = msgspec.json.Decoder(_Chunk)
_vectors = msgspec.json.Decoder(_Vectors)
_models = msgspec.json.Decoder(_Models)


class GeminiDialect:
    """``:streamGenerateContent`` as server-sent events, ``:batchEmbedContents``, ``/models``."""

    def chat(self, endpoint: Endpoint, model: str, prompt: Prompt, temperature: float) -> Call:
        """The request for a streamed answer."""
        system, turns = instructed(prompt)
        content: dict[str, object] = {
            "contents": [{"role": ROLES[role], **_parts(text)} for role, text in turns],
            "generationConfig": {"temperature": temperature},
        }
        if system:
            content["systemInstruction"] = _parts(system)
        path = f"{_path(model)}:streamGenerateContent"
        return _request(endpoint, path, content, query="alt=sse")

    def piece(self, line: bytes) -> tuple[str, bool]:
        """The text in a line of the stream, perhaps none, and whether the answer is whole."""
        data = data_in(line)
        if not data:
            return "", False
        chunk = decoded(_chunk, data)
        if chunk.error:
            reported(chunk.error)
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise Unreadable(DECLINED)
        return _said(chunk.candidates[0]) if chunk.candidates else ("", False)

    def embed(self, endpoint: Endpoint, model: str, texts: list[str]) -> Call:
        """The request for the vectors of some texts."""
        about = {"model": f"models/{model}", "outputDimensionality": VALUES}
        content = {"requests": [{**about, "content": _parts(sound(text))} for text in texts]}
        return _request(endpoint, f"{_path(model)}:batchEmbedContents", content)

    def vectors(self, body: bytes) -> list[list[float]]:
        """The vectors in a reply, in the order of the texts."""
        return [vector.values for vector in decoded(_vectors, body).embeddings]

    def listing(self, endpoint: Endpoint) -> Call:
        """The request for the list of models, all of them at once."""
        return _request(endpoint, MODELS, query="pageSize=1000")

    def listed(self, body: bytes) -> tuple[Listed, ...]:
        """The models in a reply, in its order."""
        return tuple(
            Listed(
                model.name.removeprefix("models/"),
                title=model.display_name or "",
                uses=tuple(model.supported_generation_methods or ()),
            )
            for model in decoded(_models, body).models or ()
        )


def _request(endpoint: Endpoint, path: str, content: Any = None, query: str = "") -> Call:
    return request(endpoint, path, content, query=query, key_header="x-goog-api-key", key_prefix="")


def _path(model: str) -> str:
    """The path of a model; a client may have made its name up, so that no part of it counts."""
    return f"{MODELS}/{quote(sound(model), safe='')}"


def _parts(text: str) -> dict[str, list[dict[str, str]]]:
    return {"parts": [{"text": text}]}


def _said(candidate: _Candidate) -> tuple[str, bool]:
    """The text of a candidate, without what the model thinks aloud, and whether it is the last."""
    reason = candidate.finish_reason
    if reason and reason not in WHOLE:
        raise Unreadable(DECLINED if reason in DECLINING else "it broke off its answer")
    parts = (candidate.content.parts if candidate.content else None) or ()
    return "".join(part.text or "" for part in parts if not part.thought), bool(reason)
