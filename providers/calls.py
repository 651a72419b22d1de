"""What is asked of a service and how it reads, apart from any input or output."""

from typing import Any, NoReturn, Protocol, TypeVar

import msgspec

from protocol.base import Value
from protocol.errors import ModelUnavailable
from protocol.values import Prompt
from providers.endpoint import Endpoint

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


class Call(Value, frozen=True):
    """One HTTP request; a GET when there is no body."""

    service: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        """Name the service only: the rest has the key and the question in it."""
        return f"Call({self.service!r})"


class Listed(Value, frozen=True):
    """A model as its service lists it; ``created`` is a time in seconds, 0 when not told."""

    name: str
    created: int = 0


class Dialect(Protocol):
    """How one kind of service is asked, and how its replies read.

    The readers raise ``Unreadable`` (or what ``decoded`` raises) for anything unexpected.
    """

    def chat(self, endpoint: Endpoint, model: str, prompt: Prompt, temperature: float) -> Call:
        """The request for a streamed answer."""

    def piece(self, line: bytes) -> tuple[str, bool]:
        """The text in a line of the stream, perhaps none, and whether the answer is whole."""

    def embed(self, endpoint: Endpoint, model: str, texts: list[str]) -> Call:
        """The request for the vectors of some texts."""

    def vectors(self, body: bytes) -> list[list[float]]:
        """The vectors in a reply, in the order of the texts."""

    def listing(self, endpoint: Endpoint) -> Call:
        """The request for the list of models."""

    def listed(self, body: bytes) -> tuple[Listed, ...]:
        """The models in a reply, in its order."""


class Unreadable(Exception):
    """A reply is not what the dialect promises; its text is a problem in our own words."""

    def __init__(self, problem: str = "it sent something unreadable") -> None:
        super().__init__(problem)


def request(endpoint: Endpoint, path: str, content: Any = None) -> Call:
    """The call of a path, with ``content`` as its JSON body unless that is ``None``."""
    body = None if content is None else _encoder.encode(content)
    return Call(endpoint.provider, endpoint.url(path), endpoint.headers(), body)


def decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """The value in a reply; raises Unreadable."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable from error


def sound(text: str) -> str:
    """The text without halves of surrogate pairs, which no encoder takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def told(prompt: Prompt) -> list[dict[str, str]]:
    """The messages of a prompt as both dialects want them."""
    return [{"role": message.role, "content": sound(message.text)} for message in prompt]


def reported(error: object) -> NoReturn:
    """Raise for an error that came as part of a reply."""
    code = error.get("code") if isinstance(error, dict) else None
    raise Unreadable(problem_of_code(code) or "it reported an error")


# What services name in the ``code`` of an error, in words for the reader.
CODES = {
    "invalid_api_key": "it refused the key",
    "model_not_found": "it does not know this model",
    "insufficient_quota": "its quota is used up",
    "rate_limit_exceeded": "it takes no more requests at the moment",
    "context_length_exceeded": "the question with its sources is too long for this model",
}

STATUSES = {
    400: "it refused the request as malformed or too long",
    401: "it refused the key",
    402: "its quota is used up",
    403: "it refused the key",
    404: "it does not know this model, or its address is wrong",
    413: "the question with its sources is too long for it",
    429: "it takes no more requests at the moment",
}


class _Refusal(msgspec.Struct):
    error: Any = None


_refusal_decoder = msgspec.json.Decoder(_Refusal)


def problem_of_code(code: object) -> str | None:
    """The words for an error code; ``None`` for one that is not known."""
    return CODES.get(code) if isinstance(code, str) else None


def refused(call: Call, status: int, body: bytes) -> ModelUnavailable:
    """The error for a reply with that status; a known code in its body says more than that."""
    general = STATUSES.get(status) or f"it answered with status {status}"
    return ModelUnavailable(call.service, problem_of_code(_code_in(body)) or general)


def _code_in(body: bytes) -> object:
    try:
        error = decoded(_refusal_decoder, body).error
    except Unreadable:
        return None
    return error.get("code") if isinstance(error, dict) else None
