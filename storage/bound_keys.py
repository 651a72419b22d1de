"""Which key goes to which address: a saved key is for the address that it was saved with."""

from collections.abc import Callable, Mapping

from protocol.base import Value
from protocol.errors import SettingRefused
from protocol.service_settings import ApiEndpoints, ApiKeys

# The key that is sent to an address, both as keys of settings.
KEY_OF = {
    "custom_openai_api_url": "custom_openai_api_key",
    **{
        f"api_endpoints_{name}": f"api_keys_{name}"
        for name in ApiEndpoints.__struct_fields__
        if name in ApiKeys.__struct_fields__
    },
}


class HeldSetting(Value, frozen=True):
    """A setting as it is in force; ``fixed_by`` names the flag or variable that decides it."""

    text: str
    secret: bool
    fixed_by: str = ""

    def __repr__(self) -> str:
        """Say nothing of the text: it may be a key."""
        return f"HeldSetting(fixed_by={self.fixed_by!r})"


def outdated(wanted: Mapping[str, str], held: Callable[[str], HeldSetting]) -> list[str]:
    """The keys of settings that hold a key for an address which is to change.

    A key that is given anew together with the address is not among them. Otherwise whoever may
    change settings, but not read keys, could have a key sent to an address of their own.

    Args:
        wanted: The texts to come, by the keys of their settings.
        held: Tells the setting that is in force.

    Raises:
        SettingRefused: A flag or the environment decides the key, so that it cannot be removed.

    """
    moved = [url for url in wanted if url in KEY_OF and _moves(held(url), wanted[url])]
    keys = [KEY_OF[url] for url in moved]
    left = [key for key in keys if key not in wanted and held(key).text]
    for key in left:
        if held(key).fixed_by:
            raise SettingRefused(
                "The address", f"as it was, as {held(key).fixed_by} sets the key that goes there"
            )
    return left


def _moves(address: HeldSetting, text: str) -> bool:
    return not address.fixed_by and address.text.rstrip("/") != text.rstrip("/")
