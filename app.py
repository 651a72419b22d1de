"""Composition root and command line: reads settings, builds everything, starts and stops it."""

import argparse
import asyncio
import gc
import os
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog

from actors.context import add_facts
from actors.extras import Extras, ExtrasDesk
from actors.persister import Persister, RemoveChat
from actors.pool import Pool
from actors.reader import Reader
from actors.reranker import Reranker
from actors.searcher import Searcher
from actors.session import House
from actors.sessions import Conversation, Sessions
from actors.supervisor import Tree
from actors.system import System
from actors.turn import Crew
from actors.turns import Turns
from actors.unkept import Answerer, Answers, Forgetter, forgetting
from actors.writer import Writer
from protocol.errors import ServiceError, SettingsError
from protocol.ids import ChatId
from protocol.settings import General, Settings
from providers.service import Providers
from retrieval.client import open_client
from retrieval.modes import load_focus_modes
from retrieval.service import Retrieval
from storage.settings import load_settings
from storage.sqlite import SqliteStore
from transport.command_line import complain, flags_of, leave, parse
from transport.logs import configure_logs
from transport.server import Server, serve
from transport.services import Asking, Services
from transport.terminal import Terminal

__version__ = "0.1.0"

T = TypeVar("T")
log = structlog.get_logger(__name__)

ANSWERED, FAILED, BAD_USAGE = 0, 1, 2
GOING_AWAY = 1001
THREADS = 12


class Program:
    """Everything that runs; made for one event loop, started in order, stopped in reverse."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.patience_s = settings.limits.drain_s  # of a stop, for turns that run
        self._stack = AsyncExitStack()
        self._threads = ThreadPoolExecutor(THREADS, "offload")

    async def __aenter__(self) -> Self:
        """Open the store, then start the actors; raises a ServiceError when that cannot be."""
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let running turns end within their time, then stop everything."""
        await self.drain()
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        limits = self.settings.limits
        stack.callback(self._threads.shutdown, wait=False, cancel_futures=True)
        self.store = await SqliteStore.open(Path(self.settings.general.data_dir) / "db.sqlite")
        stack.push_async_callback(self.store.close)
        client = await stack.enter_async_context(open_client())
        self.providers = Providers(self.settings, offload=self._offload)
        stack.push_async_callback(self.providers.close)
        self.retrieval = Retrieval.build(
            self.settings, client=client, offload=self._offload, now=now
        )
        stack.push_async_callback(self.retrieval.close)
        self.tree = Tree(System(drain_s=limits.drain_s))
        stack.push_async_callback(partial(self.tree.stop, limits.drain_s))
        self._grow()

    async def drain(self) -> None:
        """Take no more questions, and wait until the running turns have ended."""
        owners = (self.turns, self.answerers)
        await asyncio.gather(*(owner.stop(timeout=self.patience_s) for owner in owners))

    def _grow(self) -> None:
        """Start the actors, those that others need first."""
        limits, grow = self.settings.limits, self.tree.grow
        tools = (self.retrieval, self.providers)
        self.persister = grow(Persister, self.store, now)
        crew = Crew(
            grow(Pool, Searcher, *tools, size=limits.workers),
            grow(Pool, Reader, *tools, size=limits.workers),
            grow(Pool, Reranker, *tools, size=limits.workers),
            grow(Pool, Writer, *tools, limits, size=limits.workers),
            self.persister,
        )
        self.turns = grow(Turns, crew, self.retrieval.modes, limits)
        unkept = forgetting(crew, grow(Forgetter))
        modes = self.retrieval.modes
        self.answerers = grow(Pool, Answerer, unkept, modes, limits, size=limits.workers)
        finds = (self.retrieval.extras, self.providers, limits, secrets.SystemRandom().shuffle)
        self.extras = grow(Pool, Extras, *finds, size=limits.workers)
        ui_gap_s = self.settings.general.ui_gap_ms / 1000
        house = House(self.turns, self.retrieval.modes, limits, ui_gap_s, partial(new_id, 7))
        self.sessions = grow(Sessions, house, {})
        self.converse = Conversation(self.sessions, self.providers, limits)

    def services(self) -> Services:
        """What the HTTP routes may use."""
        return Services(
            store=self.store,
            models=self.providers.models,
            delete_chat=self._delete_chat,
            ready=self.store.check,
            asking=Asking(
                answer=Answers(self.answerers, self.settings.limits, partial(new_id, 7)).begin,
                extras=ExtrasDesk(self.extras, self.settings.limits),
                resolve=self.providers.resolve,
                modes=tuple(self.retrieval.modes),
                question_chars=self.settings.limits.question_chars,
            ),
        )

    def prepare(self) -> None:
        """Begin to import and load in the background what the first question will need."""
        self.tree.system.run(self._prepare(), "prepare")

    async def _prepare(self) -> None:
        self.providers.warm()
        for prepare in (self.retrieval.prepare, self.providers.prepare):
            try:
                await self._offload(prepare)
            except ServiceError as error:  # tried again at the first use, whose asker is told
                log.warning("program.unprepared", key=error.key, problem=str(error))

    async def _offload(self, work: Callable[[], T]) -> T:
        """Run what blocks in one of a few threads, with the log's facts."""
        run = partial(copy_context().run, work)
        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    async def _delete_chat(self, chat_id: ChatId) -> None:
        await self.persister.ask(RemoveChat(chat_id), timeout=self.settings.limits.store_s)


