"""The command line: reads the settings, and does what it is told."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from access.gate import check_access
from actors.context import add_facts
from metrics.meter import Metered
from program import Program, new_id, now
from protocol.access import identify_keeper
from protocol.errors import ServiceError, SettingsError
from protocol.settings import General, Settings
from retrieval.modes import load_focus_modes
from storage.settings import Sources
from storage.sqlite import SqliteStore
from transport.command_line import complain, flags_of, leave, parse
from transport.logs import configure_logs
from transport.process import either, freeze_start, handle_signals
from transport.replay import replaying
from transport.server import Server, serve
from transport.store_commands import StoreCommand, import_chats, manage_accounts
from transport.terminal import Terminal, say
from transport.trace_commands import show_traces

__version__ = "0.1.0"

log = structlog.get_logger(__name__)

Command = Callable[[Settings, Sources, argparse.Namespace], Coroutine[Any, Any, int]]

ANSWERED, FAILED, BAD_USAGE = 0, 1, 2
RESTARTING = 1012


async def run_server(settings: Settings, sources: Sources, _: argparse.Namespace) -> int:
    """Serve until told to stop; a second signal ends the process at once."""
    check_access(settings)
    stop = asyncio.Event()
    handle_signals(stop, at_once=FAILED)
    async with Program(settings, sources) as program:
        server = await serve(settings, program.services(), program.staff.converse)
        metered = Metered(program.staff, program.tally, program.vitals.upstreams, server.traffic)
        program.meter.start(metered)
        await announce(program, server)
        prepared = program.prepare()
        freeze_start()
        prepared.add_done_callback(lambda _: freeze_start())
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
        await program.retrieval.ready()  # on a slow machine loading takes longer than a search may
        talking = program.staff.converse(terminal, {}, identify_keeper)
        talk = program.tree.system.run(talking, "terminal")
        await either(terminal.ended, stop)
        if stop.is_set():
            program.patience_s = 0.0  # nobody waits for the answer any more
            await terminal.close()
        await talk
    return FAILED if terminal.failed else ANSWERED


async def consult_doctor(sources: Sources, *, as_json: bool) -> int:
    """Look at all that is needed; see ``doctor.command``."""
    from doctor.command import run_doctor  # noqa: PLC0415 - imports what a server needs later

    return await run_doctor(sources, as_json=as_json, now=now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 answered or stopped, 1 failed, 2 bad usage or settings."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parse(given, version=__version__, focus_modes=load_focus_modes())
    flags = flags_of(options)
    if options.command:
        flags.setdefault("log_level", "error")  # the terminal is for the answer and its stages
    configure_logs(General(), add_facts)
    sources = Sources(flags, dict(os.environ), Path.cwd())
    if options.command == "doctor":  # it looks at the settings itself, and tells what is wrong
        return leave(run(partial(consult_doctor, sources, as_json=options.json)))
    try:
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
