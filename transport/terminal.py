"""A terminal as a connection: one question in, its answer printed as it comes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, TextIO

import msgspec

from protocol.connection import ConnectionGone
from protocol.frames import SUBPROTOCOL

Frame = dict[str, Any]
# What a model or a page says must not move the cursor or change the window's title.
CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class Terminal:
    """Asks one question and leaves when it has been answered.

    The answer and its sources go to stdout, a line for each stage to stderr; with ``as_json``
    stdout gets one JSON object at the end instead.
    """

    def __init__(
        self,
        question: str,
        *,
        chat_id: str,
        focus_mode: str,
        optimization_mode: str,
        as_json: bool = False,
    ) -> None:
        self.failed = False
        self.ended = asyncio.Event()
        self._as_json = as_json
        self._answer: list[str] = []
        self._sources: list[Frame] = []
        self._error: Frame | None = None
        self._chat_id = chat_id
        self._question: Frame = {
            "type": "message",
            "message": {"chatId": chat_id, "content": question},
            "focusMode": focus_mode,
            "optimizationMode": optimization_mode,
            "history": [],
        }

    @property
    def subprotocol(self) -> str | None:
        """Always our own: a terminal wants to know the stages."""
        return SUBPROTOCOL

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The question; ends when it has been answered."""
        yield msgspec.json.encode(self._question)
        await self.ended.wait()

    async def send(self, frame: str, *, within_s: float | None = None) -> None:
        """Print what a frame tells; raises ConnectionGone when nobody reads it any more."""
        del within_s  # a terminal takes all at once
        told: Frame = msgspec.json.decode(frame)
        show = SHOWS.get(told["type"])
        if show is None:
            return
        try:
            show(self, told)
        except (OSError, ValueError) as error:  # nobody reads, the disk is full, it is closed
            self._leave(failed=not isinstance(error, BrokenPipeError))
            raise ConnectionGone from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End, whatever is still missing; before the answer's end that is a failure."""
        del code, reason
        if not self.ended.is_set():
            self.failed = True
            self.ended.set()

    def show_status(self, frame: Frame) -> None:
        """A progress line."""
        detail = f": {frame['detail']}" if "detail" in frame else ""
        say(f"… {frame['stage']}{detail}\n", sys.stderr)

    def show_sources(self, frame: Frame) -> None:
        """Keep the sources for the end."""
        self._sources = frame["data"]

    def show_delta(self, frame: Frame) -> None:
        """The next piece of the answer."""
        self._answer.append(frame["data"])
        if not self._as_json:
            say(frame["data"])

    def show_error(self, frame: Frame) -> None:
        """What cannot be answered; a turn that failed has said so in its answer already."""
        self.failed = True
        self._error = {name: frame[name] for name in ("key", "data", "detail") if name in frame}
        if not self._answer and not self._as_json:
            detail = f" ({frame['detail']})" if "detail" in frame else ""
            say(f"{frame['data']}{detail}\n", sys.stderr)
        self.show_end(frame)

    def show_end(self, _frame: Frame) -> None:
        """The sources, or everything as JSON."""
        if self._as_json:
            say(f"{msgspec.json.encode(self._whole()).decode()}\n")
        elif self._answer:
            lines = (f"[{n}] {title(source)}\n" for n, source in enumerate(self._sources, 1))
            say("\n\n" + "".join(lines))
        self.ended.set()

    def _leave(self, *, failed: bool) -> None:
        """Stdout takes no more: nobody is told anything, nor at the exit.

        A reader that has left (``| head``) has what it wanted; anything else is a failure.
        """
        hush()
        self.failed = self.failed or failed
        self.ended.set()

    def _whole(self) -> Frame:
        whole = {
            "chatId": self._chat_id,
            "answer": "".join(self._answer),
            "sources": self._sources,
        }
        return whole if self._error is None else {**whole, "error": self._error}


SHOWS: dict[str, Callable[[Terminal, Frame], None]] = {
    "status": Terminal.show_status,
    "sources": Terminal.show_sources,
    "message": Terminal.show_delta,
    "messageEnd": Terminal.show_end,
    "error": Terminal.show_error,
}


def hush() -> None:
    """Stdout takes no more: what was said in vain is not told at the exit either."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - until the end


def say(text: str, stream: TextIO | None = None) -> None:
    """Write at once, in whatever letters the terminal has, and nothing that would steer it."""
    out = sys.stdout if stream is None else stream
    if out is None:  # closed before the program began
        raise BrokenPipeError
    letters = out.encoding or "utf-8"
    out.write(text.translate(CONTROLS).encode(letters, "replace").decode(letters))
    out.flush()


def title(source: Frame) -> str:
    """A source in one line: its title and its address."""
    metadata = source["metadata"]
    return f"{metadata['title']} — {metadata['url']}"
