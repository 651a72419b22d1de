"""A model service whose answers tell when each of their pieces was sent."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from tests.standins.faults import option
from tests.standins.http_server import Request
from tests.standins.model_server import ModelServer
from tests.standins.reply import Reply, sse

STAMP = re.compile(rb"@(\d+\.\d{6})@")
MOST_BYTES = 32  # of a stamp


class Stamps(Sequence[bytes]):
    """Pieces of a stream, each made when it is taken: the loop's time, and some text."""

    def __init__(self, count: int, chars: int) -> None:
        self._count = count
        self._filler = "x" * chars

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self._piece() for _ in range(*place.indices(self._count))]
        return self._piece()

    def _piece(self) -> bytes:
        text = f" @{asyncio.get_running_loop().time():.6f}@{self._filler}"
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return sse({**frame, "choices": [choice]})


class StampServer(ModelServer):
    """Answers with stamps; ``chars=8000`` of a question's directive is the text behind each."""

    def reply(self, request: Request) -> Reply:
        """The stand-in's own reply, with other pieces where it is an answer."""
        reply = super().reply(request)
        if self.kind(request) != "answer":
            return reply
        chars = option(self.text(request), "answer", "chars", 0)
        return replace(reply, pieces=Stamps(len(reply.pieces), chars))
