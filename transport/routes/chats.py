from typing import Any

import msgspec

from protocol.access import Reach
from protocol.ids import ChatId
from storage.store import StoredChat, StoredMessage
from transport.http import Request, Response, Route
from transport.services import Services


async def list_chats(request: Request, services: Services) -> Response:
    """The chats of who asks, newest first; an administrator may name another ``owner``."""
    person, owner = request.person, request.query.get("owner")
    reach = person.own if owner is None or not person.is_admin else Reach(owner)
    return Response.of({"chats": [_shown(chat) for chat in await services.store.chats(reach)]})


async def show_chat(request: Request, services: Services) -> Response:
    """One chat with its messages, oldest first; 404 for an unknown id."""
    chat_id = ChatId(request.params["chat_id"])
    chat = await services.store.chat(chat_id, request.person.reach)
    messages = await services.store.messages(chat_id, request.person.reach)
    # The web UI waits for ever where files is no array.
    shown = _shown(chat) | {"files": chat.files}
    return Response.of(
        {"chat": shown, "messages": [_shown_message(message) for message in messages]}
    )


async def delete_chat(request: Request, services: Services) -> Response:
    """Remove a chat; 404 for an unknown id. The web UI takes nothing but 200 for done."""
    await services.delete_chat(ChatId(request.params["chat_id"]), request.person.reach)
    return Response.of({"message": "Chat deleted successfully"})


def _shown(chat: StoredChat) -> dict[str, Any]:
    return {
        "id": chat.id,
        "title": chat.title,
        "createdAt": chat.created_at,
        "focusMode": chat.focus_mode,
    }


def _shown_message(message: StoredMessage) -> dict[str, Any]:
    return {
        "id": message.id,
        "content": message.content,
        "chatId": message.chat_id,
        "messageId": message.message_id,
        "role": message.role,
        # A string that holds JSON, which the web UI parses.
        "metadata": msgspec.json.encode(message.metadata).decode(),
    }


ROUTES = (
    Route("GET", "/api/chats", list_chats),
    Route("GET", "/api/chats/{chat_id}", show_chat),
    Route("DELETE", "/api/chats/{chat_id}", delete_chat),
)
