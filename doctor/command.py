"""``perplexica doctor``: looks at all that is needed, and says what to mend."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import msgspec

from doctor.checks import examined
from doctor.finding import Report
from doctor.patient import Patient, unusable
from protocol.errors import SettingsError
from storage.settings import Sources
from transport.logs import configure_logs
from transport.terminal import hush, say
from upstreams.dates import Dates

T = TypeVar("T")

WELL, FAILED, BAD_SETTINGS = 0, 1, 2
THREADS = 16


async def run_doctor(sources: Sources, *, as_json: bool, now: Callable[[], datetime]) -> int:
    """Print what was found; 0 nothing has failed, 1 something has, 2 the settings cannot be read.

    Nothing is changed, and a server may run on the same folder meanwhile.
    """
    try:
        reading = sources.read()
    except SettingsError as error:
        show({"settings": unusable(error)}, as_json=as_json)
        return BAD_SETTINGS
    configure_logs(reading.settings.general)
    threads = ThreadPoolExecutor(THREADS, "doctor")

    async def offload(work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    dates = Dates(now)
    patient = Patient(reading.settings, reading.file, sources.environ, offload, now, dates)
    try:
        report = await examined(patient)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    show(report, as_json=as_json)
    return WELL if is_well(report) else FAILED


def is_well(report: Report) -> bool:
    """Whether nothing has failed."""
    return all(finding.state != "failed" for finding in report.values())


def show(report: Report, *, as_json: bool) -> None:
    """One line for each check, or one JSON object; in vain where nobody can read it."""
    whole = {"ok": is_well(report), "checks": report}
    text = msgspec.json.encode(whole).decode() if as_json else "\n".join(lines(report))
    try:
        say(f"{text}\n")
    except OSError:  # the reader has left, the disk is full; the exit code tells it all the same
        hush()


def lines(report: Report) -> Iterator[str]:
    """State, name, what was found, and what to do about it; each in one line."""
    width = max(map(len, report))
    for name, finding in report.items():
        advice = f" -> {finding.advice}" if finding.advice else ""
        yield f"{finding.state:8}{name:{width}}  {' '.join(f'{finding.says}{advice}'.split())}"
