"""A clock that is off is told, from what others say and from what is stored."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from doctor.clock import check_clock, off_by, span
from doctor.finding import Finding
from storage.sqlite import SqliteStore
from tests.doctor.places import NOON, patient
from tests.storage.examples import asked


async def found(folder: Path, *, newest_in_s: float) -> Finding:
    """What is found at noon, where the newest question came so much later."""
    store = await SqliteStore.open(folder / "data" / "db.sqlite")
    at = NOON + timedelta(seconds=newest_in_s)
    await store.commit([msgspec.structs.replace(asked("t", "c", "m"), at=at)])
    await store.close()
    return await check_clock(patient(folder))


@pytest.mark.parametrize(("newest_in_s", "state"), [(-9000, "ok"), (60, "ok"), (3600, "failed")])
async def test_store_cannot_be_from_a_time_to_come(
    tmp_path: Path, newest_in_s: float, state: str
) -> None:
    """But by a little, as clocks are set."""
    assert (await found(tmp_path, newest_in_s=newest_in_s)).state == state


async def test_nobody_knows(tmp_path: Path) -> None:
    """Without a store and without a service nothing speaks against it."""
    finding = await check_clock(patient(tmp_path))
    assert finding.state == "ok"
    assert "no service was asked" in finding.says


@pytest.mark.parametrize(
    ("ahead_s", "says"),
    [
        (None, ""),
        (119.0, ""),
        (-120.0, ""),
        (3600.0, "this clock is 60 min ahead of the services'"),
        (-7200.0, "this clock is 2 h behind the services'"),
    ],
)
def test_some_seconds_are_let_pass(ahead_s: float | None, says: str) -> None:
    """Either way."""
    assert off_by(ahead_s) == says


def test_lengths_of_time_are_told_for_people() -> None:
    """Whichever way they go."""
    assert [span(s) for s in (1, -119, 3600, -7200, 90_000, 10 * 86_400)] == [
        *("1 s", "119 s", "60 min", "2 h", "25 h", "10 days"),
    ]
