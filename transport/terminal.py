"""A terminal as a connection: one question in, its answer printed as it comes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from protocol.connection import ConnectionGone
from protocol.frames import SUBPROTOCOL

Frame = dict[str, Any]


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
        self._as_json = as_json
        self._answer: list[str] = []
        self._sources: list[Frame] = []
        self._error: Frame | None = None
        self._chat_id = chat_id
        self._ended = asyncio.Event()
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
        await self._ended.wait()

    async def send(self, frame: str) -> None:
        """Print what a frame tells; raises ConnectionGone when nobody reads it any more."""
        told: Frame = msgspec.json.decode(frame)
        show = SHOWS.get(told["type"])
        if show is None:
            return
        try:
            show(self, told)
        except BrokenPipeError:
            self._leave()
            raise ConnectionGone from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End, whatever is still missing; before the answer's end that is a failure."""
        del code, reason
        if not self._ended.is_set():
            self.failed = True
            self._ended.set()

    def show_status(self, frame: Frame) -> None:
        """A progress line."""
        detail = f": {frame['detail']}" if "detail" in frame else ""
        print(f"… {frame['stage']}{detail}", file=sys.stderr, flush=True)  # noqa: T201

    def show_sources(self, frame: Frame) -> None:
        """Keep the sources for the end."""
        self._sources = frame["data"]

    def show_delta(self, frame: Frame) -> None:
        """The next piece of the answer."""
        self._answer.append(frame["data"])
        if not self._as_json:
            print(frame["data"], end="", flush=True)  # noqa: T201

    def show_error(self, frame: Frame) -> None:
        """What cannot be answered; a turn that failed has said so in its answer already."""
        self.failed = True
        self._error = {name: frame[name] for name in ("key", "data", "detail") if name in frame}
        if not self._answer and not self._as_json:
            detail = f" ({frame['detail']})" if "detail" in frame else ""
            print(f"{frame['data']}{detail}", file=sys.stderr)  # noqa: T201
        self.show_end(frame)

    def show_end(self, _frame: Frame) -> None:
        """The sources, or everything as JSON."""
        if self._as_json:
            print(msgspec.json.encode(self._whole()).decode())  # noqa: T201
        elif self._answer:
            lines = (f"[{n}] {title(source)}" for n, source in enumerate(self._sources, 1))
            print("\n", *lines, sep="\n", flush=True)  # noqa: T201
        self._ended.set()

    def _leave(self) -> None:
        """Whoever read stdout has left (``| head``): there is nobody to tell, nor at the exit."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self._ended.set()

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


def title(source: Frame) -> str:
    """A source in one line: its title and its address."""
    metadata = source["metadata"]
    return f"{metadata['title']} — {metadata['url']}"
