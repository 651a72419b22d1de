"""Each route against small fakes, in the exact shapes that clients read."""

from protocol.errors import StorageUnavailable
from protocol.ids import ChatId, MessageId
from protocol.values import ChatFile
from storage.store import StoredChat, StoredMessage
from tests.transport.places import Lists, client, get, services, serving
from tests.transport.shelf import Shelf
from transport.services import Services

CHAT = ChatId("c/1")
AT = "2026-11-22T12:03:50.493Z"


def shelf() -> Shelf:
    chats = [
        StoredChat(CHAT, "Ünï?", AT, "webSearch"),
        StoredChat(ChatId("2"), "B", AT, "x", (ChatFile("n.pdf", "f"),)),
    ]
    sources = [{"pageContent": "t", "metadata": {"title": "T", "url": "u"}}]
    return Shelf(
        chats,
        [
            StoredMessage(1, "Ünï?", CHAT, MessageId("m1"), "user", {"createdAt": AT}),
            StoredMessage(
                2,
                "A [1].",
                CHAT,
                MessageId("m2"),
                "assistant",
                {"createdAt": AT, "sources": sources},
            ),
        ],
    )


async def body(path: str, using: Services, method: str = "GET") -> tuple[int, str]:
    async with serving(using=using) as server, client(server) as one:
        answer = await one.ask(get(path, method=method))
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        return answer.status, answer.body.decode()


async def test_status() -> None:
    """The first route says that the server is there."""
    assert await body("/api", services()) == (200, '{"status":"ok"}')


async def test_models_keep_their_order() -> None:
    """Providers and models come as they are listed: the web UI takes the first."""
    lists = Lists({"z": {"m2": "Two", "m1": "One"}, "custom_openai": {}}, {"a": {"e": "E"}})
    assert await body("/api/models", services(lists=lists)) == (
        200,
        (
            '{"chatModelProviders":{"z":{"m2":{"displayName":"Two"},"m1":{"displayName":"One"}},'
            '"custom_openai":{}},"embeddingModelProviders":{"a":{"e":{"displayName":"E"}}}}'
        ),
    )


async def test_chats_are_listed_in_the_order_of_the_store() -> None:
    """Four fields each, in their order."""
    assert await body("/api/chats", services(shelf())) == (
        200,
        (
            f'{{"chats":[{{"id":"c/1","title":"Ünï?","createdAt":"{AT}","focusMode":"webSearch"}},'
            f'{{"id":"2","title":"B","createdAt":"{AT}","focusMode":"x"}}]}}'
        ),
    )
    assert await body("/api/chats", services()) == (200, '{"chats":[]}')


async def test_a_chat_is_shown_with_its_messages() -> None:
    """Metadata is a string of JSON, files an array."""
    metadata = (
        f'{{\\"createdAt\\":\\"{AT}\\",\\"sources\\":[{{\\"pageContent\\":\\"t\\",'
        '\\"metadata\\":{\\"title\\":\\"T\\",\\"url\\":\\"u\\"}}]}'
    )
    assert await body("/api/chats/c%2F1/", services(shelf())) == (
        200,
        (
            f'{{"chat":{{"id":"c/1","title":"Ünï?","createdAt":"{AT}","focusMode":"webSearch",'
            '"files":[]},"messages":['
            '{"id":1,"content":"Ünï?","chatId":"c/1","messageId":"m1","role":"user",'
            f'"metadata":"{{\\"createdAt\\":\\"{AT}\\"}}"}},'
            '{"id":2,"content":"A [1].","chatId":"c/1","messageId":"m2","role":"assistant",'
            f'"metadata":"{metadata}"}}]}}'
        ),
    )


async def test_files_of_a_chat_are_an_array() -> None:
    """Also in a chat without messages."""
    status, text = await body("/api/chats/2", services(shelf()))
    assert (status, text.endswith('"files":[{"name":"n.pdf","fileId":"f"}]},"messages":[]}')) == (
        200,
        True,
    )


async def test_an_unknown_chat_is_not_found() -> None:
    """Shown or deleted, it is the same 404."""
    for method in ("GET", "DELETE"):
        told = await body("/api/chats/none", services(shelf()), method)
        assert told == (404, '{"message":"Chat not found"}')


async def test_a_chat_is_deleted_once() -> None:
    """200 exactly, as the web UI wants it; then it is gone."""
    using = services(shelf())
    told = await body("/api/chats/c%2F1", using, "DELETE")
    assert told == (200, '{"message":"Chat deleted successfully"}')
    assert (await body("/api/chats/c%2F1", using, "DELETE"))[0] == 404
    assert (await body("/api/chats/2", using))[0] == 200


async def test_health() -> None:
    """Live whatever happens; ready only when nothing is in the way."""
    ill = services(trouble=StorageUnavailable("disk full"))
    assert await body("/health/live", ill) == (200, '{"status":"ok"}')
    assert await body("/health/ready", services()) == (200, '{"status":"ok"}')
    status, text = await body("/health/ready", ill)
    assert (status, "disk full" in text) == (503, True)


async def test_health_tells_how_all_that_is_needed_is() -> None:
    """In the names of clients, without what is as it should be."""
    status, text = await body("/health", services(unwell={"ollama": "no answer"}))
    assert status == 200
    assert text == (
        '{"status":"degraded","upstreams":[{"name":"searxng","state":"open","sinceS":7,'
        '"problem":"no answer in time","refused":3}],"unwell":{"ollama":"no answer"},"store":"",'
        '"backlog":{"sessions":2,"turns":1},"counts":{"retried":{"searxng":2}},"clock":""}'
    )
