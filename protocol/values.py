"""The things that turns are about: questions, nodes, chosen models."""

from typing import Literal, get_args

from protocol.access import KEEPER, Person
from protocol.base import Value
from protocol.ids import ChatId, MessageId, SessionId, TurnId

OptimizationMode = Literal["speed", "balanced", "quality"]
OPTIMIZATION_MODES: tuple[OptimizationMode, ...] = get_args(OptimizationMode)

Role = Literal["user", "assistant"]


class Utterance(Value, frozen=True):
    """One thing said earlier in the conversation."""

    role: Role
    text: str


class ModelChoice(Value, frozen=True):
    """Which model a client asked for; empty names mean the first on offer.

    ``base_url`` and ``api_key`` are a client's own service (custom_openai).
    """

    provider: str = ""
    model: str = ""
    base_url: str = ""
    api_key: str = ""

    def __repr__(self) -> str:
        """Name provider and model only: what is logged never shows a key or a query string."""
        return f"ModelChoice({self.provider!r}, {self.model!r})"


class Models(Value, frozen=True):
    """The chat and the embedding model of a session."""

    chat: ModelChoice = ModelChoice()
    embedding: ModelChoice = ModelChoice()


class Question(Value, frozen=True):
    """What a user asked, and how it is to be answered.

    ``message_id`` names the user's message. ``history`` is what was said before it,
    oldest first, without the question itself.
    """

    chat_id: ChatId
    message_id: MessageId
    text: str
    focus_mode: str
    optimization_mode: OptimizationMode
    history: tuple[Utterance, ...] = ()
    files: tuple[str, ...] = ()


class TurnInfo(Value, frozen=True):
    """Who a turn is: its own id, its session, its question, the id of its answer, who asked."""

    turn_id: TurnId
    session_id: SessionId
    answer_id: MessageId
    question: Question
    models: Models = Models()
    person: Person = KEEPER


class Node(Value, frozen=True):
    """A scored piece of a source, as found by a retriever.

    ``url`` and ``title`` are always text (the web UI crashes without them); ``score`` is
    ``None`` until something has ranked the node.
    """

    text: str
    title: str
    url: str
    score: float | None = None
    img_src: str | None = None


class ChatFile(Value, frozen=True, rename="camel"):
    """A file that questions of a chat were asked with."""

    name: str
    file_id: str


class UploadPassage(Value, frozen=True):
    """A piece of an uploaded file; ``vector`` has 32-bit floats, or nothing."""

    title: str
    text: str
    vector: bytes = b""


class Upload(Value, frozen=True):
    """A file that a user has given, as its passages; ``embedding`` made their vectors, if any."""

    id: str
    name: str
    size_bytes: int
    passages: tuple[UploadPassage, ...]
    embedding: ModelChoice = ModelChoice()

    @property
    def extension(self) -> str:
        """What stands behind the last dot of its name, in small letters."""
        return self.name.rpartition(".")[2].lower()


class PromptMessage(Value, frozen=True):
    """One message of what a chat model is asked."""

    role: Literal["system", "user", "assistant"]
    text: str


Prompt = tuple[PromptMessage, ...]
