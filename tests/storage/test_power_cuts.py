"""What is committed outlives a power cut; the whole battery is ``make powercuts``."""

from pathlib import Path

import pytest

from tests.storage.power_cuts import LIVES, Story, run

SEEDS = range(1000, 1012)


@pytest.mark.parametrize("seed", SEEDS)
async def test_power_cut_breaks_no_promise(seed: int, tmp_path: Path) -> None:
    """Questions and answers that were acknowledged are whole, other turns end as they stand."""
    story = Story(seed, tmp_path)
    ledger = await story.tell()
    assert not +ledger.broken
    assert story.cuts.total() == LIVES


async def test_power_cuts_meet_turns_of_every_kind() -> None:
    """The seeds are no empty exercise: they cut openings, and turns in the middle."""
    figures = await run(LIVES * len(SEEDS), SEEDS[0])
    assert figures.cuts["in openings"] > 0
    for what in ("questions acknowledged", "answers acknowledged", "others interrupted"):
        assert figures.checked[what] >= len(SEEDS)


async def test_store_without_its_syncs_loses_what_it_acknowledged() -> None:
    """With synchronous = NORMAL the same cuts cost questions: the battery can fail."""
    figures = await run(LIVES * len(SEEDS), SEEDS[0], is_careless=True)
    assert figures.broken["questions lost"] > 0


async def test_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    """A failure can be had again from its seed."""
    first, second = Story(SEEDS[0], tmp_path / "1"), Story(SEEDS[0], tmp_path / "2")
    assert (await first.tell()).turns == (await second.tell()).turns
    assert first.cuts == second.cuts
