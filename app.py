"""Composition root and command line: reads settings, builds everything, starts and stops it."""

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import structlog

from actors.context import add_facts
from actors.extras import ExtrasDesk
from actors.intake import IntakeDesk
from actors.staff import Staff, Tools
from actors.supervisor import Tree
from actors.system import System
from metrics.meter import Metered, open_meter
from protocol.errors import ServerDraining, ServiceError, SettingsError
from protocol.settings import General, Settings
from providers.service import Providers
from retrieval.client import open_client
from retrieval.modes import load_focus_modes
from retrieval.service import Retrieval
from storage.drafts import Draft
from storage.reference import import_reference
from storage.settings import Sources
from storage.settings_keeper import SettingsKeeper
from storage.sqlite import SqliteStore
from transport.command_line import complain, flags_of, leave, parse
from transport.form import FormLimits
from transport.logs import configure_logs
from transport.process import either, freeze_start, handle_signals
from transport.server import Server, serve
from transport.services import Asking, Health, HealthStatus, Services, UploadDesk
from transport.terminal import Terminal
from upstreams.breaker import UpstreamHealth
from upstreams.retry import Retry
from upstreams.tally import Tally

__version__ = "0.1.0"

T = TypeVar("T")
log = structlog.get_logger(__name__)

Command = Callable[[Settings, Sources, argparse.Namespace], Coroutine[Any, Any, int]]

ANSWERED, FAILED, BAD_USAGE = 0, 1, 2
RESTARTING = 1012
THREADS = 12


