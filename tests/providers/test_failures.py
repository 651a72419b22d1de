"""What goes wrong at a model service becomes ModelUnavailable, in our own words."""

import socket
from contextlib import nullcontext

import httpx
import pytest

from protocol.errors import ModelUnavailable
from protocol.values import ModelChoice, PromptMessage
from providers.http import LINE_BYTES
from tests.providers.places import (
    PROMPT,
    custom,
    providers_for,
    serving,
    settings_for,
    told,
    until_failure,
)
from tests.providers.tiny_server import (
    Reply,
    Seen,
    Wire,
    answers,
    event,
    ollama_line,
    routed,
    says,
)
from upstreams.retry import Retry
from upstreams.tally import Tally

SECRET = "sk-very-secret"


def sends(*parts: bytes, status: int = 200, **headers: str) -> Reply:
    """A reply of these chunks, whole as HTTP goes."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head(status, **headers)
        for part in parts:
            await wire.send(part)
        await wire.end()

    return reply


def cuts_after(*parts: bytes) -> Reply:
    """A reply that is reset after these chunks."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        for part in parts:
            await wire.send(part)
        wire.cut()

    return reply


def raw(data: bytes) -> Reply:
    """Bytes in place of an HTTP reply."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.raw(data)
        wire.cut()

    return reply


def coded(status: int, code: str) -> Reply:
    """A refusal with a code in its body, as OpenAI sends it."""
    return answers({"error": {"code": code, "message": f"Bad key {SECRET}"}}, status)


FAILURES: dict[str, tuple[Reply, str]] = {
    "key refused": (answers({}, 401), "it refused the key"),
    "model unknown": (answers({"error": {"message": "x"}}, 404), "does not know this model"),
    "rate limited": (answers({}, 429), "takes no more requests"),
    "server error": (answers("oops", 500), "answered with status 500"),
    "redirect": (answers({}, 307), "answered with status 307"),
    "quota, told by code": (coded(429, "insufficient_quota"), "quota is used up"),
    "too long, told by code": (coded(400, "context_length_exceeded"), "too long for this model"),
    "refusal is garbage": (sends(b"\xff\x00[", status=503), "status 503"),
    "ends without an ending": (sends(event("one")), "it broke off its answer"),
    "empty reply": (sends(), "it broke off its answer"),
    "reset in the middle": (cuts_after(event("one")), "the connection broke off"),
    "reset before the reply": (raw(b""), "the connection broke off"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9\r\n"), "the connection broke off"),
    "web page": (sends(b"<!DOCTYPE html>\n<html>"), "did not answer with a stream"),
    "plain JSON": (sends(b'{"choices":[]}'), "did not answer with a stream"),
    "event is no JSON": (sends(b"data: {nope\n\n"), "unreadable"),
    "event of another shape": (
        sends(b'data: {"choices":[{"delta":{"content":4}}]}\n'),
        "unreadable",
    ),
    "text is no UTF-8": (sends(event("one").replace(b"one", b"\xff")), "unreadable"),
    "half a surrogate pair": (sends(event("\ud83d")), "unreadable"),
    "nested without end": (sends(b"data: " + b"[" * 100_000 + b"\n"), "unreadable"),
    "error within the stream": (
        sends(event("one"), b'data: {"error":{"message":"x"}}\n'),
        "reported",
    ),
    "finished with an error": (sends(event("one", "error")), "it broke off its answer"),
    "line without end": (sends(b"data: " + b"x" * (LINE_BYTES + 1)), "a line without end"),
    "compressed": (sends(b"\x1f\x8b", content_encoding="gzip"), "a compressed reply"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_every_failure_is_told_in_our_own_words(name: str) -> None:
    """Whatever a service does, its reader has ModelUnavailable, and never the service's text."""
    reply, words = FAILURES[name]
    async with serving(reply) as (server, providers):
        with pytest.raises(ModelUnavailable, match=words) as caught:
            await told(providers, custom(server.url, key=SECRET))
        assert SECRET not in str(caught.value)
        assert str(caught.value).startswith("The model service custom_openai failed: ")


async def test_pieces_before_a_failure_are_passed_on() -> None:
    """What was written before a stream broke off has reached its reader."""
    async with serving(cuts_after(event("one"), event("two"))) as (server, providers):
        assert await until_failure(providers, custom(server.url)) == "onetwo"


