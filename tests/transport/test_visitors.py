"""A server is asked under its own names, and by pages that are its own or listed."""

import pytest

from protocol.access_settings import Access
from protocol.settings import General, Settings
from tests.transport.places import client, get, post, serving
from transport.visitors import Visitors

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
STRANGERS = [
    *("http://evil.example", "https://evil.example", "http://evil.example:3000", "null", "file://"),
    *("http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://evil.example#h"),
    *("http://h.evil.example", "http://evilh", "http://h@evil.example", "http://h:3000/", "h"),
    *("http://192.168.1.1", "http://[::ffff:127.0.0.1]", "http://127.0.0.2", "http://2130706433"),
    *("http://0.0.0.0", "http://0x7f000001", "http://127.1", "http://localhost.", "http://H\tx"),
    *("ftp://h", "ws://h", "chrome-extension://abc", "moz-extension://a", "http://", "http://h, x"),
    *("javascript:alert(1)", "data:text/html,x", "about:blank"),
]  # fmt: skip


def names(host: str = "127.0.0.1", *listed: str) -> Visitors:
    """Who may visit a server that listens there."""
    return Visitors.of(Settings(general=General(host=host), access=Access(hosts=listed)))


@pytest.mark.parametrize("origin", STRANGERS)
async def test_a_strangers_page_opens_no_socket(origin: str) -> None:
    """Refused before the handshake; browsers name the page, and pages cannot lie about it."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/", *UPGRADE, f"Origin: {origin}"))
        assert answer.status in {400, 403}
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://h:3000", "https://H"])
async def test_the_web_ui_opens_one(origin: str) -> None:
    """It is of the same host, or listed."""
    async with serving() as server, client(server) as one:
        assert (await one.ask(get("/", *UPGRADE, f"Origin: {origin}"))).status == 101


async def test_what_is_no_page_opens_one() -> None:
    """Programs send no origin."""
    async with serving() as server, client(server) as one:
        assert (await one.ask(get("/", *UPGRADE))).status == 101


async def test_a_strangers_page_changes_nothing() -> None:
    """A form may be sent anywhere without asking; here it is refused before any route."""
    async with serving() as server, client(server) as one:
        foreign = "Origin: http://evil.example"
        refused = await one.ask(post("/api/uploads", b"x", foreign))
        assert refused.status == 403
        assert refused.headers["connection"] == "close"


async def test_what_a_stranger_reads_no_browser_hands_on() -> None:
    """A harmless question is answered, without the word that lets the page see it."""
    async with serving() as server, client(server) as one:
        answer = await one.ask(get("/api", "Origin: http://evil.example"))
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["localhost:3001", "LOCALHOST", "127.0.0.1:3001", "127.0.0.2", "[::1]:3001", "box:3001", ""],
)
def test_a_server_for_this_machine_has_the_names_of_loopback_and_those_listed(host: str) -> None:
    """With any port."""
    assert names("127.0.0.1", "Box")._hosts.include(host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:3001", "localhost.evil.example", "127.0.0.1.nip.io"),
        *("192.168.1.5:3001", "0.0.0.0", "box", "box.lan", "[fd00::1]", "localhost.", "1.1.1.1"),
    ],
)
def test_and_no_others(host: str) -> None:
    """A name that leads here may be a stranger's."""
    assert not names()._hosts.include(host)


@pytest.mark.parametrize(
    "host", ["192.168.1.5:3001", "box:3001", "box.local", "box.lan", "[fd00::1]:3001", "localhost"]
)
def test_a_server_for_others_has_every_name_that_no_stranger_can_own(host: str) -> None:
    """Addresses, names without a dot, and those that are for private use."""
    assert names("0.0.0.0")._hosts.include(host)


@pytest.mark.parametrize("host", ["evil.example", "box.local.evil.example", "a.b", "1.2.3.4.5"])
def test_public_names_must_be_listed(host: str) -> None:
    """They can be made to lead anywhere."""
    assert not names("0.0.0.0")._hosts.include(host)
    assert names("0.0.0.0", host)._hosts.include(host)


async def test_a_wrong_name_is_refused_with_what_to_do() -> None:
    """The sentence names the setting."""
    async with serving() as server, client(server) as one:
        request = get("/api").replace(b"Host: h", b"Host: evil.example")
        answer = await one.ask(request)
        assert answer.status == 421
        assert b"PERPLEXICA_ACCESS_HOSTS" in answer.body


async def test_every_answer_tells_browsers_to_be_careful() -> None:
    """No frame, no script, no guess at its type, no referrer."""
    async with serving() as server, client(server) as one:
        for path in ("/api", "/api/none"):
            headers = (await one.ask(get(path))).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "deny"
            assert headers["referrer-policy"] == "no-referrer"
