"""A store of chats in memory, for routes that read it."""

from collections.abc import Iterable

from protocol.access import Reach
from protocol.errors import ChatNotFound
from protocol.ids import ChatId, MessageId, TurnId
from storage.store import StoredChat, StoredMessage, Trace


class Shelf:
    """A store of chats in memory."""

    def __init__(
        self, chats: Iterable[StoredChat] = (), messages: Iterable[StoredMessage] = ()
    ) -> None:
        self.kept = {chat.id: chat for chat in chats}
        self.said = list(messages)

    async def chats(self, reach: Reach) -> list[StoredChat]:
        """All chats."""
        return [chat for chat in self.kept.values() if reach.includes(chat.owner)]

    async def chat(self, chat_id: ChatId, reach: Reach) -> StoredChat:
        """One chat."""
        if chat_id not in self.kept or not reach.includes(self.kept[chat_id].owner):
            raise ChatNotFound
        return self.kept[chat_id]

    async def messages(self, chat_id: ChatId, reach: Reach) -> list[StoredMessage]:
        """Its messages."""
        return [said for said in self.said if said.chat_id == chat_id]

    async def trace(self, name: MessageId | TurnId, reach: Reach) -> Trace | None:
        """None is kept."""
        del name, reach
        return None

    async def delete(self, chat_id: ChatId, reach: Reach) -> None:
        """Remove a chat."""
        await self.chat(chat_id, reach)
        del self.kept[chat_id]