OLLAMA_FAILURES: dict[str, tuple[Reply, str]] = {
    "model unknown": (answers({"error": "model 'x' not found"}, 404), "does not know this model"),
    "error within the stream": (
        sends(ollama_line("one"), b'{"error":"out of memory"}\n'),
        "reported",
    ),
    "ends without an ending": (sends(ollama_line("one")), "it broke off"),
    "web page": (sends(b"<html>\n"), "unreadable"),
}


@pytest.mark.parametrize("name", OLLAMA_FAILURES)
async def test_ollama_failures_are_told_in_our_own_words(name: str) -> None:
    """The same holds for Ollama's dialect."""
    reply, words = OLLAMA_FAILURES[name]
    async with serving(routed({"/api/chat": reply}), ollama=True) as (_server, providers):
        with pytest.raises(ModelUnavailable, match=words):
            await told(providers, ModelChoice("ollama", "tiny"))


async def test_service_that_is_not_there() -> None:
    """A port where nobody listens fails at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with providers_for(settings_for()) as providers:
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await told(providers, custom(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nope",
        "ftp://127.0.0.1",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://\x00",
    ],
)
async def test_addresses_that_cannot_be_used(address: str) -> None:
    """A choice that was never checked still fails as a model out of reach."""
    async with providers_for(settings_for()) as providers:
        with pytest.raises(ModelUnavailable):
            await told(providers, custom(address))


@pytest.mark.parametrize("key", ["schlüssel", "a\r\nX-Evil: 1", "\x00"])
async def test_keys_that_cannot_be_sent(key: str) -> None:
    """A key with characters that no header takes fails, and injects no header."""
    async with serving(says("x")) as (server, providers):
        with pytest.raises(ModelUnavailable):
            await told(providers, custom(server.url, key=key))
        assert server.seen == []


async def test_prompt_with_half_a_surrogate_pair_is_sent() -> None:
    """Text that no encoder takes is mended before it is sent."""
    async with serving(says("x")) as (server, providers):
        prompt = (PromptMessage("user", "a\ud83db"),)
        assert await providers.complete(custom(server.url), prompt, temperature=0) == "x"
        assert server.seen[0].json()["messages"][0]["content"] == "a?b"


async def test_complete_gives_up_on_an_endless_answer() -> None:
    """A whole answer has a bound; the call is closed there."""

    async def reply(_request: Seen, wire: Wire) -> None:
        await wire.head()
        while True:
            await wire.send(event("x" * 1000))

    async with serving(reply) as (server, providers):
        with pytest.raises(ModelUnavailable, match="no end"):
            await providers.complete(custom(server.url), PROMPT, temperature=0)
        await server.closed.wait()


async def test_error_is_chained_to_its_cause() -> None:
    """The library's error stays available to the log, behind ours."""
    async with serving(cuts_after(event("one"))) as (server, providers):
        with pytest.raises(ModelUnavailable) as caught:
            await told(providers, custom(server.url))
        assert isinstance(caught.value.__cause__, httpx.HTTPError)


@pytest.mark.parametrize(
    ("first", "told_after"),
    [(answers({}, 429), 2), (answers("oops", 500), 2), (raw(b""), 2), (answers({}, 401), 1)],
)
async def test_failure_that_may_pass_is_asked_for_once_more(first: Reply, told_after: int) -> None:
    """Before the first piece; a refused key stays refused."""
    asked: list[Seen] = []

    async def reply(request: Seen, wire: Wire) -> None:
        asked.append(request)
        await (first if len(asked) == 1 else says("well"))(request, wire)

    retry = Retry(1, Tally(), random=float)
    async with serving(reply, retry=retry) as (server, providers):
        stream = providers.stream(custom(server.url), PROMPT, temperature=0)
        with nullcontext() if told_after > 1 else pytest.raises(ModelUnavailable):
            assert await anext(stream) == "well"
        await stream.aclose()
    assert len(asked) == told_after
    counts = {"custom_openai chat": 1} if told_after > 1 else {}
    assert retry.tally.told()["retried"] == counts


async def test_built_in_writer_has_no_stream() -> None:
    """Cited extracts are not written here."""
    async with providers_for(settings_for()) as providers:
        choice = ModelChoice("built_in", "extractive")
        assert not providers.has_model(choice)
        with pytest.raises(ModelUnavailable, match="no chat model"):
            await told(providers, choice)
