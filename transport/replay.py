"""``perplexica trace --replay``: recorded turns run again through the real pipeline, offline."""

import asyncio
from argparse import Namespace
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from actors import context
from actors.journal import Journal
from actors.unkept import Answers
from protocol.access import KEEPER
from protocol.errors import NotFound
from protocol.events import Failed
from protocol.frames import source
from protocol.settings import Settings
from storage.settings import Sources
from storage.store import Store, StoredTurn
from transport.cases import Case, is_file, load_case, read_case
from transport.terminal import say
from transport.trace_commands import named_traces
from upstreams.diary import Diary
from upstreams.tape import Player

ALL_SAME, DIFFERENT = 0, 1
PATIENCE_S = 600.0
AROUND = 30  # characters of a text from where it differs

Command = Callable[[Settings, Sources, Namespace], Coroutine[Any, Any, int]]


class Crew(Protocol):
    """Who answers."""

    @property
    def answers(self) -> Answers:
        """Questions that are not kept."""


class Program(Protocol):
    """As much of the program as a replay needs."""

    @property
    def store(self) -> Store:
        """Where the recordings are."""

    @property
    def staff(self) -> Crew:
        """The actors."""


OpenProgram = Callable[[Settings, Sources], AbstractAsyncContextManager[Program]]


def replaying(open_program: OpenProgram, show: Command) -> Command:
    """The command ``trace``: plays turns where it is told to, else shows them."""

    async def run_it(settings: Settings, sources: Sources, options: Namespace) -> int:
        if not options.replay:
            return await show(settings, sources, options)
        async with open_program(unhurried(settings), sources) as program:
            cases = await chosen(program.store, options)
            return await replay_all(program.staff.answers, cases)

    return run_it


def unhurried(settings: Settings) -> Settings:
    """The same, but that nothing depends on how fast this machine is.

    Deadlines that answers name stay as they are.
    """
    replace = msgspec.structs.replace
    return replace(
        settings,
        search=replace(settings.search, early=False),
        limits=replace(settings.limits, rephrase_s=PATIENCE_S, rerank_s=PATIENCE_S),
    )


async def chosen(store: Store, options: Namespace) -> list[Case]:
    """The case in the file of that name, or those of the turns of that name that have one."""
    if is_file(options.name):
        return [load_case(options.name)]
    cases = []
    for trace in await named_traces(store, options.name, options.turns):
        try:
            cases.append(await read_case(store, trace))
        except NotFound as error:
            say(f"{trace.message_id}  {error}\n")
    return cases


async def replay_all(answers: Answers, cases: Sequence[Case]) -> int:
    """Play them, and say of each what came of it; 0 where there is one at least, and all agree."""
    same = 0
    for case in cases:
        differences = await replay(answers, case)
        same += not differences
        say(f"{case.trace.message_id}  {'; '.join(differences) or 'the same answer'}\n")
    say(f"{same} of {len(cases)} turns give the same answer.\n")
    return ALL_SAME if cases and same == len(cases) else DIFFERENT


async def replay(answers: Answers, case: Case) -> list[str]:
    """What differs when a turn is given again what it was given; nothing where all is the same."""
    player = Player(case.recording.said)
    context.keep(Diary(asyncio.get_running_loop().time, player))
    following = answers.begin(case.recording.question, case.recording.models, KEEPER)
    try:
        journal = await following.ended()
    finally:
        await following.aclose()
        context.keep(None)
    return [*player.differences, *player.unasked(), *differing(case.answer, journal)]


def differing(then: StoredTurn, journal: Journal) -> list[str]:
    """In what the answer differs from the one that was kept."""
    end = journal.entries[-1].event
    error = end.key if isinstance(end, Failed) else ""
    found = []
    if journal.text != then.text:
        found.append(f"the text differs{_where(then.text, journal.text)}")
    if [*map(source, journal.sources or ())] != [*map(source, then.sources)]:
        found.append("the sources differ")
    if error != then.error:
        found.append(f"it ended with {then.error or 'no error'}, and now with {error or 'none'}")
    return found


def _where(then: str, now: str) -> str:
    """From where on two texts differ."""
    pairs = zip(then, now, strict=False)
    at = next((n for n, (old, new) in enumerate(pairs) if old != new), min(len(then), len(now)))
    return f" at {at}: it was {then[at : at + AROUND]!r}, and is {now[at : at + AROUND]!r}"
