"""The dialect of Ollama: lines of JSON."""

import msgspec

from protocol.values import Prompt
from providers.calls import Call, Listed, Unreadable, decoded, request, sound, told
from providers.endpoint import Endpoint


class _Message(msgspec.Struct):
    content: str | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    error: str | None = None


class _Vectors(msgspec.Struct):
    embeddings: list[list[float]]


class _Model(msgspec.Struct):
    name: str


class _Models(msgspec.Struct):
    models: list[_Model] | None = None


_line = msgspec.json.Decoder(_Line)
_vectors = msgspec.json.Decoder(_Vectors)
_models = msgspec.json.Decoder(_Models)


class OllamaDialect:
    """``/api/chat`` as lines of JSON, ``/api/embed``, ``/api/tags``."""

    def chat(self, endpoint: Endpoint, model: str, prompt: Prompt, temperature: float) -> Call:
        """The request for a streamed answer."""
        options = {"temperature": temperature}
        content = {"model": model, "messages": told(prompt), "stream": True, "options": options}
        return request(endpoint, "/api/chat", content)

    def piece(self, line: bytes) -> tuple[str, bool]:
        """The text in a line of the stream, perhaps none, and whether the answer is whole."""
        if not line.strip():
            return "", False
        said = decoded(_line, line)
        if said.error is not None:
            raise Unreadable("it reported an error")
        text = said.message.content if said.message else None
        return text or "", said.done

    def embed(self, endpoint: Endpoint, model: str, texts: list[str]) -> Call:
        """The request for the vectors of some texts."""
        content = {"model": model, "input": [sound(text) for text in texts]}
        return request(endpoint, "/api/embed", content)

    def vectors(self, body: bytes) -> list[list[float]]:
        """The vectors in a reply, in the order of the texts."""
        return decoded(_vectors, body).embeddings

    def listing(self, endpoint: Endpoint) -> Call:
        """The request for the list of models."""
        return request(endpoint, "/api/tags")

    def listed(self, body: bytes) -> tuple[Listed, ...]:
        """The models in a reply, in its order."""
        return tuple(Listed(model.name) for model in decoded(_models, body).models or [])
