"""The first to speak with a client: HTTP is answered here, a WebSocket is handed on."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import cast

import structlog

from protocol.errors import ServiceError
from transport.desk import Desk
from transport.head import Head
from transport.http import CONTINUE, LAST_CHUNK, PIECE_BYTES, Pieces, Request, Response, as_chunk
from transport.inflow import Inflow
from transport.peers import peer_of
from transport.reader import Incoming, RequestReader
from transport.refusals import BadRequest, RequestTooSlow
from upstreams.rings import let_go

log = structlog.get_logger()

INPUT_BYTES = 64 * 1024  # of further requests, kept while one is answered


class Front(asyncio.BufferedProtocol):
    """One client, until it leaves or its socket becomes a WebSocket.

    Requests are answered one after the other; while one is answered the next wait unread. After
    one that cannot be read, and after the last answer, input is thrown away for a while: a socket
    closed over unread input is reset, and the client would lose the answer.
    """

    __slots__ = (
        "_answered",
        "_begun",
        "_desk",
        "_ended",
        "_ending",
        "_inflow",
        "_invited",
        "_reader",
        "_resumed",
        "_task",
        "_timer",
        "_transport",
    )

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reader = RequestReader(desk.limits)
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._resumed: asyncio.Future[None] | None = None
        self._inflow: Inflow | None = None  # the body that a route takes while it comes
        self._answered = False  # the whole answer is known, and being written
        self._begun = self._invited = False  # its deadline runs; it was told to send its body
        self._ended = self._ending = False  # the client sends nothing more; we send nothing more

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The task that answers a request, while there is one."""
        return self._task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._await_request()
        try:
            self._desk.greet(self, self._transport)
        except ServiceError as refusal:
            self._refuse(refusal)
            self._transport.close()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 (asyncio's own name)
        """Where the next bytes are to be put; they are taken from there at once."""
        return self._desk.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what came, and answer the request that it completes."""
        self._desk.traffic.http.received += nbytes
        if self._ending:
            return
        self._reader.feed(bytes(memoryview(self._desk.buffer)[:nbytes]))
        if self._task is None:
            self._advance()
        elif self._inflow is not None and not self._inflow.is_whole:
            self._inflow.pump(self._reader)
        elif self._reader.waiting > INPUT_BYTES:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Stay for a short while when there is an answer to give; else let the socket be closed."""
        self._ended = True
        if self._task is not None and not self._answered:
            self._set_timer(self._desk.times.farewell_s, self._transport.abort)
        return self._task is not None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's own name)
        """Stop all work for a client that has left."""
        self._leave()
        if self._task is not None:
            self._task.cancel()
        let_go(self._transport)

    def pause_writing(self) -> None:
        """Hold back further pieces: the client is slow."""
        self._resumed = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Go on writing."""
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        self._resumed = None

    def shut(self) -> None:
        """Close at once, unless an answer is being given."""
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _advance(self) -> None:
        try:
            incoming = self._reader.next()
        except ServiceError as refusal:
            self._refuse_unread(refusal)
            return
        if incoming is None:
            self._await_rest()
        else:
            with self._desk.heard(incoming.head.headers.get):
                self._take(incoming)

    def _take(self, incoming: Incoming) -> None:
        """Begin to answer a whole request, or hand its socket on."""
        try:
            self._desk.visitors.check(incoming.head)
            if incoming.head.is_upgrade:
                if self._ended:
                    raise BadRequest("its client sends no more, so that no WebSocket can begin")
                self._desk.upgrade(self._transport, incoming)
                self._leave()
                return
        except ServiceError as refusal:
            self._refuse(refusal, head_only=incoming.head.method == "HEAD")
            return
        self._set_timer(self._desk.times.farewell_s if self._ended else None, self.abort)
        self._answered = False
        self._inflow = self._begin_inflow() if incoming.is_streamed else None
        self._task = asyncio.get_running_loop().create_task(self._serve(incoming))
        self._task.add_done_callback(self._served)

    def _begin_inflow(self) -> Inflow:
        if self._reader.expects_continue:
            self._put(CONTINUE)
        times = self._desk.times
        inflow = Inflow(self._transport, patience_s=times.request_s, rate=times.body_rate)
        inflow.pump(self._reader)
        return inflow

    def _await_request(self) -> None:
        self._begun = self._invited = False
        self._set_timer(self._desk.times.idle_s, self._transport.abort)

    def _await_rest(self) -> None:
        """Wait for the rest of a request; its deadline runs from its first byte."""
        if self._reader.begun and not self._begun:
            self._begun = True
            self._set_timer(self._desk.times.request_s, self._give_up)
        if self._reader.expects_continue and not self._invited:
            self._invited = True
            self._put(CONTINUE)

    def _give_up(self) -> None:
        self._refuse_unread(RequestTooSlow(after_s=self._desk.times.request_s))

    def _leave(self) -> None:
        self._set_timer(None)
        self._desk.part(self)

    def _refuse_unread(self, refusal: ServiceError) -> None:
        with self._desk.heard(self._reader.field):
            self._refuse(refusal)

    def _refuse(self, refusal: ServiceError, *, head_only: bool = False) -> None:
        log.debug("request.refused", status=refusal.status, reason=str(refusal))
        more = self._desk.headers(self._reader.field("origin"), self._reader.host)
        response, at = Response.of_error(refusal), self._desk.now()
        self._put(response.encode(at=at, more=more, keep=False, head_only=head_only))
        self._end()

    def _end(self) -> None:
        """Say that nothing more comes, and give the client a while to see the answer."""
        self._ending = True
        if self._desk.closing:
            self._transport.close()
            return
        self._reader = RequestReader(self._desk.limits)
        unsent, times = self._transport.get_write_buffer_size() > 0, self._desk.times
        try:
            self._transport.write_eof()
        except OSError:  # the client has reset the connection, and asyncio does not know yet
            self._transport.abort()
            return
        self._transport.resume_reading()
        self._set_timer(times.send_s if unsent else times.linger_s, self._transport.abort)

    async def _serve(self, incoming: Incoming) -> None:
        """Answer one request, then turn to the next."""
        head = incoming.head
        response = await self._desk.answer(
            Request(
                method=head.method,
                path=head.path,
                query=head.query,
                headers=head.headers,
                body=incoming.data,
                stream=self._inflow,
                peer=peer_of(self._transport),
                proof=self._desk.proof(head, self._transport),
            )
        )
        # After a body that was not read to its end nobody knows where the next request begins.
        is_read = self._inflow is None or self._inflow.is_whole
        keep = head.keeps_alive and not self._desk.closing and is_read
        if await self._give(response, head, keep=keep):
            self._task = None
            self._go_on(keep=keep)

    def _served(self, task: asyncio.Task[None]) -> None:
        """Break off an answer whose body could not be made; that is all that tells the client."""
        if not task.cancelled() and task.exception() is not None:
            log.error("answer.broken", exc_info=task.exception())
            self._transport.abort()

    async def _give(self, response: Response, head: Head, *, keep: bool) -> bool:
        """Write the answer; whether the client took all of it."""
        # Of an answer in pieces more is still to be made: a client that has left must end that.
        self._answered = response.pieces is None
        if self._answered:
            self._set_timer(None)
        chunked, head_only = head.version == "1.1", head.method == "HEAD"
        encoded = response.encode(
            at=self._desk.now(),
            more=self._desk.headers(head.headers.get("origin", ""), head.host),
            keep=keep,
            head_only=head_only,
            chunked=chunked,
        )
        if response.pieces is None:
            return await self._write(encoded)
        async with aclosing(response.pieces):
            if not await self._write(encoded):
                return False
            return head_only or await self._write_pieces(response.pieces, chunked=chunked)

    async def _write_pieces(self, pieces: Pieces, *, chunked: bool) -> bool:
        """Write a body while it is made; whether it came to its end and the client took it."""
        async for piece in pieces:
            if not await self._write(as_chunk(piece) if chunked else piece):
                return False
        return await self._write(LAST_CHUNK if chunked else b"")

    def _go_on(self, *, keep: bool) -> None:
        if not keep:
            self._end()
            return
        self._await_request()
        self._transport.resume_reading()
        self._advance()
        if self._ended and self._task is None and not self._ending:
            self._end()

    async def _write(self, data: bytes) -> bool:
        """Write at the speed of the client; whether it took all, or was cut off."""
        try:
            for at in range(0, len(data), PIECE_BYTES):
                self._put(memoryview(data)[at : at + PIECE_BYTES])
                if self._resumed is not None:
                    async with asyncio.timeout(self._desk.times.send_s):
                        await self._resumed
        except TimeoutError:
            log.debug("request.not_taken", after_s=self._desk.times.send_s)
            self._transport.abort()
            return False
        return True

    def _put(self, data: bytes | memoryview) -> None:
        self._desk.traffic.http.sent += len(data)
        self._transport.write(data)

    def _set_timer(self, after_s: float | None, call: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if after_s is not None and call is not None:
            self._timer = asyncio.get_running_loop().call_later(after_s, call)
