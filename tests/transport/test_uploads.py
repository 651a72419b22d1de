"""Forms with files, as the web UI sends them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import FileRefused
from protocol.values import ModelChoice
from tests.transport.desks import Drawer, Leaf
from tests.transport.places import client, get, post, services, serving
from transport.desk import Times
from transport.form import Form, FormLimits, plain_name
from transport.inflow import MOST_WAITING, Inflow
from transport.reader import ReadLimits, RequestReader

TYPE = "Content-Type: multipart/form-data; boundary=XX"


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    """A part of a form."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + b"--XX--\r\n"


async def uploaded(drawer: Drawer, body: bytes, *lines: str) -> tuple[int, Any]:
    """What a form is answered."""
    using = services(uploads=drawer.desk)
    async with serving(using=using) as server, client(server) as one:
        answer = await one.ask(post("/api/uploads", body, *(lines or (TYPE,))))
        return answer.status, answer.json()


async def test_files_are_told_in_their_order() -> None:
    """Name, extension and id of each; the model that is wanted stands behind the files."""
    drawer = Drawer()
    body = form(
        part("files", b"one", "b.PDF"),
        part("files", b"two\r\n--X", "a.tar.txt"),
        part("embedding_model_provider", b"openai"),
        part("embedding_model", b"small"),
    )
    assert await uploaded(drawer, body) == (
        200,
        {
            "files": [
                {"fileName": "b.PDF", "fileExtension": "pdf", "fileId": "id0"},
                {"fileName": "a.tar.txt", "fileExtension": "txt", "fileId": "id1"},
            ]
        },
    )
    assert drawer.taken == [("b.PDF", b"one"), ("a.tar.txt", b"two\r\n--X")]
    assert drawer.embedding == ModelChoice("openai", "small")
    assert all(leaf.file.closed for leaf in drawer.leaves)


@pytest.mark.parametrize(
    ("body", "line", "status"),
    [
        (b"{}", "Content-Type: application/json", 415),
        (b"", TYPE, 400),
        (b"no form", TYPE, 400),
        (form(part("files", b"x", "a.txt")), "Content-Type: multipart/form-data", 400),
        (form(part("files", b"x", "a.txt"))[:-10], TYPE, 400),
        (form(part("files", b"x", "a.txt")).replace(b'"files"', b'"files"\n'), TYPE, 400),
        (form(), TYPE, 400),
        (form(part("other", b"x", "a.txt")), TYPE, 400),
        (form(part("files", b"x")), TYPE, 400),
        (form(part("files", b"x" * 1001, "a.txt")), TYPE, 413),
        (form(*[part("files", b"x", "a.txt")] * 4), TYPE, 413),
        (form(part("embedding_model", b"x" * 5_000)), TYPE, 413),
        (form(*[part("f", b"")] * 50), TYPE, 413),
    ],
)
async def test_what_is_no_such_form_is_refused(body: bytes, line: str, status: int) -> None:
    """With a status and a message; nothing is kept of it."""
    drawer = Drawer()
    answered, told = await uploaded(drawer, body, line)
    assert (answered, bool(told["message"]), drawer.taken) == (status, True, [])
    assert all(leaf.file.closed for leaf in drawer.leaves)


async def test_refused_file_is_named() -> None:
    """The client reads which file is at fault."""
    drawer = Drawer()

    async def refuse(*_: object) -> list[Any]:
        raise FileRefused("a.exe", "it is none")

    desk = type(drawer.desk)(drawer.desk.limits, drawer.draft, refuse)
    async with serving(using=services(uploads=desk)) as server, client(server) as one:
        answer = await one.ask(post("/api/uploads", form(part("files", b"x", "a.exe")), TYPE))
    assert (answer.status, "a.exe" in answer.json()["message"]) == (415, True)


async def test_next_request_follows_the_form_to_the_byte() -> None:
    """One connection, one request after the other, sent at once; chunks serve as well."""
    body = form(part("files", b"x" * 900, "a.txt"))
    chunked = b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + 7]), body[at : at + 7])
        for at in range(0, len(body), 7)
    )
    in_chunks = get("/api/uploads", TYPE, "Transfer-Encoding: chunked", method="POST")
    async with serving(using=services(uploads=Drawer().desk)) as server, client(server) as one:
        await one.send(post("/api/uploads", body, TYPE) + get("/api"))
        assert (await one.answer()).status == 200
        assert (await one.answer()).json() == {"status": "ok"}
        await one.send(in_chunks + chunked + b"0\r\n\r\n" + get("/api"))
        assert (await one.answer()).status == 200
        assert (await one.answer()).json() == {"status": "ok"}


