import re
from collections.abc import Mapping

import msgspec

from protocol.base import Value
from protocol.errors import InvalidFormat, SettingRefused, SettingsNotSaved
from storage.bound_keys import HeldSetting
from transport.http import UNREADABLE, Request, Response, Route
from transport.services import Services

# What the web UIs call a setting; one row each.
NAMES = {
    "openaiApiKey": "api_keys_openai",
    "ollamaApiUrl": "api_endpoints_ollama",
    "anthropicApiKey": "api_keys_anthropic",
    "groqApiKey": "api_keys_groq",
    "geminiApiKey": "api_keys_gemini",
    "customOpenaiApiUrl": "custom_openai_api_url",
    "customOpenaiApiKey": "custom_openai_api_key",
    "customOpenaiModelName": "custom_openai_model_name",
}

# The settings among the names that are sent.
SettingsBody = msgspec.defstruct(
    "SettingsBody", [(name, str | msgspec.UnsetType, msgspec.UNSET) for name in NAMES]
)

MOST_CHARS = 4_000
STARS = "*" * 12
SHOWN = 4  # characters at the end of a key, by which its owner knows it
LEAST_SECRET = 12  # characters of a key of which so many may be shown
_MASK = re.compile(r"\*{12}.{0,4}")


class ListedModel(Value, frozen=True, rename="camel"):
    """A model on offer."""

    name: str
    display_name: str


Listed = dict[str, list[ListedModel]]

Config = msgspec.defstruct(
    "Config",
    [
        ("chatModelProviders", Listed),
        ("embeddingModelProviders", Listed),
        *((name, str) for name in NAMES),
        ("fixed", dict[str, str], {}),
        ("unwell", dict[str, str], {}),
    ],
    bases=(Value,),
    frozen=True,
    omit_defaults=True,
)


class Changed(Value, frozen=True, omit_defaults=True):
    """That the settings are kept; ``fixed`` and ``removed`` are left out where there are none."""

    message: str
    fixed: Mapping[str, str] = {}
    removed: tuple[str, ...] = ()


async def show_config(_: Request, services: Services) -> Response:
    """The models on offer and the settings of the web UI, each key behind a mask.

    ``fixed`` names the settings that a flag or the environment decides, and by what; ``unwell`` the
    providers that do not work, and why. Both are left out when there are none.
    """
    lists = await services.models()
    held = {name: services.settings.held(key) for name, key in NAMES.items()}
    told = {
        "chatModelProviders": _listed(lists.chat),
        "embeddingModelProviders": _listed(lists.embedding),
        **{name: _shown(setting) for name, setting in held.items()},
        "fixed": {name: s.fixed_by for name, s in held.items() if s.fixed_by},
        "unwell": services.unwell(),
    }
    return Response.of(msgspec.convert(told, Config))


async def change_config(request: Request, services: Services) -> Response:
    """Take over the settings among the names sent; all else that a web UI sends is ignored.

    A key sent back behind its mask stays as it is; empty text removes. ``fixed`` in the answer
    names what was kept, but stays without effect while a flag or the environment decides it. A key
    whose address changes is removed unless it is given anew; ``removed`` in the answer names it.

    Raises:
        SettingRefused: An address would change, but its key could not be removed.
        InvalidFormat: The body is no object, or a setting in it no text of sane length.

    """
    sent = msgspec.to_builtins(request.body_as(SettingsBody))
    texts = {name: _checked(name, text) for name, text in sent.items()}
    held = {name: services.settings.held(NAMES[name]) for name in texts}
    wanted = {
        name: text
        for name, text in texts.items()
        if not (held[name].secret and _MASK.fullmatch(text))
    }
    fixed = {name: held[name].fixed_by for name in wanted if wanted[name] != held[name].text}
    removed = await services.settings.change({NAMES[name]: text for name, text in wanted.items()})
    return Response.of(
        Changed(
            "Config updated",
            {name: by for name, by in fixed.items() if by},
            tuple(name for name, key in NAMES.items() if key in removed),
        )
    )


def _checked(name: str, sent: str) -> str:
    text = sent.strip()
    if len(text) > MOST_CHARS or not text.isprintable():
        raise InvalidFormat(f"{name}: is too long, or has characters that cannot be seen")
    if STARS in text and not _MASK.fullmatch(text):
        raise InvalidFormat(f"{name}: is a mask with something else")
    return text


def _shown(setting: HeldSetting) -> str:
    return masked(setting.text) if setting.secret else setting.text


def masked(secret: str) -> str:
    """A mask of fixed length with the last characters of a secret; of a short one it has none."""
    if not secret:
        return ""
    return STARS + secret[-SHOWN:] if len(secret) >= LEAST_SECRET else STARS


def _listed(providers: Mapping[str, Mapping[str, str]]) -> Listed:
    return {
        provider: [ListedModel(model, name) for model, name in models.items()]
        for provider, models in providers.items()
    }


ROUTES = (
    Route("GET", "/api/config", show_config, access="admin", shows=Config),
    Route(
        "POST",
        "/api/config",
        change_config,
        access="admin",
        body=SettingsBody,
        shows=Changed,
        errors=(*UNREADABLE, SettingRefused, SettingsNotSaved),
    ),
)
