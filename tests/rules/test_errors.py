"""Errors: each has the code, the status and the class of the contract, and a message that is safe to show."""

import ast
import re
from collections.abc import Iterator

import pytest

from glific_gpt import errors
from glific_gpt.errors import CallerError, GlificGptError, OrganizationError, ServiceError
from tests.support.programs import ROOT
from tests.webhooks.assertions import ERROR_CODES

WEBHOOK_BASES = (CallerError, OrganizationError, ServiceError)
"""Bases of the errors that a webhook call can get."""

OTHER_ERRORS = {
    "NotFound": ("not_found", 404, "caller"),
    "Conflict": ("conflict", 409, "caller"),
    "InvalidValue": ("invalid_value", 422, "caller"),
    "InvalidKey": ("invalid_value", 422, "caller"),
    "HostNotAllowed": ("invalid_value", 422, "caller"),
    "OpenAiHostNotAllowed": ("invalid_value", 422, "caller"),
    "InvalidFlowExport": ("not_a_flow_export", 422, "caller"),
    "CredentialNotVerified": ("credential_not_verified", 422, "organization"),
    "ProviderUnreachable": ("credential_not_verified", 502, "service"),
    "GlificNotVerified": ("glific_not_verified", 422, "organization"),
    "GlificUnreachable": ("glific_not_verified", 502, "service"),
    "SettingsError": ("settings", 500, "service"),
    "InternalError": ("broken", 500, "service"),
    "InvalidApiToken": ("unauthorized", 401, "caller"),
    "AdministratorRequired": ("administrators_only", 403, "caller"),
    "InsufficientRole": ("role_too_small", 403, "caller"),
}
"""Code, status and class of the errors of commands, the JSON API and the start of the server."""

INTERNALS = re.compile(
    r"(?i:traceback|exception|sqlalchemy|psycopg|pydantic|uvicorn|werkzeug|httpx)|openai\.(?!com)|"
    r"\w+Error\b|\bNone\b|\bnull\b|0x[0-9a-f]|\.py\b|__"
)
MIN_CUSTOM_MESSAGES = 40
"""Fewer would mean that the test does not find them in the code."""
ALLOWED_URL = "postgresql+psycopg://"
"""Users have to write this URL themselves, so a message may contain it."""


def subclasses_of(*bases: type[GlificGptError]) -> Iterator[type[GlificGptError]]:
    """Yield the errors below these bases that have a code of their own."""
    for base in bases:
        for error in base.__subclasses__():
            if hasattr(error, "code"):
                yield error
            if error not in WEBHOOK_BASES:
                yield from subclasses_of(error)


def custom_messages() -> Iterator[tuple[str, str]]:
    """Yield the position and the message of each error with a message of its own; {} stands for a filled-in value."""
    names = {error.__name__ for error in subclasses_of(GlificGptError, *WEBHOOK_BASES)}
    for path in sorted((ROOT / "glific_gpt").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and node.args
                and name_of(node.func) in names
                and (message := text_of(node.args[0]))
            ):
                yield f"{path.name}:{node.lineno}", message


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def text_of(node: ast.expr) -> str:
    """Return the text of a string or an f-string; empty for anything else."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_the_errors_of_the_webhook_are_those_of_the_contract() -> None:
    found = [(error.code, (error.status, error.error_class)) for error in subclasses_of(*WEBHOOK_BASES)]
    assert dict(found) == ERROR_CODES
    assert len(found) == len(ERROR_CODES)


def test_the_other_errors_have_their_documented_codes() -> None:
    found = {error.__name__: (error.code, error.status, error.error_class) for error in subclasses_of(GlificGptError)}
    assert found == OTHER_ERRORS


@pytest.mark.parametrize("error", [*subclasses_of(GlificGptError, *WEBHOOK_BASES)], ids=lambda error: error.__name__)
def test_a_default_message_is_a_sentence_without_internals(error: type[GlificGptError]) -> None:
    message = str(error("" if error.default_message else "It needs a message of its own."))
    assert message.endswith(".")
    assert message[0].isupper() or message.startswith("question_text")
    assert not INTERNALS.search(message)
    assert error.__doc__ or issubclass(error, WEBHOOK_BASES)


def test_a_custom_message_is_a_sentence_without_internals() -> None:
    # One test, because reading all files for its parameters would take half a second of every test run.
    messages = dict(custom_messages())
    assert len(messages) > MIN_CUSTOM_MESSAGES
    wrong = {
        position: message
        for position, message in messages.items()
        if not message.endswith((".", "{}")) or INTERNALS.search(message.replace(ALLOWED_URL, ""))
    }
    assert not wrong


def test_an_error_without_a_default_message_is_never_created_without_a_message() -> None:
    without_default = {
        error.__name__ for error in subclasses_of(GlificGptError, *WEBHOOK_BASES) if not error.default_message
    }
    silent = re.compile(
        rf"(?:raise|return) (?:errors\.)?({'|'.join(without_default)})(?:\(\))?(?: from None)?$", re.MULTILINE
    )
    for path in (ROOT / "glific_gpt").rglob("*.py"):
        assert not silent.findall(path.read_text()), path


def test_every_error_can_be_imported_from_one_package() -> None:
    for error in subclasses_of(GlificGptError, *WEBHOOK_BASES):
        assert error.__module__.startswith(f"{errors.__name__}.")
        assert getattr(errors, error.__name__) is error
