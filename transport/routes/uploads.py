from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial

from protocol.errors import InvalidFormat
from protocol.settings import Settings
from protocol.values import ModelChoice, Upload
from transport.form import Form, FormLimits
from transport.http import Request, Response, Route
from transport.services import Draft, Services


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
        await form.read(request.headers.get("content-type", ""), _counted(request, services))
        for draft in drafts:
            await draft.finish()
        if not drafts:
            raise InvalidFormat("files: is missing")
        kept = await uploads.take_in(drafts, _embedding(form), request.person.name)
    return Response.of({"files": [_shown(upload) for upload in kept]})


async def _counted(request: Request, services: Services) -> AsyncIterator[bytes]:
    """The body; one that is too much for its asker is refused unread where its length is told."""
    assert request.stream is not None
    spend = partial(services.quotas.spend, "upload_bytes", request.keys)
    told = int(request.headers.get("content-length", "0"))
    spend(told)
    async for piece in request.stream:
        if not told:
            spend(len(piece))
        yield piece


def _embedding(form: Form) -> ModelChoice:
    provider = form.fields.get("embedding_model_provider", "")
    return ModelChoice(provider, form.fields.get("embedding_model", ""))


def _shown(upload: Upload) -> dict[str, str]:
    return {"fileName": upload.name, "fileExtension": upload.extension, "fileId": upload.id}


def _body_bytes(settings: Settings) -> int:
    return FormLimits(settings.uploads.files, settings.uploads.file_bytes).body_bytes


ROUTES = (Route("POST", "/api/uploads", take_files, streams=_body_bytes),)
