"""What routes can use; the composition root fills it in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from access.gate import Gate
from access.quotas import Quotas
from actors.intake import Received
from actors.unkept import Following
from protocol.access import Person, Reach
from protocol.base import Request, Value
from protocol.ids import ChatId, MessageId, TurnId
from protocol.settings import Limits
from protocol.values import ModelChoice, Models, Question, Upload
from storage.bound_keys import HeldSetting
from storage.store import StoredChat, StoredMessage, Trace
from transport.form import FormLimits
from upstreams.breaker import UpstreamHealth

R = TypeVar("R")


class ModelLists(Protocol):
    """What models are on offer: provider, model, the name to show, in the order to show them."""

    @property
    def chat(self) -> Mapping[str, Mapping[str, str]]:
        """The chat models."""

    @property
    def embedding(self) -> Mapping[str, Mapping[str, str]]:
        """The embedding models."""


class ChatReader(Protocol):
    """The part of the store that routes may use: it only reads."""

    async def chats(self, reach: Reach) -> list[StoredChat]:
        """All chats, newest first."""

    async def chat(self, chat_id: ChatId, reach: Reach) -> StoredChat:
        """One chat; raises ChatNotFound."""

    async def messages(self, chat_id: ChatId, reach: Reach) -> list[StoredMessage]:
        """The messages of a chat, oldest first."""

    async def trace(self, name: MessageId | TurnId, reach: Reach) -> Trace | None:
        """What a turn has been through, by its id or its answer's; ``None`` where none is."""


class SettingsInForce(Protocol):
    """The settings that can change while the program runs."""

    def held(self, key: str) -> HeldSetting:
        """The setting of that key as it is in force."""

    async def change(self, wanted: Mapping[str, str]) -> list[str]:
        """Keep these texts, by their keys, and bring them into force; what is removed with them.

        Raises SettingsNotSaved and SettingRefused.
        """


class Draft(Received, Protocol):
    """A file that is being received."""

    async def write(self, data: bytes) -> None:
        """Take in the next piece; raises StorageUnavailable."""

    async def finish(self) -> None:
        """Nothing more comes; raises StorageUnavailable."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class UploadDesk:
    """How files are taken in.

    Attributes:
        limits: How many there may be, and how large.
        draft: Begins to receive a file of that name; whoever has it closes it.
        take_in: Reads and keeps finished drafts for their owner, all or none; raises a
            ServiceError.

    """

    limits: FormLimits
    draft: Callable[[str], Draft]
    take_in: Callable[[Sequence[Draft], ModelChoice, str], Awaitable[Sequence[Upload]]]


HealthStatus = Literal["ok", "degraded", "draining"]


class Health(Value, frozen=True):
    """How the program is.

    Attributes:
        status: ``ok``, ``degraded`` where something that it needs does not work, or ``draining``.
        upstreams: The search backends, each with the state of its breaker.
        unwell: The model services that are known not to work, with the reason.
        store: Empty where the store can be read and its folder written to, else why not.
        backlog: What is under way: sessions, turns that run and that wait, actors, tasks.
        counts: What was done about slow and failing services, by deed and name.
        clock: Empty where ours is right, or nobody tells; else how far it is off.

    """

    status: HealthStatus
    upstreams: tuple[UpstreamHealth, ...]
    unwell: Mapping[str, str]
    store: str
    backlog: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    clock: str = ""


class Extras(Protocol):
    """Finds what stands beside an answer."""

    def __call__(self, request: Request[R], /) -> Awaitable[R]:
        """The reply to ``FindMedia``, ``Suggest`` or ``Discover``; raises a ServiceError."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a route asks something.

    Attributes:
        answer: Begins to answer a question that is not kept; whoever has it closes it.
        extras: Finds what stands beside an answer.
        resolve: Fills the gaps of a choice of models; raises InvalidModelSelected.
        modes: The names of the focus modes.
        limits: How long a question may be, and what of its history is kept.

    """

    answer: Callable[[Question, Models, Person], Following]
    extras: Extras
    resolve: Callable[[Models], Models]
    modes: tuple[str, ...]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Services:
    """What routes can use.

    Attributes:
        store: Reads what is kept.
        models: Lists the models on offer.
        unwell: The providers that are known not to work, with the reason.
        settings: Shows and changes settings.
        uploads: Takes files in.
        delete_chat: Removes a chat with all that belongs to it; raises ChatNotFound.
        ready: Returns when questions can be answered; raises a ServiceError that says why not.
        asking: Asks the actors.
        health: How the program and what it needs are.
        gate: Knows who asks.
        quotas: Counts what each asker does.
        metrics: Tells what is counted, as Prometheus reads it; ``None`` where nothing is.
        metrics_token: A secret that opens them; empty for none.

    """

    store: ChatReader
    models: Callable[[], Awaitable[ModelLists]]
    unwell: Callable[[], Mapping[str, str]]
    settings: SettingsInForce
    uploads: UploadDesk
    delete_chat: Callable[[ChatId, Reach], Awaitable[None]]
    ready: Callable[[], Awaitable[None]]
    asking: Asking
    health: Callable[[], Awaitable[Health]]
    gate: Gate
    quotas: Quotas
    metrics: Callable[[], bytes] | None = None
    metrics_token: str = field(default="", repr=False)
