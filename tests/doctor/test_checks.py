"""The checks are carried out side by side, each within its time."""

import asyncio
from pathlib import Path

from doctor.checks import MACHINE, SERVICES, _all, examined
from doctor.command import lines
from doctor.finding import Finding, failed, warned, well
from doctor.machine import check_port
from protocol.errors import StorageUnavailable
from protocol.service_settings import ApiEndpoints
from tests.doctor.places import patient


def says_hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A program that speaks HTTP, and is not ours."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    writer.close()


async def test_check_without_an_end_is_ended() -> None:
    """The others are told all the same, in their order."""

    async def hangs() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def answers() -> Finding:
        return well("it is")

    found = await _all({"first": hangs, "second": answers}, within_s=0.01)
    assert list(found) == ["first", "second"]
    assert "no end within 0.01 s" in found["first"].says
    assert found["second"] == well("it is")


async def test_checks_run_side_by_side() -> None:
    """Each waits for the other here."""
    meeting = asyncio.Barrier(2)

    async def meets() -> Finding:
        await meeting.wait()
        return well("met")

    found = await _all({"one": meets, "other": meets}, within_s=10)
    assert {finding.state for finding in found.values()} == {"ok"}


async def test_error_of_ours_is_a_failure_in_its_own_words() -> None:
    """It ends no other check."""

    async def raises() -> Finding:
        raise StorageUnavailable("it is damaged")

    found = await _all({"store": raises}, within_s=10)
    assert found["store"].state == "failed"
    assert "it is damaged" in found["store"].says


async def test_check_that_breaks_costs_no_other() -> None:
    """It is a bug, and said to be one."""

    async def breaks() -> Finding:
        raise KeyError

    async def answers() -> Finding:
        return well("it is")

    found = await _all({"one": breaks, "other": answers}, within_s=10)
    assert (found["one"].state, found["one"].advice) == ("failed", "report it as a bug")
    assert found["other"].state == "ok"


async def test_settings_of_no_use_leave_the_machine_to_be_looked_at(tmp_path: Path) -> None:
    """What could not be asked is said to be so."""
    found = await examined(patient(tmp_path, endpoints=ApiEndpoints(searxng="http://")))
    assert found["settings"].state == "failed"
    assert {found[name].state for name in MACHINE if name != "settings"} == {"ok"}
    assert {found[name].says for name in SERVICES} == {"not looked at"}


async def test_port_of_another_program_is_taken(tmp_path: Path) -> None:
    """Only an answer of ours makes it ours."""
    server = await asyncio.start_server(says_hello, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        finding = await check_port(patient(tmp_path, port=port))
    assert finding.state == "failed"
    assert "another program listens there" in finding.says


async def test_address_at_which_no_server_would_start_is_told(tmp_path: Path) -> None:
    """Without knowing who asks it serves this machine alone; all else is looked at."""
    found = await examined(patient(tmp_path, host="0.0.0.0"))
    assert found["settings"].state == "failed"
    assert "PERPLEXICA_HOST" in found["settings"].says
    assert {found[name].state for name in MACHINE if name != "settings"} == {"ok"}


def test_each_finding_is_one_line() -> None:
    """With what to do about it, whatever a service has put into its words."""
    report = {"a": well("it is"), "long": warned("two\nlines", "mend it"), "b": failed("x", "y")}
    assert list(lines(report)) == [
        "ok      a     it is",
        "warning long  two lines -> mend it",
        "failed  b     x -> y",
    ]