async def test_early_refusal_is_seen_by_a_client_that_still_sends() -> None:
    """The answer comes before the body has; then the connection is closed."""
    head = get("/api/uploads", TYPE, "Content-Length: 9000", method="POST")
    async with serving(using=services(uploads=Drawer().desk)) as server, client(server) as one:
        answer = await one.ask(head + form(part("files", b"x" * 1500, "a.txt"))[:1700])
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await one.rest() == b""


async def test_body_over_its_limit_is_refused_by_its_head() -> None:
    """Not a byte of it is waited for."""
    head = get("/api/uploads", TYPE, "Content-Length: 99000000", method="POST")
    async with serving(using=services(uploads=Drawer().desk)) as server, client(server) as one:
        assert (await one.ask(head)).status == 413


async def test_client_is_asked_for_the_body() -> None:
    """``Expect: 100-continue`` is answered before the body."""
    body = form(part("files", b"x", "a.txt"))
    lines = (TYPE, f"Content-Length: {len(body)}", "Expect: 100-continue")
    async with serving(using=services(uploads=Drawer().desk)) as server, client(server) as one:
        await one.send(get("/api/uploads", *lines, method="POST"))
        assert (await one.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        assert (await one.ask(body)).status == 200


async def test_body_that_stops_coming_is_given_up() -> None:
    """A client that falls silent gets 408."""
    head = get("/api/uploads", TYPE, "Content-Length: 900", method="POST")
    times = Times(request_s=0.1, send_s=5)
    using = services(uploads=Drawer().desk)
    async with serving(using=using, times=times) as server, client(server) as one:
        assert (await one.ask(head + part("files", b"x", "a.txt"))).status == 408


async def test_client_that_leaves_takes_its_files_along() -> None:
    """What was received is let go of."""
    drawer = Drawer()
    head = get("/api/uploads", TYPE, "Content-Length: 900", method="POST")
    begun = asyncio.Event()
    closed = asyncio.Event()

    class Watched(Leaf):
        """A leaf that tells of its beginning and end."""

        def close(self) -> None:
            """Tell of it."""
            super().close()
            closed.set()

    def draft(name: str) -> Leaf:
        begun.set()
        return Watched(name)

    desk = type(drawer.desk)(drawer.desk.limits, draft, drawer.take_in)
    times = Times(request_s=5, send_s=5, farewell_s=0.1)
    async with serving(using=services(uploads=desk), times=times) as server:
        async with client(server) as one:
            await one.send(head + part("files", b"x", "a.txt"))
            await asyncio.wait_for(begun.wait(), 5)
        await asyncio.wait_for(closed.wait(), 5)


class Socket:
    """What an inflow asks of a transport."""

    paused = False

    def pause_reading(self) -> None:
        """Read no more."""
        self.paused = True

    def resume_reading(self) -> None:
        """Read on."""
        self.paused = False


async def test_slow_disk_holds_the_client_back() -> None:
    """Over a few hundred kilobytes the socket is left unread, until the route has caught up."""
    socket = Socket()
    reader = RequestReader(ReadLimits(1000, 1000, {("POST", "/u"): 8_000_000}))
    inflow = Inflow(cast("asyncio.Transport", socket), patience_s=5, rate=1024)
    reader.feed(get("/u", "Content-Length: 8000000", method="POST"))
    reader.next()
    while not socket.paused:
        reader.feed(b"x" * 10_000)
        inflow.pump(reader)
    sizes = [len(await anext(inflow))]
    while socket.paused:
        sizes.append(len(await anext(inflow)))
    assert MOST_WAITING // 2 <= sum(sizes) <= MOST_WAITING


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=3), st.integers(1, 40))
def test_form_reads_alike_however_it_comes(contents: list[bytes], step: int) -> None:
    """Pieces of any size give the same files."""
    body = form(*(part("files", data, f"{at}.txt") for at, data in enumerate(contents)))
    leaves: list[Leaf] = []

    def begin(name: str) -> Leaf:
        leaves.append(Leaf(name))
        return leaves[-1]

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    read = Form(FormLimits(3, 1000), field="files", begin=begin)
    asyncio.run(read.read("multipart/form-data; boundary=XX", pieces()))
    assert [leaf.file.getvalue() for leaf in leaves] == contents


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.pdf", "a.pdf"),
        ("a\u202efdp.exe\n", "afdp.exe"),
        ("", "file"),
        ("..", ".."),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_names_are_made_plain(name: str, plain: str) -> None:
    """No folders, nothing that cannot be seen, the ending kept."""
    assert plain_name(name) == plain
