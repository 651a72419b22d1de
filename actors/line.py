"""Who may run next: a bounded line before a bounded number of places, fair between askers."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from access.buckets import Crowd
from protocol.errors import Busy, ServerDraining
from protocol.values import TurnInfo

TELL_S = 1.0  # between two words about how the line has moved
FIRST_GUESS_S = 10.0  # how long a turn takes, before one has ended
NEWEST_SHARE = 0.2  # of the turn that has ended last in what turns take

Tell = Callable[[int], None]


class Place:
    """The place of one turn, in the line first where it has to wait."""

    __slots__ = (
        "_line",
        "_uncount",
        "asker",
        "began_at",
        "busy",
        "granted",
        "has_left",
        "position",
        "tell",
    )

    def __init__(self, line: "Line", asker: str, uncount: Callable[[], None]) -> None:
        self._line = line
        self.busy = line.busy
        self._uncount = uncount
        self.asker = asker
        self.granted: asyncio.Future[bool] = line.loop.create_future()
        self.has_left = False
        self.began_at: float | None = None  # once it has been granted
        self.position = 0  # that was told last
        self.tell: Tell | None = None

    async def reached(self, tell: Tell) -> None:
        """Return when the turn may run; meanwhile ``tell`` gets its position, 1 for the next.

        Whoever is cancelled here has left the line. Raises ServerDraining.
        """
        if not self.granted.done():
            self.tell = tell
            self._line.tell(self)
        try:
            if not await self.granted:
                raise ServerDraining
        except asyncio.CancelledError:
            self.leave()
            raise
        finally:
            self.tell = None

    def leave(self) -> None:
        """Make room for others; does nothing the second time."""
        if not self.has_left:
            self.has_left = True
            self._uncount()
            self._line.leave(self)


class Line:
    """Lets ``places`` run at once and ``most`` more wait; one that asks much waits for itself.

    Those that wait are served in rounds, each asker's oldest question in each.
    """

    def __init__(
        self, places: int, most: int, crowd: Crowd, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Begin empty; ``crowd`` counts the turns of each asker, ``loop`` has the clock."""
        self.loop = loop
        self.running = 0
        self._places = places
        self._most = most
        self._crowd = crowd
        self._waiting: dict[str, deque[Place]] = {}  # by asker, whose turn it is first
        self._took_s = FIRST_GUESS_S
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def enter(self, turn: TurnInfo) -> Place:
        """A place for the turn, now or later; whoever has it leaves it in every case.

        Raises ServerDraining, and Busy with a time, where all places and the line are taken, or
        the asker has as many turns as one may have.
        """
        if self._is_closed:
            raise ServerDraining
        is_free = self.running < self._places
        if not is_free and self.waiting >= self._most:
            raise self.busy()
        person = turn.person
        uncount = self._crowd.enter(person.keys, again_after_s=self._took_s)
        place = Place(self, person.name or person.address or turn.session_id, uncount)
        if is_free:
            self._grant(place)
        else:
            self._waiting.setdefault(place.asker, deque()).append(place)
            self._tell_soon()
        return place

    def busy(self) -> Busy:
        """That there is no room, and when one of the places may be free."""
        return Busy("questions", again_after_s=max(1.0, self._took_s / self._places))

    def leave(self, place: Place) -> None:
        """The turn has ended, or waits no longer."""
        if place.began_at is None:
            self._remove(place)
        else:
            self.running -= 1
            took_s = self.loop.time() - place.began_at
            self._took_s += NEWEST_SHARE * (took_s - self._took_s)
            self._serve_next()
        self._tell_soon()

    def tell(self, place: Place) -> None:
        """Say where in the line a place is."""
        position = next((at for at, other in self._order() if other is place), 0)
        self._tell(place, position)

    def close(self) -> None:
        """Nobody is let in any more: all that wait are told that the server is leaving."""
        self._is_closed = True
        for places in list(self._waiting.values()):
            for place in places:
                if not place.granted.done():
                    place.granted.set_result(False)
        if self._timer is not None:
            self._timer.cancel()

    def _grant(self, place: Place) -> None:
        self.running += 1
        place.began_at = self.loop.time()
        if not place.granted.done():
            place.granted.set_result(True)

    def _serve_next(self) -> None:
        """The next asker's oldest question; the asker goes to the end of the round."""
        if self._is_closed or not self._waiting:
            return
        asker = next(iter(self._waiting))
        places = self._waiting.pop(asker)
        place = places.popleft()
        if places:
            self._waiting[asker] = places
        self._grant(place)

    def _remove(self, place: Place) -> None:
        places = self._waiting[place.asker]
        places.remove(place)
        if not places:
            del self._waiting[place.asker]

    def _order(self) -> Iterator[tuple[int, Place]]:
        """All that wait with their positions, the next one first."""
        position = 0
        for depth in range(max(map(len, self._waiting.values()), default=0)):
            for places in self._waiting.values():
                if depth < len(places):
                    position += 1
                    yield position, places[depth]

    def _tell_soon(self) -> None:
        if self._waiting and self._timer is None and not self._is_closed:
            self._timer = self.loop.call_later(TELL_S, self._tell_all)

    def _tell_all(self) -> None:
        self._timer = None
        for position, place in self._order():
            self._tell(place, position)

    def _tell(self, place: Place, position: int) -> None:
        if place.tell is not None and position not in {0, place.position}:
            place.position = position
            place.tell(position)
