import pytest

from protocol.errors import ServiceError
from transport.head import Head, read_head, read_query
from transport.refusals import BadRequest, HeadTooLarge


def head(line: str = "GET /a?b=c HTTP/1.1", *fields: str) -> Head:
    return read_head("\r\n".join((line, *(fields or ("Host: h",)), "", "")).encode())


def test_a_head_says_who_asks_for_what() -> None:
    """Method, path, query, version, host and fields are told apart."""
    read = head("GET /a%20b?c=d%20e&c=f HTTP/1.1", "Host: h:1", "X-One: 1 ", "x-one:2", "Empty:")
    assert (read.method, read.path, read.query) == ("GET", "/a%20b", {"c": "f"})
    assert (read.version, read.host, read.length) == ("1.1", "h:1", 0)
    assert read.headers == {"host": "h:1", "x-one": "1, 2", "empty": ""}


@pytest.mark.parametrize(
    ("target", "authority", "path"),
    [
        ("http://other:99/a", "other:99", "/a"),
        ("HTTPS://other", "other", "/"),
        ("http://[::1]:1?x=1", "[::1]:1", "/"),
        ("//other/a", "h", "//other/a"),
    ],
)
def test_an_absolute_target_names_the_host(target: str, authority: str, path: str) -> None:
    """The authority of an absolute target counts, not the Host field beside it."""
    read = head(f"GET {target} HTTP/1.1")
    assert (read.host, read.path) == (authority, path)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [((), True), (("Connection: close",), False), (("Connection: x, Close",), False)],
)
def test_the_connection_field_ends_keep_alive(fields: tuple[str, ...], kept: bool) -> None:
    """HTTP/1.1 stays open unless the client says close, in any letter case."""
    assert head("GET / HTTP/1.1", "Host: h", *fields).keeps_alive is kept


def test_http_1_0_needs_no_host_and_is_not_kept_alive() -> None:
    """An old client may leave out Host, and its connection ends with the answer."""
    read = read_head(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert (read.host, read.keeps_alive) == ("", False)


def test_only_a_websocket_is_an_upgrade() -> None:
    """Other upgrades on offer are ignored, as RFC 9110 allows."""
    assert head("GET / HTTP/1.1", "Host: h", "Upgrade: h2c", "Upgrade: WebSocket").is_upgrade
    assert not head("GET / HTTP/1.1", "Host: h", "Connection: upgrade", "Upgrade: h2c").is_upgrade
    assert not head("GET / HTTP/1.0", "Upgrade: websocket").is_upgrade


def test_a_query_of_too_many_parameters_is_refused() -> None:
    """A hundred parameters are read, one more is not."""
    assert len(read_query("&".join(f"a{n}=1" for n in range(100)))) == 100
    with pytest.raises(BadRequest):
        read_query("&".join("a=1" for _ in range(101)))


def test_the_number_of_fields_and_the_length_of_a_line_are_bounded() -> None:
    """A hundred fields are read, and lines of 8,000 bytes; one more is not."""
    assert len(head("GET / HTTP/1.1", "Host: h", *(f"X{n}: y" for n in range(99))).headers) == 100
    assert len(head("GET / HTTP/1.1", "Host: h", "X: " + "y" * 7_997).headers["x"]) == 7_997
    for fields in (["X: y"] * 100, ["X: " + "y" * 7_998]):
        with pytest.raises(HeadTooLarge):
            head("GET / HTTP/1.1", "Host: h", *fields)


def test_every_single_changed_byte_is_read_or_refused() -> None:
    """No byte anywhere in a head brings out anything but a head or an error of ours."""
    good = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
    read = 0
    for place in range(len(good)):
        for byte in (0, 9, 10, 13, 32, 44, 48, 58, 127, 200):
            try:
                read_head(good[:place] + bytes([byte]) + good[place + 1 :])
                read += 1
            except ServiceError:
                continue
    assert 0 < read < len(good) * 10
