"""Checks of the machine: folder, disk, store, port."""

import asyncio
import errno
from contextlib import suppress

from access.gate import check_access
from doctor.finding import Finding, failed, warned, well
from doctor.patient import Patient, unusable
from protocol.errors import SettingsError, StorageUnavailable
from storage.examination import examine
from storage.folder import LEAST_FREE_BYTES, WORDS, tried
from transport.server import not_listening

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not listened on here
ANSWER_S = 2.0
OURS = b'\r\n\r\n{"status":"ok"}'  # all that we say to it
ASKED = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HEALTH_BYTES = 64 * 1024
MIB = 1024 * 1024


async def check_settings(patient: Patient) -> Finding:
    """Where the settings come from, and whether a server would start with them.

    Those of no use are found before any check.
    """
    try:
        check_access(patient.settings)
    except SettingsError as error:
        return unusable(error)
    if patient.file.text:
        return well(f"read from {patient.file.path} and the environment")
    return well("read from the environment; there is no config.toml")


async def check_folder(patient: Patient) -> Finding:
    """Whether the data folder can be written to."""
    folder = await patient.offload(lambda: tried(patient.folder))
    if folder.trouble in {"closed", "misplaced"}:
        advice = "make it writable for the user who runs this, or name another: PERPLEXICA_DATA_DIR"
        if not folder.exists:
            says = f"{folder.path} cannot be made: its place {WORDS[folder.trouble]}"
            return failed(says, advice)
        return failed(f"{folder.path} {WORDS[folder.trouble]}; is it read-only?", advice)
    told = "can be written to" if folder.exists else "will be made by the first start"
    return well(f"{folder.path} {told}")


async def check_disk(patient: Patient) -> Finding:
    """Whether the disk has room."""
    folder = await patient.offload(lambda: tried(patient.folder))
    room = f"{folder.free_bytes // MIB} MiB are free on the disk of {folder.path}"
    if folder.trouble == "full":
        return failed(f"the disk of {folder.path} is full ({room})", "make room on it")
    if folder.trouble == "broken":
        return failed(f"the disk of {folder.path} reports an error", "see what the system log says")
    if folder.free_bytes < LEAST_FREE_BYTES:
        return warned(f"only {room}", "make room on it")
    return well(room)


async def check_store(patient: Patient) -> Finding:
    """Whether the database can be read, is sound and ours."""
    path = (patient.folder / "db.sqlite").resolve()
    try:
        found = await examine(path)
    except StorageUnavailable as error:
        return failed(str(error), "bring it back from a copy, or move it away to begin anew")
    if found is None or not found.version:
        return well("there is none yet; the first start makes it")
    older = "" if found.is_newest else "; the next start brings it up to date"
    return well(f"{path} is sound and has {found.chats} chats{older}")


async def check_port(patient: Patient) -> Finding:
    """Whether the port is free, or served by this program already."""
    general = patient.settings.general
    place = f"{general.host}:{general.port}"
    try:
        listening = await asyncio.start_server(
            _nobody, general.host, general.port, reuse_address=True, start_serving=False
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE and await _is_ours(general.host, general.port):
            return well(f"this program serves {place} already")
        is_taken = error.errno == errno.EADDRINUSE
        advice = "stop the other program, or name another port" if is_taken else "change it"
        return failed(str(not_listening(error, general)), advice)
    listening.close()
    return well(f"{place} is free" if general.port else "any free one is taken")


def _nobody(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _is_ours(host: str, port: int) -> bool:
    """Whether what listens there answers as this program does."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(EVERYWHERE.get(host, host), port)
            try:
                writer.write(ASKED)
                return OURS in await _whole(reader)
            finally:
                writer.close()
    return False


async def _whole(reader: asyncio.StreamReader) -> bytes:
    """All that is said, up to a bound."""
    try:
        return await reader.readexactly(HEALTH_BYTES)
    except asyncio.IncompleteReadError as error:
        return error.partial
