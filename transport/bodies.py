"""The bodies of requests that ask for something, and what is wrong with them."""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.commands import Said, earlier
from protocol.errors import InvalidModelSelected, RequestError, TooLarge
from protocol.ids import ChatId, MessageId
from protocol.values import ModelChoice, Models, OptimizationMode, Question, Utterance
from providers.catalogue import CUSTOM

History = Sequence[tuple[str, str] | Said]


class MissingField(RequestError):
    """A field without which nothing can be asked is missing or empty."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Missing {what}")


class UnknownFocusMode(RequestError):
    """There is no focus mode of that name; the sentence is the reference's."""

    key = "INVALID_FOCUS_MODE"

    def __init__(self) -> None:
        super().__init__("Invalid focus mode")


class UnknownModel(RequestError):
    """The chosen provider or model is not on offer; the sentence is the reference's."""

    key = "INVALID_MODEL_SELECTED"

    def __init__(self) -> None:
        super().__init__("Invalid model selected")


class ModelBody(msgspec.Struct, rename="camel"):
    """A model, and where a service of the client's own listens; the web UI sends nulls."""

    provider: str | None = None
    model: str | None = None
    base_url: str | None = msgspec.field(default=None, name="customOpenAIBaseURL")
    api_key: str | None = msgspec.field(default=None, name="customOpenAIKey")


class SearchBody(msgspec.Struct, rename="camel"):
    """What ``POST /api/search`` takes."""

    focus_mode: str | None = None
    query: str | None = None
    optimization_mode: OptimizationMode | None = None
    history: list[tuple[str, str] | Said] | None = None
    chat_model: ModelBody | None = None
    embedding_model: ModelBody | None = None
    stream: bool = False


class TalkBody(msgspec.Struct, rename="camel"):
    """What the routes beside an answer take: the conversation, the question, the model."""

    query: str | None = None
    chat_history: list[tuple[str, str] | Said] | None = None
    chat_model: ModelBody | None = None


def _needing(*fields: str) -> Meta:
    """Tell readers of the document what must be there.

    The types above let it be missing: the sentence for that is the reference's.
    """
    text = {"type": "string", "minLength": 1}
    return Meta(
        extra_json_schema={"required": list(fields), "properties": dict.fromkeys(fields, text)}
    )


AskedSearch = Annotated[SearchBody, _needing("focusMode", "query")]
AskedMedia = Annotated[TalkBody, _needing("query")]


def question_of(body: SearchBody, *, modes: Sequence[str], most: int) -> Question:
    """The question, without ids; raises a RequestError for one that cannot be asked."""
    text = text_of(body.query, "focus mode or query", most)
    if not body.focus_mode:
        raise MissingField("focus mode or query")
    if body.focus_mode not in modes:
        raise UnknownFocusMode
    return Question(
        ChatId(""),
        MessageId(""),
        text,
        body.focus_mode,
        body.optimization_mode or "balanced",
        earlier(body.history or (), text),
    )


def text_of(query: str | None, what: str, most: int) -> str:
    """The query; raises MissingField for an empty one and TooLarge over ``most`` characters."""
    if query is None or not query.strip():
        raise MissingField(what)
    if len(query) > most:
        raise TooLarge("The query", limit=most, unit="characters")
    return query


def conversation_of(history: History | None, question: str = "") -> tuple[Utterance, ...]:
    """What was said, oldest first, without the question where it ends with it."""
    return earlier(history or (), question)


def models_of(
    chat: ModelBody | None, embedding: ModelBody | None, resolve: Callable[[Models], Models]
) -> Models:
    """The models that a body names, gaps filled by ``resolve``.

    Raises:
        MissingField: A service of the client's own, without its address or key.
        UnknownModel: A provider or model is not on offer.

    """
    asked = Models(_choice(chat), _choice(embedding))
    try:
        resolved = resolve(asked)
    except InvalidModelSelected as error:
        _check_endpoint(asked.chat)
        raise UnknownModel from error
    _check_endpoint(resolved.chat)
    return resolved


def _choice(body: ModelBody | None) -> ModelChoice:
    if body is None:
        return ModelChoice()
    fields = (body.provider, body.model, body.base_url, body.api_key)
    return ModelChoice(*(field or "" for field in fields))


def _check_endpoint(chat: ModelChoice) -> None:
    if chat.provider == CUSTOM and not (chat.base_url and chat.api_key):
        raise MissingField("custom OpenAI base URL or key")
