"""What is said of a message beside its text, in the shape that clients read."""

from datetime import UTC, datetime

from protocol.base import Value
from protocol.values import Node
from storage.text import as_json


class _SourceMetadata(Value, frozen=True, omit_defaults=True):
    title: str
    url: str
    img_src: str | None = None


class _Source(Value, frozen=True, rename="camel"):
    page_content: str
    metadata: _SourceMetadata


class _Metadata(Value, frozen=True, rename="camel", omit_defaults=True):
    created_at: str
    sources: tuple[_Source, ...] | None = None
    error: str | None = None


def wire_time(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: ``2026-11-22T12:03:50.493Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def question_metadata(at: datetime) -> str:
    """Metadata of a question as JSON."""
    return as_json(_Metadata(wire_time(at)))


def answer_metadata(at: datetime, sources: tuple[Node, ...], error: str | None) -> str:
    """Metadata of an answer as JSON; ``error`` is left out when there is none."""
    return as_json(_Metadata(wire_time(at), tuple(map(_source, sources)), error))


def _source(node: Node) -> _Source:
    return _Source(node.text, _SourceMetadata(node.title, node.url, node.img_src))
