"""What is asked of a service and how it reads, apart from any input or output."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NoReturn, Protocol, TypeVar

import msgspec

from protocol.base import Value
from protocol.errors import ModelUnavailable
from protocol.values import Prompt, PromptMessage
from providers.endpoint import Endpoint
from upstreams.retry import after_status

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
    """A model as its service lists it.

    Attributes:
        name: What it is asked for by.
        created: A time in seconds; 0 when not told.
        title: What people call it; empty when not told.
        uses: What the service says that it can be asked for; empty when not told.

    """

    name: str
    created: int = 0
    title: str = ""
    uses: tuple[str, ...] = ()


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


PLAIN_JSON = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


def request(
    endpoint: Endpoint,
    path: str,
    content: Any = None,
    *,
    query: str = "",
    key_header: str = "Authorization",
    key_prefix: str = "Bearer ",
) -> Call:
    """The call of a path, with ``content`` as its JSON body unless that is ``None``.

    The endpoint's key, if it has one, goes into ``key_header``: never into the address, which
    proxies and services log.
    """
    headers = PLAIN_JSON.copy()
    if endpoint.api_key:
        headers[key_header] = key_prefix + endpoint.api_key
    body = None if content is None else _encoder.encode(content)
    return Call(endpoint.provider, endpoint.url(path, query), headers, body)


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
    """The messages of a prompt as OpenAI and Ollama want them."""
    return [{"role": message.role, "content": sound(message.text)} for message in prompt]


def instructed(prompt: Prompt) -> tuple[str, list[tuple[str, str]]]:
    """The prompt for a service that takes its instructions apart from what was said.

    Returns:
        The text of all system messages, perhaps empty, and role and text of the others in turns:
        such services refuse messages without words, want both sides to alternate, and want at
        least one message, so that instructions alone are said by the user.

    """
    spoken = [message for message in prompt if message.text.strip()]
    system = _joined(message for message in spoken if message.role == "system")
    others = groupby((m for m in spoken if m.role != "system"), key=lambda m: m.role)
    turns = [(str(role), _joined(messages)) for role, messages in others]
    return (system, turns) if turns else ("", [("user", system or "…")])


def _joined(messages: Iterable[PromptMessage]) -> str:
    return "\n\n".join(sound(message.text) for message in messages)


def reported(error: object) -> NoReturn:
    """Raise for an error that came as part of a reply."""
    raise Unreadable(known_problem(error) or "it reported an error")


# What services name in an error, in words for the reader: OpenAI's codes, then those of Anthropic
# and of Gemini.
CODES = {
    "invalid_api_key": "it refused the key",
    "model_not_found": "it does not know this model",
    "insufficient_quota": "its quota is used up",
    "rate_limit_exceeded": "it takes no more requests at the moment",
    "context_length_exceeded": "the question with its sources is too long for this model",
    "authentication_error": "it refused the key",
    "permission_error": "it refused the key",
    "billing_error": "its quota is used up",
    "rate_limit_error": "it takes no more requests at the moment",
    "overloaded_error": "it is overloaded at the moment",
    "request_too_large": "the question with its sources is too long for it",
    "API_KEY_INVALID": "it refused the key",
    "API_KEY_EXPIRED": "it refused the key",
    "RESOURCE_EXHAUSTED": "it takes no more requests at the moment",
    "UNAVAILABLE": "it is overloaded at the moment",
}

DOWN = frozenset({429, *range(500, 600)})  # what says nothing of the request itself
STATUSES = {
    400: "it refused the request as malformed or too long",
    401: "it refused the key",
    402: "its quota is used up",
    403: "it refused the key",
    404: "it does not know this model, or its address is wrong",
    413: "the question with its sources is too long for it",
    429: "it takes no more requests at the moment",
    529: "it is overloaded at the moment",
}


class _Refusal(msgspec.Struct):
    error: Any = None


_refusal_decoder = msgspec.json.Decoder(_Refusal)


def known_problem(error: object) -> str | None:
    """The words for an error as a service tells it; ``None`` for one that is not known."""
    if not isinstance(error, dict):
        return None
    details = error.get("details")
    reasons = details if isinstance(details, list) else []
    codes = (
        *(detail.get("reason") for detail in reasons if isinstance(detail, dict)),
        *(error.get(name) for name in ("code", "type", "status")),
    )
    return next((CODES[code] for code in codes if isinstance(code, str) and code in CODES), None)


def refused(call: Call, status: int, body: bytes, retry_after: str = "") -> ModelUnavailable:
    """The error for a reply with that status; a known code in its body says more than that.

    ``retry_after`` is what the header of that name says.
    """
    general = STATUSES.get(status) or f"it answered with status {status}"
    problem = known_problem(_error_in(body)) or general
    again_after_s = after_status(status, retry_after)
    error = ModelUnavailable(
        call.service, problem, is_down=status in DOWN, again_after_s=again_after_s
    )
    error.code = status
    return error


def _error_in(body: bytes) -> object:
    try:
        return decoded(_refusal_decoder, body).error
    except Unreadable:
        return None
