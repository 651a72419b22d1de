"""Composition root and command line: reads settings, builds everything, starts and stops it."""

import argparse
import asyncio
import os
import secrets
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

from access.accounts import Registry
from access.gate import Gate, check_access
from access.passwords import Passwords
from actors.context import add_facts
from actors.extras import ExtrasDesk
from actors.intake import IntakeDesk
from actors.staff import Staff, Tools
from actors.supervisor import Tree
from actors.system import System
from protocol.access import identify_keeper
from protocol.errors import ServiceError, SettingsError
from protocol.settings import General, Settings
from providers.service import Providers
from retrieval.client import open_client
from retrieval.modes import load_focus_modes
from retrieval.service import Retrieval
from storage.drafts import Draft
from storage.settings import Sources
from storage.settings_keeper import SettingsKeeper
from storage.sqlite import SqliteStore
from transport.command_line import complain, flags_of, leave, parse
from transport.form import FormLimits
from transport.health import check_ready, read_health
from transport.logs import configure_logs
from transport.process import either, freeze_start, handle_signals
from transport.replay import replaying
from transport.server import Server, serve
from transport.services import Asking, Services, UploadDesk
from transport.store_commands import StoreCommand, import_chats, manage_accounts
from transport.terminal import Terminal, say
from transport.trace_commands import show_traces
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
        keeping = (self.store.accounts, self.staff.perform, Passwords(self._offload))
        self.gate = Gate.of(self.settings.access, Registry(*keeping, now, new_id))

    async def drain(self) -> None:
        """Take no more questions, and wait until the running turns have ended."""
        await self.staff.drain(self.patience_s)

    def _tools(self) -> Tools:
        shuffle = secrets.SystemRandom().shuffle
        return Tools(self.store, self.retrieval, self.providers, now, new_id, shuffle, self.tally)

    def services(self) -> Services:
        """What the HTTP routes may use."""
        return Services(
            store=self.store,
            models=self.providers.models,
            unwell=self.providers.unwell,
            settings=self.keeper,
            uploads=self._upload_desk(),
            delete_chat=self.staff.delete_chat,
            ready=partial(check_ready, self.store, self.staff),
            health=partial(
                read_health, self.store, self.retrieval, self.providers, self.staff, self.tally
            ),
            gate=self.gate,
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


def now() -> datetime:
    """The wall clock with its zone, for people; order and deadlines come from elsewhere."""
    return datetime.now(UTC).astimezone()


def new_id(size: int) -> str:
    """Random hex digits, two for each byte of ``size``."""
    return secrets.token_hex(size)


async def run_server(settings: Settings, sources: Sources, _: argparse.Namespace) -> int:
    """Serve until told to stop; a second signal ends the process at once."""
    check_access(settings)
    stop = asyncio.Event()
    handle_signals(stop, at_once=FAILED)
    async with Program(settings, sources) as program:
        server = await serve(settings, program.services(), program.staff.converse)
        await announce(program, server)
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


async def announce(program: Program, server: Server) -> None:
    """Say where it serves, what it searches and writes with, and what is still to be done."""
    token = await program.gate.door.begin_set_up()
    lines = (
        f"python-perplexica {__version__} serves {server.url}",
        f"  search: {program.retrieval.describe()}",
        f"  writer: {program.providers.describe()}",
        *([f"  setup token of the first account: {token}"] if token else ()),
    )
    print("\n".join(lines), flush=True)  # noqa: T201


def on_store(work: StoreCommand) -> Command:
    """A command that works on the store alone, also while a server uses it."""

    async def run_it(settings: Settings, _: Sources, options: argparse.Namespace) -> int:
        store = await SqliteStore.open(Path(settings.general.data_dir) / "db.sqlite")
        try:
            lines = await work(store, options, now, new_id)
        finally:
            await store.close()
        say("".join(f"{line}\n" for line in lines))
        return ANSWERED

    return run_it


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
        talking = program.staff.converse(terminal, {}, identify_keeper)
        talk = program.tree.system.run(talking, "terminal")
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


COMMANDS: dict[str | None, Command] = {
    None: run_server,
    "ask": run_ask,
    "trace": replaying(Program, on_store(show_traces)),
    "import": on_store(import_chats),
    "user": on_store(manage_accounts),
    "key": on_store(manage_accounts),
}


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
