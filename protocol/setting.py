"""What every field of the settings is made of: its type with its bounds, and what is said of it."""

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Quota = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Bytes = Annotated[int, Meta(ge=1024, le=1_000_000_000)]
Address = Annotated[str, Meta(pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$")]
Origin = Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9._:\[\]-]+$")]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
KeptSeconds = Annotated[int, Meta(ge=0, le=7 * 86_400)]


def described(
    doc: str, *, env: tuple[str, ...] = (), also: tuple[str, ...] = (), secret: bool = False
) -> Meta:
    """What is said of a field beyond its type."""
    return Meta(description=doc, extra={"env": env, "also": also, "secret": secret})


def model_key(doc: str, name: str) -> Meta:
    """What is said of the key of a model service that files of the reference name too."""
    also = (f"[MODELS.{name}] API_KEY",)
    return described(doc, env=(f"{name}_API_KEY",), also=also, secret=True)
