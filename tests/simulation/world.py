"""Plays a script: the whole program with its clients, services and disk, in virtual time."""

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from protocol.events import Entry
from tests.clock import MIDNIGHT, StandStill, VirtualLoop
from tests.simulation import checks, finale
from tests.simulation.client import Client
from tests.simulation.disk import Disk
from tests.simulation.process import LONGEST_S, SETTINGS, Cast, Process, bury
from tests.simulation.script import Query, Script, Step
from tests.simulation.services import Services
from tests.simulation.truth import Turn
from tests.simulation.verbs import VERBS

START = datetime(2026, 11, 26, 12, tzinfo=UTC)
LONGEST_RUN_S = 400.0
UNWELL_S = 8.0  # for which a trouble of the disk or of an actor may be felt
Action = Callable[["World"], None]


class Broken(Exception):
    """A promise was not kept."""


class World:
    """Everything of one run; processes come and go in it."""

    merge_s = SETTINGS.general.merge_ms / 1000

    def __init__(self, script: Script, path: Path, cast: Cast) -> None:
        self.script = script
        self.path = path
        self.now = MIDNIGHT
        self.era = 0
        self.jumped_s = 0.0
        self.broken: list[str] = []
        self.history = sha256()
        self.story: list[tuple[float, tuple[Any, ...]]] = []
        self.clients = [Client(n, person, self) for n, person in enumerate(script.people)]
        self.asked: dict[int, tuple[float, int, Query]] = {}
        self.turns: dict[str, Turn] = {}
        self.crashes: list[tuple[float, str, dict[str, str]]] = []
        self.deadly: str | None = None  # the event at which the process dies
        self.down_s = 0.0
        self.died_at = 0.0
        self.was_well = True  # the disk, when the process died
        self.longest_s = LONGEST_S
        self._cast = cast
        self._numbers = count(1)
        self._agenda: list[tuple[float, int, Action]] = []
        self._order = count()
        self._changed = asyncio.Event()
        self.process: Process
        self._over: asyncio.Future[bool]  # whether all is over, when a process has ended
        self.own_tasks: set[asyncio.Task[Any] | None] = set()
        self.loop: VirtualLoop
        self.logs: list[Any] = []
        for step in script.steps:
            self.at(MIDNIGHT + step.at, lambda world, step=step: world.do(step))  # type: ignore[misc]

    # what others tell it

    def wrong(self, promise: str, what: str) -> None:
        """A promise was broken."""
        if self._over.done():
            return
        self.told("BROKEN", promise, what)
        self.broken.append(f"{promise}: {what}")
        self._changed.set()

    def told(self, *what: Any) -> None:
        """A line of the history; what a process does while it is buried is none."""
        if self._over.done():
            return
        self.now = self.loop.time()
        self.story.append((self.now, what))
        self.history.update(repr((self.now, what)).encode())
        if self.deadly == what[0]:
            self.kill()

    def turn(self, answer_id: str) -> Turn | None:
        """The truth of a turn of the process that runs now."""
        turn = self.turns.get(answer_id)
        return turn if turn is not None and turn.era == self.era else None

    def lost(self, client: Client) -> None:
        """It has lost its connection, and comes back after a while."""
        self.at(self.now + client.person.returns_s, lambda world: world.connect(client))

    def noted(self, turn: Turn, entry: Entry) -> None:
        """An event has been published."""
        self.told("event", turn.answer_id, entry.seq, entry.event)
        if turn.has_ended:
            self._changed.set()
            checks.ending(self, turn)

    # time

    def at(self, moment: float, action: Action) -> None:
        """Have something done at a moment."""
        heapq.heappush(self._agenda, (moment, next(self._order), action))
        self._changed.set()

    def clock(self) -> datetime:
        """The wall clock, which may jump."""
        return START + timedelta(seconds=self.loop.time() - MIDNIGHT + self.jumped_s)

    def new_id(self, size: int) -> str:
        """Ids in their order."""
        return f"{next(self._numbers):0{2 * size}x}"

    # eras: from the start of a process to its end

    def run(self) -> None:
        """Play the script to its end, or until a promise is broken."""
        with suppress(Broken):
            while self._live():
                pass

    def _live(self) -> bool:
        """One process; whether another follows."""
        until = self.now + LONGEST_RUN_S
        self.loop = VirtualLoop(self.now, until)
        self.loop.set_exception_handler(self._on_loop_error)
        self._changed = asyncio.Event()
        self.era += 1
        with capture_logs() as self.logs:
            try:
                is_over = self.loop.run_until_complete(self._era())
            except StandStill:
                open_turns = [turn.answer_id for turn in self.turns.values() if not turn.is_over]
                self.wrong("P5", f"nothing is left to run, but these turns are open: {open_turns}")
                is_over = True
            finally:
                self.now = self.loop.time()
                bury(self.loop)
        self.now += self.down_s
        if self.broken:
            raise Broken
        return not is_over

    async def _era(self) -> bool:
        """Whether all is over."""
        self._over = asyncio.get_running_loop().create_future()
        self.deadly = None
        disk = Disk(self.script.commit_s, self.told)
        disk.connection = self._cast.connection
        plans = {n: q.plan for n, q in self._queries()}
        self.process = Process(disk, Services(plans), self._cast, self.clock, self.new_id)
        self.told("start")
        await self.process.start(self.path)
        checks.recovered(self)
        for client in self.clients:
            self.connect(client)
        driver = asyncio.get_running_loop().create_task(self._drive())
        self.own_tasks = {driver, asyncio.current_task()}
        driver.add_done_callback(self._driven)
        return bool(await self._over)

    def _queries(self) -> list[tuple[int, Query]]:
        return [(s.what.number, s.what) for s in self.script.steps if isinstance(s.what, Query)]

    async def _drive(self) -> bool:
        """Do what is due until nothing is left to do, then end in good order."""
        await asyncio.sleep(1)
        baseline = finale.Count.of(self)
        while not await self._is_done():
            _, _, action = heapq.heappop(self._agenda)
            action(self)
            self.scan()
        await finale.finale(self, baseline)
        return True

    async def _is_done(self) -> bool:
        """Wait until something is due; or until nothing ever will be, and all turns are over."""
        while not self.broken and not self._over.done():
            self._changed.clear()
            if self._agenda:
                if await self._is_due(self._agenda[0][0]):
                    return False
            elif all(turn.is_over for turn in self.turns.values()):
                return True
            else:
                await self._changed.wait()
        raise Broken

    async def _is_due(self, moment: float) -> bool:
        if moment <= self.loop.time():
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._changed.wait()
        return False

    def _driven(self, driver: "asyncio.Task[bool]") -> None:
        if not self._over.done() and not driver.cancelled():
            error = driver.exception()
            if error is None or isinstance(error, Broken):
                self._over.set_result(True)
            else:
                self._over.set_exception(error)

    def end_era(self) -> None:
        """The process has ended, in one way or the other; another follows."""
        for turn in self.turns.values():
            turn.is_cut = turn.is_cut or not turn.has_ended
        if not self._over.done():
            self._over.set_result(False)

    def kill(self) -> None:
        """The process dies now."""
        self.deadly = None
        if self._over.done():
            return
        self.told("killed")
        self.died_at = self.loop.time()
        recent = self.died_at - UNWELL_S
        crashed = any(at > recent for at, _, _ in self.crashes)
        self.was_well = self.process.disk.unwell_at < recent and not crashed
        checks.logged(self)
        self.process.die()
        for client in self.clients:
            self.lost(client)
        self.end_era()

    def leave(self) -> None:
        """A planned stop begins."""
        if not self.process.is_leaving:
            self.told("leaving")
            leaving = self.loop.create_task(self.process.leave())
            leaving.add_done_callback(self._left)

    def _left(self, leaving: "asyncio.Task[None]") -> None:
        if self._over.done() or leaving.cancelled():
            return
        if (error := leaving.exception()) is not None:
            self.wrong("P9", f"the planned stop failed: {error!r}")
        finale.left(self)
        checks.logged(self)
        self.end_era()

    def _on_loop_error(self, _loop: Any, problem: dict[str, Any]) -> None:
        if not self._over.done():
            self.wrong("bug", f"the loop met {problem}")

    # what happens

    def do(self, step: Step) -> None:
        """One step of the script."""
        self.told("step", step.verb, step.who, step.what)
        VERBS[step.verb](self, step)

    def connect(self, client: Client) -> None:
        """A client comes, or comes back."""
        if client.is_there or self.process.is_leaving:
            return
        connection, talk = self.process.connect(client)
        talk.add_done_callback(self._talked)
        self.told("connected", client.number)
        client.come_back(connection)

    def _talked(self, talk: "asyncio.Task[None]") -> None:
        if not self._over.done() and not talk.cancelled() and talk.exception() is not None:
            self.wrong("bug", f"a conversation ended with {talk.exception()!r}")

    def scan(self) -> None:
        """Find the turns that have begun, and follow them from their first event."""
        journals = self.process.staff._journals.items()
        begun = [(id_, journal) for id_, journal in journals if id_ not in self.turns]
        for answer_id, journal in begun:
            self.turns[answer_id] = Turn(journal.turn, self.era, self.noted)
        for answer_id, journal in begun:
            turn = self.turns[answer_id]
            if not turn.is_cut:  # else an event of one before it was the process's last
                self.told("turn", answer_id, turn.number)
                turn.follow(journal)

    def soon(self) -> None:
        """Look for new turns as soon as the session has seen the question."""
        for delay_s in (0.0001, 0.06, 1.0):  # at once, or after a crash of the session
            self.at(self.loop.time() + delay_s, lambda world: None)
