"""Limits on request bodies: forms only, and files only for views that accept one, up to their own size."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from flask import abort, current_app, request

from glific_gpt.console import access
from glific_gpt.console.access import AccessLevel
from glific_gpt.settings import FORM_OVERHEAD_BYTES, MAX_PUBLIC_FORM_BYTES

View = TypeVar("View", bound=Callable[..., Any])


class FileUpload(NamedTuple):
    """The one file that a view accepts."""

    field: str
    max_bytes: int


def accepts_file(field: str, max_bytes: int) -> Callable[[View], View]:
    """Decorate a view with a form of one file field."""

    def decorate(view: View) -> View:
        view.upload = FileUpload(field, max_bytes)  # type: ignore[attr-defined]
        return view

    return decorate


def limit_public_form() -> None:
    """Limit the body of a page that needs no session: strangers may only send little.

    Call it before anything reads the body.
    """
    request.max_content_length = MAX_PUBLIC_FORM_BYTES


def reject_unexpected_uploads() -> None:
    """Check the body before every view.

    Raises UnsupportedMediaType for JSON and for unexpected files, RequestEntityTooLarge for a file that is too large.
    """
    upload = _expected_upload()
    # Before `request.files` is used, which reads the body.
    if access.required_level(current_app, request.endpoint or "") is AccessLevel.PUBLIC:
        limit_public_form()
    elif upload is not None:
        request.max_content_length = upload.max_bytes + FORM_OVERHEAD_BYTES
    if request.is_json or set(request.files) - {upload.field if upload else None}:
        abort(415)


def _expected_upload() -> FileUpload | None:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "upload", None)
