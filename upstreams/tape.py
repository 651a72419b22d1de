"""What comes from outside, recorded as it comes; later played, as if it came again."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import Protocol, TypeVar

import msgspec

from protocol.errors import DeadlineExceeded, ServiceError
from protocol.traces import Mishap, Recording, Said
from protocol.values import ModelChoice, Models, Question

T = TypeVar("T")
Call = Callable[[], Awaitable[T]]
Make = Callable[[], AsyncGenerator[str, None]]

MOST_BYTES = 2 * 1024 * 1024  # of one turn
DIGEST_BYTES = 12
UNANSWERED = "Unanswered"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Recording)


class Tape(Protocol):
    """Stands between a turn and what it asks of others.

    Each method is told whom is asked (``source``), in which stage of the turn, and what.
    """

    async def one(self, source: str, stage: str, asked: object, call: Call[T], kind: type[T]) -> T:
        """What the call gives, which is a ``kind``."""

    def pieces(
        self, source: str, stage: str, asked: object, make: Make
    ) -> AsyncGenerator[str, None]:
        """What comes piece by piece."""

    def now(self, stage: str, now: Callable[[], datetime]) -> datetime:
        """The time."""


class Unanswered(DeadlineExceeded, TimeoutError):
    """Nothing came before whoever asked gave up; each asker knows this by one of the two names."""

    def __init__(self) -> None:
        super().__init__("What was asked", after_s=0)


class Recorder:
    """Keeps all that is said, up to ``most`` bytes of it; of more, nothing: a part is of no use."""

    def __init__(self, *, most: int = MOST_BYTES) -> None:
        self._room = most
        self._said: list[Said] = []

    def packed(self, question: Question, models: Models) -> bytes:
        """What has been said so far as bytes; none where it was too much, or cannot be kept."""
        if self._room < 0:
            return b""
        named = Models(_named(models.chat), _named(models.embedding))
        try:
            return _encoder.encode(Recording(question, named, tuple(self._said)))
        except UnicodeEncodeError:
            return b""

    async def one(self, source: str, stage: str, asked: object, call: Call[T], kind: type[T]) -> T:
        """See Tape."""
        del kind
        values: list[T] = []
        with self._hearing(source, stage, asked, values):
            values.append(await call())
        return values[0]

    async def pieces(
        self, source: str, stage: str, asked: object, make: Make
    ) -> AsyncGenerator[str, None]:
        """See Tape."""
        values: list[str] = []
        with self._hearing(source, stage, asked, values):
            async with aclosing(make()) as made:
                async for piece in made:
                    values.append(piece)
                    yield piece

    def now(self, stage: str, now: Callable[[], datetime]) -> datetime:
        """See Tape."""
        values: list[datetime] = []
        with self._hearing("clock", stage, None, values):
            values.append(now())
        return values[0]

    @contextmanager
    def _hearing(self, source: str, stage: str, asked: object, values: list[T]) -> Iterator[None]:
        mishap: Mishap | None = None
        try:
            yield
        except ServiceError as error:
            mishap = Mishap(type(error).__name__, str(error), error.detail)
            raise
        except (asyncio.CancelledError, GeneratorExit, TimeoutError):
            mishap = Mishap(UNANSWERED, "")
            raise
        finally:
            self._keep(source, stage, asked, values, mishap)

    def _keep(
        self, source: str, stage: str, asked: object, values: list[T], mishap: Mishap | None
    ) -> None:
        try:
            value = _encoder.encode(values)
        except UnicodeEncodeError:  # halves of surrogate pairs, which nobody needs played
            self._room = -1
            return
        self._room -= len(value)
        if self._room >= 0:
            self._said.append(Said(source, stage, digest(asked), value, mishap))
        else:
            self._said.clear()


class Unrecorded(ServiceError):
    """Something is asked for which the recording has nothing."""

    def __init__(self, source: str, stage: str) -> None:
        super().__init__(f"The recording has no {source} for the stage {stage}.")


class Unplayable(ServiceError):
    """A recording is of another version of the program, or damaged."""

    def __init__(self) -> None:
        super().__init__("The recording cannot be read: it may be another version's.")


class Player:
    """Says again what was said, without asking anybody. ``differences`` are for people.

    Where something else is asked than at that time, that is a difference, and what was said next
    in that stage is the answer, so that all differences come out in one go.
    """

    def __init__(self, said: tuple[Said, ...]) -> None:
        self.differences: list[str] = []
        self._left = list(said)

    async def one(self, source: str, stage: str, asked: object, call: Call[T], kind: type[T]) -> T:
        """See Tape."""
        del call
        said = self._next(source, stage, digest(asked))
        values = msgspec.msgpack.decode(said.value, type=list[kind])  # type: ignore[valid-type]
        if said.mishap is not None:
            raise error_of(said.mishap)
        return values[0]

    async def pieces(
        self, source: str, stage: str, asked: object, make: Make
    ) -> AsyncGenerator[str, None]:
        """See Tape."""
        del make
        said = self._next(source, stage, digest(asked))
        for piece in msgspec.msgpack.decode(said.value, type=list[str]):
            yield piece
        if said.mishap is not None:
            raise error_of(said.mishap)

    def now(self, stage: str, now: Callable[[], datetime]) -> datetime:
        """See Tape."""
        del now
        said = self._next("clock", stage, digest(None))
        return msgspec.msgpack.decode(said.value, type=list[datetime])[0]

    def unasked(self) -> list[str]:
        """What was asked then and is not now, for people."""
        rest = dict.fromkeys((said.source, said.stage) for said in self._left)
        return [f"the {source} is asked less in the stage {stage}" for source, stage in rest]

    def _next(self, source: str, stage: str, asked: bytes) -> Said:
        there = [said for said in self._left if (said.source, said.stage) == (source, stage)]
        same = [said for said in there if said.asked == asked]
        if not same:
            what = f"what is asked of the {source} in the stage {stage} differs"
            self.differences.append(what if there else f"{what}: nothing was asked there")
        if not there:
            raise Unrecorded(source, stage)
        chosen = (same or there)[0]
        self._left.remove(chosen)
        return chosen


def error_of(mishap: Mishap) -> ServiceError:
    """The error as it was."""
    if mishap.name == UNANSWERED:
        return Unanswered()
    kinds = {kind.__name__: kind for kind in _family(ServiceError)}
    error = kinds.get(mishap.name, ServiceError).told(mishap.sentence)
    error.detail = mishap.detail
    return error


def _family(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def digest(asked: object) -> bytes:
    """What was asked, in a few bytes."""
    try:
        told = _encoder.encode(asked)
    except UnicodeEncodeError:  # a question may have halves of surrogate pairs
        told = repr(asked).encode(errors="surrogatepass")
    return blake2b(told, digest_size=DIGEST_BYTES).digest()


def _named(choice: ModelChoice) -> ModelChoice:
    """The model without what is secret about it."""
    return ModelChoice(choice.provider, choice.model)


def unpacked(data: bytes) -> Recording:
    """The recording in these bytes; raises Unplayable."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise Unplayable from error
