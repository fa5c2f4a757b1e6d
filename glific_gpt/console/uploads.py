"""What forms may send: no JSON, and no file but to the views that take one in one field, up to a size of their own."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from flask import abort, current_app, request

View = TypeVar("View", bound=Callable[..., Any])

FRAME = 64 * 1024
"""Bytes that a form needs beside its file."""


class Upload(NamedTuple):
    """The file that a view takes."""

    field: str
    most: int
    """Bytes."""


def takes_a_file(field: str, most: int) -> Callable[[View], View]:
    """Stands before a view whose form has one file field."""

    def put_on(view: View) -> View:
        view.upload = Upload(field, most)  # type: ignore[attr-defined]
        return view

    return put_on


def take_forms_alone() -> None:
    """Before every view. Raises UnsupportedMediaType, and RequestEntityTooLarge for a file that is too large."""
    upload = _upload()
    if upload is not None:
        request.max_content_length = upload.most + FRAME
    if request.is_json or set(request.files) - {upload.field if upload else None}:
        abort(415)


def _upload() -> Upload | None:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "upload", None)