class Program:
    """Everything that runs; made for one event loop, started in order, stopped in reverse."""

    def __init__(self, settings: Settings, sources: Sources | None = None) -> None:
        """Take the settings, and where they came from: there they are changed."""
        self.settings = settings
        self._sources = sources or Sources({}, {}, Path(settings.general.data_dir))
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
        client = await stack.enter_async_context(open_client())
        self.tally = Tally()
        self.meter = stack.enter_context(closing(open_meter(self.settings.metrics)))
        retries = self.settings.resilience.retries
        retry = Retry(retries, self.tally, random=secrets.SystemRandom().random)
        self.providers = Providers(self.settings, offload=self._offload, retry=retry)
        stack.push_async_callback(self.providers.close)
        self.retrieval = Retrieval.build(
            self.settings, client=client, offload=self._offload, now=now, retry=retry
        )
        stack.push_async_callback(self.retrieval.close)
        # Only now: settings of no use must not leave files behind.
        self.store = await SqliteStore.open(Path(self.settings.general.data_dir) / "db.sqlite")
        stack.push_async_callback(self.store.close)
        self.keeper = SettingsKeeper(
            self._sources, self.settings, offload=self._offload, apply=self._apply
        )
        stack.push_async_callback(self.keeper.close)
        self.tree = Tree(System(drain_s=limits.drain_s))
        stack.push_async_callback(partial(self.tree.stop, limits.drain_s))
        self.staff = Staff(self.tree, self.settings, self._tools())

    async def drain(self) -> None:
        """Take no more questions, and wait until the running turns have ended."""
        await self.staff.drain(self.patience_s)

    def _tools(self) -> Tools:
        shuffle = secrets.SystemRandom().shuffle
        models, watch = self.providers, self.meter.watch
        return Tools(self.store, self.retrieval, models, now, new_id, shuffle, self.tally, watch)

    def services(self) -> Services:
        """What the HTTP routes may use."""
        return Services(
            store=self.store,
            models=self.providers.models,
            unwell=self.providers.unwell,
            settings=self.keeper,
            uploads=self._upload_desk(),
            delete_chat=self.staff.delete_chat,
            ready=self._ready,
            health=self._health,
            metrics=self.meter.text,
            asking=Asking(
                answer=self.staff.answers.begin,
                extras=ExtrasDesk(self.staff.extras, self.settings.limits),
                resolve=self.providers.resolve,
                modes=tuple(self.retrieval.modes),
                question_chars=self.settings.limits.question_chars,
            ),
        )

    def _upload_desk(self) -> UploadDesk:
        uploads, folder = self.settings.uploads, Path(self.settings.general.data_dir)
        return UploadDesk(
            FormLimits(uploads.files, uploads.file_bytes),
            partial(Draft, folder=folder, offload=self._offload),
            IntakeDesk(self.staff.intake, self.providers, self.settings),
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

    async def _apply(self, settings: Settings) -> None:
        """Bring settings into force that were changed while the program runs."""
        await self.retrieval.configure(settings)
        await self.providers.configure(settings)

    async def _health(self) -> Health:
        try:
            await self.store.check()
            store = ""
        except ServiceError as error:
            store = str(error)
        upstreams = self.upstreams()
        unwell = self.providers.unwell()
        is_degraded = store or unwell or any(each.problem for each in upstreams)
        status: HealthStatus = "degraded" if is_degraded else "ok"
        if self.staff.is_draining:
            status = "draining"
        counts = self.tally.told()
        return Health(status, upstreams, unwell, store, self.staff.backlog(), counts)

    def upstreams(self) -> tuple[UpstreamHealth, ...]:
        """How the services are."""
        return (*self.retrieval.health(), *self.providers.health())

    async def _ready(self) -> None:
        if self.staff.is_draining:
            raise ServerDraining
        await self.store.check()


def now() -> datetime:
    """The wall clock with its zone, for people; order and deadlines come from elsewhere."""
    return datetime.now(UTC).astimezone()


def new_id(size: int) -> str:
    """Random hex digits, two for each byte of ``size``."""
    return secrets.token_hex(size)


async def run_server(settings: Settings, sources: Sources, _: argparse.Namespace) -> int:
    """Serve until told to stop; a second signal ends the process at once."""
    stop = asyncio.Event()
    handle_signals(stop, at_once=FAILED)
    async with Program(settings, sources) as program:
        server = await serve(settings, program.services(), program.staff.converse)
        metered = Metered(program.staff, program.tally, program.upstreams, server.traffic)
        program.meter.start(metered)
        announce(program, server)
        program.prepare()
        freeze_start()
        await either(stop, program.tree.ended)
        log.info("program.stopping")
        await program.drain()
        await server.close(RESTARTING, "restart: come back and resume")
    if program.tree.failure is None:
        return ANSWERED
    complain(f"gave up, {program.tree.failure}")
    return FAILED


def announce(program: Program, server: Server) -> None:
    """Say where it serves, and what it searches and writes with."""
    print(f"python-perplexica {__version__} serves {server.url}")  # noqa: T201
    print(f"  search: {program.retrieval.describe()}")  # noqa: T201
    print(f"  writer: {program.providers.describe()}", flush=True)  # noqa: T201


async def run_import(settings: Settings, _: Sources, options: argparse.Namespace) -> int:
    """Take the chats of a reference database into the store, also while a server uses it."""
    store = await SqliteStore.open(Path(settings.general.data_dir) / "db.sqlite")
    try:
        tally = await import_reference(Path(options.path), store, now=now())
    finally:
        await store.close()
    print("\n".join(tally.lines()))  # noqa: T201
    return ANSWERED


async def run_ask(settings: Settings, sources: Sources, options: argparse.Namespace) -> int:
    """Answer one question in the terminal, through the same actors as the server's."""
    stop = asyncio.Event()
    handle_signals(stop, at_once=FAILED)
    terminal = Terminal(
        options.question,
        focus_mode=options.focus_mode,
        optimization_mode=options.optimization_mode,
        chat_id=new_id(20),
        as_json=options.json,
    )
    async with Program(settings, sources) as program:
        talk = program.tree.system.run(program.staff.converse(terminal, {}), "terminal")
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
    if options.command:
        flags.setdefault("log_level", "error")  # the terminal is for the answer and its stages
    configure_logs(General(), add_facts)
    try:
        sources = Sources(flags, dict(os.environ), Path.cwd())
        settings = sources.read().settings
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
    configure_logs(settings.general, add_facts)
    work = partial(COMMANDS[options.command], settings, sources, options)
    return leave(run(work))


COMMANDS: dict[str | None, Command] = {None: run_server, "ask": run_ask, "import": run_import}


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """The exit code of the work; an error of ours is one plain sentence on stderr."""
    try:
        return asyncio.run(work())
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
    except ServiceError as error:
        complain(str(error))
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # who asked has left
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
