"""Draws a script from a seed: several troubles at once, each in some of the runs."""

import random
from collections.abc import Iterator

import msgspec

from tests.simulation.script import Fault, Kind, Person, Plan, Query, Script, Step

MOMENTS = (0.0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.5)
DELAYS = (0.02, 0.3, 1.0, 3.0)
SPEEDS = (None, None, None, 0.0, 0.002, 0.05)
COMMITS = (0.0, 0.0005, 0.004, 0.015)
RUBBISH = (
    "",
    "{",
    "[]",
    '{"type":"message"}',
    '{"type":"dance"}',
    '{"type":"resume","messageId":"00","after":-1}',
    '{"type":"resume","messageId":"00000000000000","after":3}',
    '{"type":"stop","messageId":"00000000000000"}',
    '{"type":"message","message":{"chatId":"c","content":"?"},"focusMode":"no","history":[]}',
    "\u0000\ud800" * 20,
)
CALL_FAULTS: tuple[Kind, ...] = ("slow", "hang", "refuse", "down", "garbage", "break", "stall")
DISK_FAULTS = ("slow", "late", "full", "torn")
# The moment at which the process dies: at once, or at the next event of a kind.
DEATHS = ("now", "commit", "committed", "frame", "event")
TROUBLES = {
    "calls": 0.5,
    "disk": 0.4,
    "deaths": 0.5,
    "drains": 0.15,
    "crashes": 0.35,
    "clock": 0.2,
    "stalls": 0.3,
    "rewrites": 0.25,
    "stops": 0.4,
    "leaves": 0.6,
    "rubbish": 0.3,
}


class Drawing:
    """One script in the making."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._has = {name: self._dice.random() < part for name, part in TROUBLES.items()}
        self._length_s = self._dice.choice((3.0, 10.0, 25.0))
        self._asked: list[tuple[float, int, Query]] = []
        self._chats = self._dice.randint(1, 4)

    def script(self) -> Script:
        """The whole script, in the order of time."""
        dice = self._dice
        people = tuple(self._person() for _ in range(dice.randint(2, 5)))
        steps = [*self._asking(len(people)), *self._troubles(len(people))]
        steps.sort(key=lambda step: step.at)
        return Script(people, tuple(steps), dice.choice(COMMITS))

    def _person(self) -> Person:
        dice = self._dice
        return Person(
            is_v2=dice.random() < 0.75,
            takes_s=dice.choice(SPEEDS),
            has_model=dice.random() < 0.85,
            returns_s=dice.choice(DELAYS),
        )

    def _moment(self) -> float:
        """A while after something: often short, and often on an edge that others share."""
        dice = self._dice
        return dice.choice(MOMENTS) * dice.choice((1.0, dice.random()))

    def _asking(self, people: int) -> Iterator[Step]:
        dice = self._dice
        for number in range(1, dice.randint(3, 9) + 1):
            at = round(dice.random() * self._length_s, dice.choice((1, 6)))
            who = dice.randrange(people)
            query = self._query(number)
            self._asked.append((at, who, query))
            yield Step(at, "ask", who, query)
            yield from self._about(at, who, query)

    def _query(self, number: int) -> Query:
        dice = self._dice
        chat, message = f"c{dice.randrange(self._chats)}", f"m{number}"
        if self._has["rewrites"] and self._asked and dice.random() < 0.3:
            _, _, earlier = dice.choice(self._asked)
            chat, message = earlier.chat, earlier.message
        mode = dice.choice(("webSearch", "webSearch", "academicSearch", "writingAssistant"))
        depths = ("speed", "balanced") if mode == "webSearch" else ("balanced", "quality")
        return Query(number, chat, message, mode, dice.choice(depths), self._plan())

    def _plan(self) -> Plan:
        dice = self._dice
        plan = Plan(
            pieces=dice.choice((1, 4, 12, 40)),
            chars=dice.choice((4, 8, 8, 300)),
            gap_s=dice.choice((0.0, 0.004, 0.02, 0.02, 0.2, 1.0)),
        )
        for call in ("rephrase", "search", "embed", "answer"):
            if self._has["calls"] and dice.random() < 0.25:
                fault = Fault(dice.choice(CALL_FAULTS), round(dice.random() ** 2 * 8, 2))
                plan = msgspec.structs.replace(plan, **{call: fault})
        return plan

    def _about(self, at: float, who: int, query: Query) -> Iterator[Step]:
        """What the client does about its question after a while."""
        dice = self._dice
        after = at + self._moment() + dice.choice((0.0, 0.0, query.plan.gap_s * query.plan.pieces))
        if self._has["stops"] and dice.random() < 0.5:
            yield Step(after, "stop", who, query.number)
        if self._has["leaves"] and dice.random() < 0.5:
            back = dice.choice(DELAYS)
            yield Step(after, "leave", who)
            yield Step(after + back, "back", who)
        if dice.random() < 0.2:
            yield Step(after + self._moment(), "resume", who, query.number)

    def _near_a_question(self) -> float:
        at, _, _ = self._dice.choice(self._asked)
        return at + self._moment()

    def _troubles(self, people: int) -> Iterator[Step]:
        dice, near, has = self._dice, self._near_a_question, self._has
        if has["disk"]:
            for _ in range(dice.randint(1, 3)):
                fault = (dice.choice(DISK_FAULTS), dice.choice((0.05, 0.5, 4.0)))
                yield Step(near(), "disk", 0, (*fault, dice.choice((0.1, 1.0, 6.0))))
        if has["deaths"]:
            for _ in range(dice.randint(1, 2)):
                yield Step(near(), "kill", 0, (dice.choice(DEATHS), dice.choice((0.1, 2.0))))
        if has["drains"]:
            yield Step(near(), "drain", 0, dice.choice((0.1, 2.0)))
        if has["crashes"]:
            for _ in range(dice.randint(1, 3)):
                yield Step(near(), "crash", 0, dice.random())
        if has["clock"]:
            yield Step(near(), "jump", 0, dice.choice((-86_400.0, -5.0, 5.0, 86_400.0)))
        yield from self._nuisances(people)

    def _nuisances(self, people: int) -> Iterator[Step]:
        """What clients do to the program."""
        dice, near, has = self._dice, self._near_a_question, self._has
        if has["stalls"]:
            who, at = dice.randrange(people), near()
            yield Step(at, "stall", who)
            yield Step(at + dice.choice((0.5, 3.0, 12.0)), "unstall", who)
        if has["rubbish"]:
            for _ in range(dice.randint(1, 3)):
                yield Step(near(), "say", dice.randrange(people), dice.choice(RUBBISH))


def draw(seed: int) -> Script:
    """The script of a seed."""
    return Drawing(seed).script()
