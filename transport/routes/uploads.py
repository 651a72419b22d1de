from contextlib import ExitStack
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from protocol.base import Value
from protocol.errors import (
    Busy,
    FileRefused,
    FileUnreadable,
    InvalidFormat,
    ServerDraining,
    StorageUnavailable,
)
from protocol.settings import Settings
from protocol.values import ModelChoice, Upload
from transport.form import Form, FormLimits
from transport.http import UNREADABLE, Request, Response, Route
from transport.services import Draft, Services

File = Annotated[Any, Meta(extra_json_schema={"type": "string", "format": "binary"})]


class UploadForm(msgspec.Struct):
    """What the form has: files, and perhaps the embedding model whose vectors are wanted."""

    files: Annotated[list[File], Meta(min_length=1)]
    embedding_model_provider: str = ""
    embedding_model: str = ""


class ShownFile(Value, frozen=True, rename="camel"):
    """A file that was taken in; questions name its id."""

    file_name: str
    file_extension: str
    file_id: str


class Taken(Value, frozen=True):
    """The files, in the order in which they came."""

    files: list[ShownFile]


async def take_files(request: Request, services: Services) -> Response:
    """Keep the files of a form, for questions to name; told in the order in which they came.

    The fields ``embedding_model_provider`` and ``embedding_model`` say whose vectors are wanted.

    Raises:
        InvalidFormat: The form has no file.

    """
    uploads = services.uploads
    drafts: list[Draft] = []
    with ExitStack() as stack:

        def begin(name: str) -> Draft:
            draft = uploads.draft(name)
            stack.callback(draft.close)
            drafts.append(draft)
            return draft

        form = Form(uploads.limits, field="files", begin=begin)
        assert request.stream is not None
        await form.read(request.headers.get("content-type", ""), request.stream)
        for draft in drafts:
            await draft.finish()
        if not drafts:
            raise InvalidFormat("files: is missing")
        kept = await uploads.take_in(drafts, _embedding(form), request.person.name)
    return Response.of(Taken([_shown(upload) for upload in kept]))


def _embedding(form: Form) -> ModelChoice:
    provider = form.fields.get("embedding_model_provider", "")
    return ModelChoice(provider, form.fields.get("embedding_model", ""))


def _shown(upload: Upload) -> ShownFile:
    return ShownFile(upload.name, upload.extension, upload.id)


def _body_bytes(settings: Settings) -> int:
    return FormLimits(settings.uploads.files, settings.uploads.file_bytes).body_bytes


ROUTES = (
    Route(
        "POST",
        "/api/uploads",
        take_files,
        streams=_body_bytes,
        body=UploadForm,
        shows=Taken,
        errors=(
            *UNREADABLE,
            *(FileRefused, FileUnreadable, StorageUnavailable, Busy, ServerDraining),
        ),
    ),
)
