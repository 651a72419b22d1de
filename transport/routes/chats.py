import msgspec

from protocol.access import Reach
from protocol.base import Value
from protocol.errors import ChatNotFound, ServerDraining, StorageUnavailable
from protocol.ids import ChatId, MessageId
from protocol.values import ChatFile, Role
from storage.store import StoredChat, StoredMessage
from transport.http import Request, Response, Route
from transport.services import Services


class ChatLine(Value, frozen=True, rename="camel"):
    """A chat in a list; ``createdAt`` is ISO 8601."""

    id: ChatId
    title: str
    created_at: str
    focus_mode: str


class ChatHead(ChatLine, frozen=True, rename="camel"):
    """A chat with the files that it was asked with."""

    # The web UI waits for ever where files is no array.
    files: tuple[ChatFile, ...]


class ShownMessage(Value, frozen=True, rename="camel"):
    """A question or an answer; ``metadata`` is a string of JSON, which the web UI parses."""

    id: int
    content: str
    chat_id: ChatId
    message_id: MessageId
    role: Role
    metadata: str


class ChatList(Value, frozen=True):
    """The chats that are listed for who asks."""

    chats: list[ChatLine]


class WholeChat(Value, frozen=True):
    """A chat with its messages."""

    chat: ChatHead
    messages: list[ShownMessage]


class Deleted(Value, frozen=True):
    """That the chat is gone."""

    message: str = "Chat deleted successfully"


async def list_chats(request: Request, services: Services) -> Response:
    """The chats of who asks, newest first; an administrator may name another ``owner``."""
    person, owner = request.person, request.query.get("owner")
    reach = person.own if owner is None or not person.is_admin else Reach(owner)
    return Response.of(ChatList([_line(chat) for chat in await services.store.chats(reach)]))


async def show_chat(request: Request, services: Services) -> Response:
    """One chat with its messages, oldest first; 404 for an unknown id."""
    chat_id = ChatId(request.params["chat_id"])
    chat = await services.store.chat(chat_id, request.person.reach)
    messages = await services.store.messages(chat_id, request.person.reach)
    head = ChatHead(chat.id, chat.title, chat.created_at, chat.focus_mode, chat.files)
    return Response.of(WholeChat(head, [_shown(message) for message in messages]))


async def delete_chat(request: Request, services: Services) -> Response:
    """Remove a chat; 404 for an unknown id. The web UI takes nothing but 200 for done."""
    await services.delete_chat(ChatId(request.params["chat_id"]), request.person.reach)
    return Response.of(Deleted())


def _line(chat: StoredChat) -> ChatLine:
    return ChatLine(chat.id, chat.title, chat.created_at, chat.focus_mode)


def _shown(message: StoredMessage) -> ShownMessage:
    return ShownMessage(
        message.id,
        message.content,
        message.chat_id,
        message.message_id,
        message.role,
        msgspec.json.encode(message.metadata).decode(),
    )


ROUTES = (
    Route(
        "GET",
        "/api/chats",
        list_chats,
        query=("owner",),
        shows=ChatList,
        errors=(StorageUnavailable,),
    ),
    Route(
        "GET",
        "/api/chats/{chat_id}",
        show_chat,
        shows=WholeChat,
        errors=(ChatNotFound, StorageUnavailable),
    ),
    Route(
        "DELETE",
        "/api/chats/{chat_id}",
        delete_chat,
        shows=Deleted,
        errors=(ChatNotFound, StorageUnavailable, ServerDraining),
    ),
)
