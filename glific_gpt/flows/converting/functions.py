"""Glific's own functions whose calls are converted, and what their bodies need."""

from typing import NamedTuple

from glific_gpt.flows.converting import report


class ConvertibleFunction(NamedTuple):
    """A function of Glific that this server has under the same name."""

    name: str
    required: str
    """Key of the body without which there is no answer."""
    empty_body: str
    """Warning about a body without any key."""
    missing: str
    """Warning about a body without the required key."""
    caution: str | None = None
    """Warning about each converted node."""


FILE_SEARCH = "filesearch-gpt"

FUNCTIONS = {
    function.name: function
    for function in (
        ConvertibleFunction("parse_via_chat_gpt", "question_text", report.EMPTY_BODY, report.NO_QUESTION),
        ConvertibleFunction(
            "parse_via_gpt_vision", "url", report.EMPTY_PICTURE_BODY, report.NO_PICTURE, report.PICTURE_DOWNLOAD
        ),
        ConvertibleFunction(
            FILE_SEARCH, "question", report.EMPTY_DOCUMENT_BODY, report.NO_DOCUMENT_QUESTION, report.SLOW_DOCUMENTS
        ),
    )
}


def find_meant(name: str) -> str | None:
    """Return the function that a misspelt name means; None if it means none of them."""
    return name.strip().lower() if name not in FUNCTIONS and name.strip().lower() in FUNCTIONS else None
