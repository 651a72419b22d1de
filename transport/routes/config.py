import re
from collections.abc import Mapping
from typing import Any

from protocol.errors import InvalidFormat
from storage.bound_keys import HeldSetting
from transport.http import Request, Response, Route
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

MOST_CHARS = 4_000
STARS = "*" * 12
SHOWN = 4  # characters at the end of a key, by which its owner knows it
LEAST_SECRET = 12  # characters of a key of which so many may be shown
_MASK = re.compile(r"\*{12}.{0,4}")


async def show_config(_: Request, services: Services) -> Response:
    """The models on offer and the settings of the web UI, each key behind a mask.

    ``fixed`` names the settings that a flag or the environment decides, and by what; ``unwell`` the
    providers that do not work, and why. Both are left out when there are none.
    """
    lists = await services.models()
    held = {name: services.settings.held(key) for name, key in NAMES.items()}
    return Response.of(
        {
            "chatModelProviders": _listed(lists.chat),
            "embeddingModelProviders": _listed(lists.embedding),
            **{name: _shown(setting) for name, setting in held.items()},
            **_told("fixed", {name: s.fixed_by for name, s in held.items() if s.fixed_by}),
            **_told("unwell", services.unwell()),
        }
    )


async def change_config(request: Request, services: Services) -> Response:
    """Take over the settings among the names sent; all else that a web UI sends is ignored.

    A key sent back behind its mask stays as it is; empty text removes. ``fixed`` in the answer
    names what was kept, but stays without effect while a flag or the environment decides it. A key
    whose address changes is removed unless it is given anew; ``removed`` in the answer names it.

    Raises:
        SettingRefused: An address would change, but its key could not be removed.
        InvalidFormat: The body is no object, or a setting in it no text of sane length.

    """
    sent = request.body_as(dict[str, Any])
    texts = {name: _checked(name, sent[name]) for name in NAMES if name in sent}
    held = {name: services.settings.held(NAMES[name]) for name in texts}
    wanted = {
        name: text
        for name, text in texts.items()
        if not (held[name].secret and _MASK.fullmatch(text))
    }
    fixed = {name: held[name].fixed_by for name in wanted if wanted[name] != held[name].text}
    removed = await services.settings.change({NAMES[name]: text for name, text in wanted.items()})
    return Response.of(
        {
            "message": "Config updated",
            **_told("fixed", {name: by for name, by in fixed.items() if by}),
            **_told("removed", [name for name, key in NAMES.items() if key in removed]),
        }
    )


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFormat(f"{name}: must be text")
    text = value.strip()
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


def _listed(providers: Mapping[str, Mapping[str, str]]) -> dict[str, list[dict[str, str]]]:
    return {
        provider: [{"name": model, "displayName": name} for model, name in models.items()]
        for provider, models in providers.items()
    }


def _told(name: str, value: object) -> dict[str, object]:
    return {name: value} if value else {}


ROUTES = (
    Route("GET", "/api/config", show_config, access="admin"),
    Route("POST", "/api/config", change_config, access="admin"),
)
