"""Search through SearXNG, whatever shape its replies have."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from protocol.errors import SearchUnavailable, SettingsError
from protocol.values import Node
from retrieval.searxng import MOST_BYTES, SearxngBackend, read_results
from upstreams.retry import Retry
from upstreams.tally import Tally

Handler = Callable[[httpx.Request], httpx.Response]
GOOD = {"title": "T", "url": "https://a.example/x", "content": "C"}


async def search(handler: Handler, *engines: str, base: str = "http://searx.test") -> list[Node]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        backend = SearxngBackend(base, client, timeout_s=1)
        return await backend.search("tall towers", engines=engines, language="en")


@pytest.mark.parametrize(
    ("status", "header", "asked"), [(500, "", 2), (429, "0", 2), (429, "60", 1), (403, "", 1)]
)
async def test_failure_that_may_pass_is_asked_for_once_more(
    status: int, header: str, asked: int
) -> None:
    """Within the time that there is; what it found then counts."""
    replies = [httpx.Response(status, headers={"retry-after": header} if header else {})]
    retry = Retry(1, Tally(), random=float)
    count = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return replies.pop() if replies else httpx.Response(200, json={"results": [GOOD]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        backend = SearxngBackend("http://searx.test", client, timeout_s=1, retry=retry)
        with nullcontext() if asked > 1 else pytest.raises(SearchUnavailable):
            assert len(await backend.search("q", engines=(), language="en")) == 1
    assert count == asked
    assert retry.tally.told()["retried"] == ({"searxng": 1} if asked > 1 else {})


def answering(body: Any, status: int = 200, **headers: str) -> Handler:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda request: httpx.Response(status, content=content, headers=headers)


async def test_asks_as_the_reference_does() -> None:
    """Without engines of the mode only format, q and language are sent."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"results": [GOOD]})

    assert await search(handler) == [Node("C", "T", "https://a.example/x")]
    await search(handler, "arxiv", "google scholar", base="http://searx.test/sub/")
    assert seen[0].method == "GET"
    assert seen[0].url.path == "/search"
    assert dict(seen[0].url.params) == {"format": "json", "q": "tall towers", "language": "en"}
    assert seen[1].url.path == "/sub/search"
    assert seen[1].url.params["engines"] == "arxiv,google scholar"


@pytest.mark.parametrize(
    "odd",
    [
        GOOD | {"url": None},
        {"title": "T", "content": "C"},
        GOOD | {"url": "javascript:alert(1)"},
        GOOD | {"url": "file:///etc/passwd"},
        GOOD | {"url": "http://[bad"},
        GOOD | {"url": "https://"},
        GOOD | {"url": ["https://a.example"]},
        GOOD | {"url": "https://a.example/" + "x" * 3000},
        "text",
        None,
        [GOOD],
    ],
)
async def test_results_without_a_web_address_are_left_out(odd: Any) -> None:
    """What cannot be shown as a source is dropped; the rest stays."""
    assert await search(answering({"results": [odd, GOOD]})) == [
        Node("C", "T", "https://a.example/x")
    ]


@pytest.mark.parametrize("content", [None, 7, "", "  ", {"a": 1}])
async def test_results_of_wrong_content_have_no_text(content: Any) -> None:
    """A result whose content is missing or no text is a node without text."""
    (found,) = await search(answering({"results": [GOOD | {"content": content}]}))
    assert found.text == ""


@pytest.mark.parametrize("title", [None, "", 3])
async def test_a_missing_title_is_the_address(title: Any) -> None:
    """A title is always text: the web UI crashes without."""
    (found,) = await search(answering({"results": [GOOD | {"title": title}]}))
    assert found.title == "https://a.example/x"


async def test_pictures_are_kept_when_they_are_addresses() -> None:
    """img_src stays when it is a web address."""
    good = GOOD | {"img_src": "https://a.example/p.jpg"}
    found = await search(answering({"results": [good, GOOD | {"img_src": 5}]}))
    assert [node.img_src for node in found] == ["https://a.example/p.jpg", None]


async def test_text_comes_on_one_line_and_bounded() -> None:
    """Line breaks and control signs become spaces; endless text is cut."""
    long = GOOD | {"content": "a\n\x00b\t" + "c" * 100_000, "title": "x\ny"}
    (found,) = await search(answering({"results": [long]}))
    assert found.text.startswith("a b ccc")
    assert len(found.text) <= 10_000
    assert found.title == "x y"


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (answering({}, status=403), "JSON"),
        (answering({}, status=429), "fewer"),
        (answering({}, status=500), "500"),
        (answering({}, status=404), "404"),
        (answering(b"<html>"), "not JSON"),
        (answering(b"\xff\xfe"), "not JSON"),
        (answering(b"[" * 100_000), "not JSON"),
        (answering(b""), "not JSON"),
        (answering([GOOD]), "no results"),
        (answering({"answers": []}), "no results"),
        (answering({"results": {"0": GOOD}}), "no results"),
        (answering(b"x" * (MOST_BYTES + 1)), "too large"),
    ],
)
async def test_a_bad_reply_is_search_unavailable(handler: Handler, problem: str) -> None:
    """Each way to fail is told as SearchUnavailable in words of our own."""
    with pytest.raises(SearchUnavailable, match=problem):
        await search(handler)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.ConnectError("refused by 10.0.0.1"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_a_failing_connection_is_search_unavailable(error: Exception) -> None:
    """The library's own words never reach the reader."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(SearchUnavailable) as caught:
        await search(handler)
    assert "10.0.0.1" not in str(caught.value)


async def test_a_compressed_reply_is_refused() -> None:
    """A small body could unfold into any amount of memory, so none is taken."""

    def handler(request: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(b"{}")
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=body)

    with pytest.raises(SearchUnavailable, match="compressed"):
        await search(handler)


def test_no_results_are_no_failure() -> None:
    """An empty list is an answer."""
    assert read_results(b'{"results": []}') == ()
    assert read_results(b'{"results": [], "unresponsive_engines": [["google", "timeout"]]}') == ()


@pytest.mark.parametrize(
    "base",
    ["searx.test", "ftp://x", "http://", "http://[bad", "http://x/?k=1", "http://x/#a"],
)
async def test_an_address_of_no_use_is_refused_at_start(base: str) -> None:
    """A base address must be http or https with a host, and have no query of its own."""
    async with httpx.AsyncClient() as client:
        with pytest.raises(SettingsError):
            SearxngBackend(base, client, timeout_s=1)


async def test_a_refused_address_is_shown_without_its_password() -> None:
    """Secrets are never printed."""
    async with httpx.AsyncClient() as client:
        with pytest.raises(SettingsError) as caught:
            SearxngBackend("ftp://me:secret@x", client, timeout_s=1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("silent", "told"),
    [
        ([["google", "Suspended: CAPTCHA"], ["bing", "timeout", "?"]], {"google", "bing"}),
        ([["lonely"], "text", None, 7], set()),
        ("none", set()),
        (None, set()),
    ],
)
async def test_look_tells_which_engines_are_silent(silent: Any, told: set[str]) -> None:
    """With the reasons, in whatever shape they come; results are only counted."""
    body = {"results": [GOOD, GOOD], "unresponsive_engines": silent}
    served = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    async with httpx.AsyncClient(transport=served) as client:
        found, engines = await SearxngBackend("http://searx.test", client, timeout_s=1).look("x")
    assert found == 2
    assert set(engines) == told
