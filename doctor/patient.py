"""What the checks look at: the settings, the clock, and the services that are set up."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from doctor.finding import Finding, failed
from protocol.base import Value
from protocol.errors import SettingsError
from protocol.offload import Offload
from protocol.settings import Settings
from providers.service import Providers
from retrieval.client import open_client as open_search
from retrieval.searxng import SearxngBackend
from retrieval.service import Retrieval
from storage.settings_file import SettingsFile
from upstreams.dates import Dates


class Patient(Value, frozen=True):
    """The program as it is set up.

    Attributes:
        settings: What holds.
        file: Where they were read from; without text where there is no such file.
        environ: The environment, for the proxies that it names.
        offload: Runs what blocks in a thread.
        now: Our clock.
        dates: What services say of the time while they are asked.

    """

    settings: Settings
    file: SettingsFile
    environ: Mapping[str, str]
    offload: Offload
    now: Callable[[], datetime]
    dates: Dates

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.settings.general.data_dir)


class Upstreams(Value, frozen=True):
    """The services that are set up; ``searxng`` is ``None`` where that is not."""

    providers: Providers
    searxng: SearxngBackend | None


@asynccontextmanager
async def reached(patient: Patient) -> AsyncIterator[Upstreams]:
    """The services, as the program itself would ask them; raises SettingsError as it would."""
    from providers.http import open_client as open_models  # noqa: PLC0415 - imports httpcore

    settings, dates = patient.settings, patient.dates
    async with dates.watch(open_search()) as client:
        # Only to be told of settings that are of no use.
        retrieval = Retrieval.build(
            settings, client=client, offload=patient.offload, now=patient.now
        )
        providers = Providers(
            settings, offload=patient.offload, open_client=lambda: dates.watch(open_models())
        )
        try:
            base, within_s = settings.api_endpoints.searxng, settings.limits.search_s
            searxng = SearxngBackend(base, client, timeout_s=within_s) if base else None
            yield Upstreams(providers, searxng)
        finally:
            await providers.close()
            await retrieval.close()


def unusable(error: SettingsError) -> Finding:
    """A setting with which the program would not start."""
    return failed(str(error), "correct it; the README lists all settings")