def now() -> datetime:
    """The wall clock with its zone, for people; order and deadlines come from elsewhere."""
    return datetime.now(UTC).astimezone()


def new_id(size: int) -> str:
    """Random hex digits, two for each byte of ``size``."""
    return secrets.token_hex(size)


async def run_server(settings: Settings) -> int:
    """Serve until told to stop; a second signal ends the process at once."""
    stop = asyncio.Event()
    handle_signals(stop)
    async with Program(settings) as program:
        server = await serve(settings, program.services(), program.converse)
        announce(program, server)
        program.prepare()
        freeze_start()
        await either(stop, program.tree.ended)
        log.info("program.stopping")
        await program.drain()
        await server.close(GOING_AWAY)
    if program.tree.failure is None:
        return ANSWERED
    complain(f"gave up, {program.tree.failure}")
    return FAILED


async def either(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def handle_signals(stop: asyncio.Event) -> None:
    """First signal: stop in order. Second: end at once; the store stays whole all the same."""

    def asked() -> None:
        if stop.is_set():
            os._exit(FAILED)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked)


def freeze_start() -> None:
    """Keep the collector away from what lives as long as the program.

    With 20,000 actors the longest stall of the loop fell from 200 to 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def announce(program: Program, server: Server) -> None:
    """Say where it serves, and what it searches and writes with."""
    print(f"python-perplexica {__version__} serves {server.url}")  # noqa: T201
    print(f"  search: {program.retrieval.describe()}")  # noqa: T201
    print(f"  writer: {program.providers.describe()}", flush=True)  # noqa: T201


async def run_ask(settings: Settings, options: argparse.Namespace) -> int:
    """Answer one question in the terminal, through the same actors as the server's."""
    stop = asyncio.Event()
    handle_signals(stop)
    terminal = Terminal(
        options.question,
        focus_mode=options.focus_mode,
        optimization_mode=options.optimization_mode,
        chat_id=new_id(20),
        as_json=options.json,
    )
    async with Program(settings) as program:
        talk = program.tree.system.run(program.converse(terminal, {}), "terminal")
        await either(terminal.ended, stop)
        if stop.is_set():
            program.patience_s = 0.0  # nobody waits for the answer any more
            await terminal.close()
        await talk
    return FAILED if terminal.failed else ANSWERED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 answered or stopped, 1 failed, 2 bad usage or settings."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parse(given, version=__version__, focus_modes=load_focus_modes())
    flags = flags_of(options)
    if options.command == "ask":
        flags.setdefault("log_level", "error")  # the terminal is for the answer and its stages
    configure_logs(General(), add_facts)
    try:
        settings = load_settings(flags, os.environ, Path.cwd())
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
    configure_logs(settings.general, add_facts)
    work = partial(run_ask, options=options) if options.command else run_server
    return leave(run(work, settings))


def run(work: Callable[[Settings], Coroutine[Any, Any, int]], settings: Settings) -> int:
    """The exit code of the work; an error of ours is one plain sentence on stderr."""
    try:
        return asyncio.run(work(settings))
    except ServiceError as error:
        complain(str(error))
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # who asked has left
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
