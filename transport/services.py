"""What routes can use; the composition root fills it in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from protocol.ids import ChatId
from storage.store import StoredChat, StoredMessage


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

    async def chats(self) -> list[StoredChat]:
        """All chats, newest first."""

    async def chat(self, chat_id: ChatId) -> StoredChat:
        """One chat; raises ChatNotFound."""

    async def messages(self, chat_id: ChatId) -> list[StoredMessage]:
        """The messages of a chat, oldest first."""


@dataclass(frozen=True, slots=True)
class Services:
    """What routes can use.

    Attributes:
        store: Reads what is kept.
        models: Lists the models on offer.
        delete_chat: Removes a chat with all that belongs to it; raises ChatNotFound.
        ready: Returns when questions can be answered; raises a ServiceError that says why not.

    """

    store: ChatReader
    models: Callable[[], Awaitable[ModelLists]]
    delete_chat: Callable[[ChatId], Awaitable[None]]
    ready: Callable[[], Awaitable[None]]
