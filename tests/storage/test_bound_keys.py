"""A saved key is for the address that it was saved with."""

from collections.abc import Mapping

import pytest

from protocol.errors import SettingRefused
from storage.bound_keys import KEY_OF, HeldSetting, outdated

URL, KEY = "custom_openai_api_url", "custom_openai_api_key"


def keys(
    wanted: Mapping[str, str], *, key: str = "sk-old", fixed: Mapping[str, str] = {}
) -> list[str]:
    """What is to be removed, where an address and a key are in force."""
    texts = {URL: "https://a.example/v1", KEY: key}

    def held(name: str) -> HeldSetting:
        return HeldSetting(texts.get(name, ""), name == KEY, fixed.get(name, ""))

    return outdated(wanted, held)


@pytest.mark.parametrize("text", ["https://b.example/v1", "https://a.example", ""])
def test_key_goes_with_its_address(text: str) -> None:
    """Else it would be sent to whatever address somebody posts."""
    assert keys({URL: text}) == [KEY]


@pytest.mark.parametrize(
    "wanted",
    [
        {URL: "https://a.example/v1"},
        {URL: "https://a.example/v1/"},
        {URL: "https://b.example", KEY: "sk-new"},
        {URL: "https://b.example", KEY: "sk-old"},
        {KEY: "sk-new"},
        {"api_endpoints_ollama": "http://localhost:1"},
        {},
    ],
)
def test_key_stays_with_its_address_or_is_given_anew(wanted: dict[str, str]) -> None:
    """What the web UI posts each time it saves removes nothing."""
    assert keys(wanted) == []


def test_without_a_key_any_address_can_be_set() -> None:
    """There is nothing to protect."""
    assert keys({URL: "https://b.example"}, key="") == []


def test_address_whose_key_the_environment_sets_cannot_be_changed() -> None:
    """The key cannot be removed from there; who may change both sets both there."""
    with pytest.raises(SettingRefused, match="as OPENAI_KEY sets the key"):
        keys({URL: "https://b.example"}, fixed={KEY: "OPENAI_KEY"})
    assert keys({URL: "https://b.example"}, fixed={KEY: "A", URL: "B"}) == []


def test_every_address_of_a_service_has_its_key() -> None:
    """The rows come from the settings themselves."""
    assert KEY_OF["api_endpoints_openai"] == "api_keys_openai"
    assert "api_endpoints_ollama" not in KEY_OF
    assert len(KEY_OF) == 9


def test_setting_is_not_shown_by_its_repr() -> None:
    """Neither in a log nor in an error."""
    assert "sk-old" not in repr(HeldSetting("sk-old", secret=True))
