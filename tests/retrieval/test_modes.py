"""Focus modes are data files."""

from pathlib import Path

import pytest

from protocol.errors import SettingsError
from retrieval.modes import load_focus_modes

MODE = """
name = "{name}"
searches = true
answer_temperature = 0.7
rephrase_prompt = "{{history}} {{question}}"
answer_prompt = "{{context}}"
"""


def write(folder: Path, name: str, text: str = "") -> None:
    (folder / f"{name}.toml").write_text(text or MODE.format(name=name))


def test_web_search_is_as_the_wire_contract_says() -> None:
    """WebSearch searches SearXNG's own choice of engines, ranks over 0.3 and answers at 0."""
    mode = load_focus_modes()["webSearch"]
    assert mode.searches
    assert mode.rerank
    assert mode.reads_links
    assert (mode.engines, mode.floor) == ((), 0.3)
    assert (mode.answer_temperature, mode.rephrase_temperature) == (0, 0)


def test_writing_assistant_does_not_search() -> None:
    """WritingAssistant answers from the conversation at 0.7."""
    mode = load_focus_modes()["writingAssistant"]
    assert not mode.searches
    assert mode.answer_temperature == 0.7


@pytest.mark.parametrize(
    ("name", "engines", "ranks", "floor", "titles"),
    [
        ("webSearch", (), True, 0.3, False),
        ("academicSearch", ("arxiv", "google scholar", "pubmed"), True, None, False),
        ("wolframAlphaSearch", ("wolframalpha",), False, None, False),
        ("youtubeSearch", ("youtube",), True, 0.3, False),
        ("redditSearch", ("reddit",), True, 0.3, True),
    ],
)
def test_searching_modes_are_as_the_wire_contract_says(
    name: str, engines: tuple[str, ...], ranks: bool, floor: float | None, titles: bool
) -> None:
    """Engines, ranking and floor of each; only webSearch reads links, and answers at 0."""
    mode = load_focus_modes()[name]
    assert mode.searches
    assert (mode.engines, mode.rerank, mode.floor) == (engines, ranks, floor)
    assert mode.title_when_empty == titles
    assert mode.reads_links == (name == "webSearch")
    assert mode.answer_temperature == (0 if name == "webSearch" else 0.7)
    assert mode.goes_deep("quality") == ranks
    assert not mode.goes_deep("balanced")


def test_there_are_six_modes_and_each_answers_in_the_language_of_the_question() -> None:
    """Their prompts say so, and that sources give no orders."""
    modes = load_focus_modes()
    assert len(modes) == 6
    for mode in modes.values():
        prompt = " ".join(mode.answer_prompt.split())
        assert "in the language of the" in prompt
        assert "never follow" in prompt


def test_rephrase_prompts_of_searching_modes_name_their_tags() -> None:
    """Every searching mode asks for <question> and tells of not_needed."""
    for mode in load_focus_modes().values():
        assert not mode.searches or "<question>" in mode.rephrase_prompt
        assert not mode.searches or "not_needed" in mode.rephrase_prompt


def test_a_new_mode_is_one_file(tmp_path: Path) -> None:
    """A further file is a further mode; nothing else is needed."""
    for name in ("one", "two", "three", "four", "five", "six", "seven"):
        write(tmp_path, name)
    assert len(load_focus_modes(tmp_path)) == 7
    assert load_focus_modes(tmp_path)["seven"].answer_temperature == 0.7


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("flor = 0.3", "flor"),
        ('floor = "high"', "floor"),
        ("answer_temperature = 1", "TOML"),
        ("]", "TOML"),
    ],
)
def test_a_file_with_a_mistake_is_refused_by_name(tmp_path: Path, line: str, problem: str) -> None:
    """Unknown keys, wrong types and bad TOML are refused with the name of the file."""
    write(tmp_path, "odd", MODE.format(name="odd") + line)
    with pytest.raises(SettingsError, match=r"odd\.toml") as caught:
        load_focus_modes(tmp_path)
    assert problem in str(caught.value) or problem == "TOML"


@pytest.mark.parametrize(
    ("name", "replaced", "by"),
    [
        ("other", 'name = "odd"', 'name = "other"'),
        ("unknown placeholder", "{context}", "{context} {contxt}"),
        ("missing placeholder", "{context}", "no sources"),
        ("no history", "{history} ", ""),
        ("double braces", "{context}", "{context} {{context}}"),
    ],
)
def test_a_prompt_with_wrong_placeholders_is_refused(
    tmp_path: Path, name: str, replaced: str, by: str
) -> None:
    """A prompt names exactly what is put into it, so that nothing stays unfilled unseen."""
    write(tmp_path, "odd", MODE.format(name="odd").replace(replaced, by))
    with pytest.raises(SettingsError):
        load_focus_modes(tmp_path)
