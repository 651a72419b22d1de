"""The composition root: builds everything, starts it in order and stops it in reverse."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import structlog

from access.accounts import Registry
from access.gate import Gate
from access.passwords import Passwords
from access.quotas import guesses_of
from actors.extras import ExtrasDesk
from actors.intake import IntakeDesk
from actors.staff import Staff, Tools
from actors.supervisor import Tree
from actors.system import System
from doctor.health import Vitals
from metrics.meter import open_meter
from protocol.errors import ServiceError
from protocol.settings import Settings
from providers.service import Providers
from retrieval.client import open_client
from retrieval.service import Retrieval
from storage.drafts import Draft
from storage.folder import check_folder
from storage.settings import Sources
from storage.settings_keeper import SettingsKeeper
from storage.sqlite import SqliteStore
from transport.form import FormLimits
from transport.services import Asking, Services, UploadDesk
from upstreams.dates import Dates
from upstreams.places import Places
from upstreams.retry import Retry
from upstreams.tally import Tally

T = TypeVar("T")
log = structlog.get_logger(__name__)

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
        dates = Dates(now)
        client = await stack.enter_async_context(dates.watch(open_client()))
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
        folder = Path(self.settings.general.data_dir)
        self.store = await SqliteStore.open(folder / "db.sqlite")
        stack.push_async_callback(self.store.close)
        self.keeper = SettingsKeeper(
            self._sources, self.settings, offload=self._offload, apply=self._apply
        )
        stack.push_async_callback(self.keeper.close)
        self.tree = Tree(System(drain_s=limits.drain_s))
        stack.push_async_callback(partial(self.tree.stop, limits.drain_s))
        self.staff = Staff(self.tree, self.settings, self._tools())
        passwords = Passwords(self._offload, most_waiting=limits.passwords)
        keeping = (self.store.accounts, self.staff.perform, passwords)
        guesses = guesses_of(limits, self.tree.system.now)
        self.gate = Gate.of(self.settings.access, Registry(*keeping, now, new_id, guesses))
        self.vitals = Vitals(
            self.store,
            partial(check_folder, folder, Places(self._offload, 1), within_s=limits.store_s),
            self.retrieval,
            self.providers,
            self.staff,
            self.tally,
            dates,
        )

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
            ready=self.vitals.ready,
            health=self.vitals.health,
            gate=self.gate,
            quotas=self.staff.quotas,
            metrics=self.meter.text,
            metrics_token=self.settings.metrics.token,
            asking=Asking(
                answer=self.staff.answers.begin,
                extras=ExtrasDesk(self.staff.extras, self.settings.limits),
                resolve=self.providers.resolve,
                modes=tuple(self.retrieval.modes),
                limits=self.settings.limits,
            ),
        )

    def _upload_desk(self) -> UploadDesk:
        uploads, folder = self.settings.uploads, Path(self.settings.general.data_dir)
        return UploadDesk(
            FormLimits(uploads.files, uploads.file_bytes),
            partial(Draft, folder=folder, offload=self._offload),
            IntakeDesk(self.staff.intake, self.providers, self.settings),
        )

    def prepare(self) -> asyncio.Task[None]:
        """Begin to import and load in the background what the first question will need."""
        return self.tree.system.run(self._prepare(), "prepare")

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
