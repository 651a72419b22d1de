"""A set-up for the doctor's checks, and what they came to."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from doctor.patient import Patient
from protocol.service_settings import ApiEndpoints
from protocol.settings import General, Limits, Settings
from storage.settings_file import SettingsFile
from upstreams.dates import Dates

T = TypeVar("T")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def in_a_thread(work: Callable[[], T]) -> T:
    """What it returns."""
    return await asyncio.to_thread(work)


def patient(
    folder: Path,
    *,
    port: int = 0,
    environ: Mapping[str, str] | None = None,
    endpoints: ApiEndpoints | None = None,
    first_token_s: float = 30,
    host: str = "127.0.0.1",
) -> Patient:
    """A program that is well, and has no services unless they are given."""
    general = General(host=host, port=port, data_dir=str(folder / "data"))
    limits = Limits(first_token_s=first_token_s)
    settings = Settings(general=general, api_endpoints=endpoints or ApiEndpoints(), limits=limits)
    file = SettingsFile(folder / "config.toml")
    return Patient(settings, file, environ or {}, in_a_thread, lambda: NOON, Dates(lambda: NOON))
