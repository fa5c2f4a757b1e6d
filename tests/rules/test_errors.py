"""Every error has the code, the status and the class that people rely on, and a sentence that anybody may read."""

import ast
import re
from collections.abc import Iterator

import pytest

from glific_gpt import errors
from glific_gpt.errors import CallerError, GlificGptError, OrganizationError, ServiceError
from tests.support.programs import ROOT
from tests.webhooks.expecting import CODES

WEBHOOK = (CallerError, OrganizationError, ServiceError)
"""Of these a webhook's answer is made."""

ELSEWHERE = {
    "NotFound": ("not_found", 404, "caller"),
    "Conflict": ("conflict", 409, "caller"),
    "InvalidValue": ("invalid_value", 422, "caller"),
    "NotAFlowExport": ("not_a_flow_export", 422, "caller"),
    "CredentialNotVerified": ("credential_not_verified", 422, "organization"),
    "GlificNotVerified": ("glific_not_verified", 422, "organization"),
    "SettingsError": ("settings", 500, "service"),
    "Broken": ("broken", 500, "service"),
    "NoToken": ("unauthorized", 401, "caller"),
    "AdministratorsOnly": ("administrators_only", 403, "caller"),
    "RoleTooSmall": ("role_too_small", 403, "caller"),
}
"""What commands, the JSON API and the start of the server say: code, status, class."""

INTERNALS = re.compile(
    r"(?i:traceback|exception|sqlalchemy|psycopg|pydantic|uvicorn|werkzeug|httpx)|openai\.(?!com)|"
    r"\w+Error\b|\bNone\b|\bnull\b|0x[0-9a-f]|\.py\b|__"
)
AN_ADDRESS = "postgresql+psycopg://"
"""This is what people have to write."""


def every(*bases: type[GlificGptError]) -> Iterator[type[GlificGptError]]:
    """The errors below these that have a code of their own."""
    for base in bases:
        for error in base.__subclasses__():
            if hasattr(error, "code"):
                yield error
            if error not in WEBHOOK:
                yield from every(error)


def raised() -> Iterator[tuple[str, str]]:
    """Where each error of ours is made with words of its own, and those words; {} stands for what is put in."""
    names = {error.__name__ for error in every(GlificGptError, *WEBHOOK)}
    for path in sorted((ROOT / "glific_gpt").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and node.args
                and name_of(node.func) in names
                and (words := text(node.args[0]))
            ):
                yield f"{path.name}:{node.lineno}", words


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def text(node: ast.expr) -> str:
    """The words of a string or an f-string; empty for anything else."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_the_errors_of_the_webhook_are_those_of_the_contract() -> None:
    found = [(error.code, (error.status, error.fault)) for error in every(*WEBHOOK)]
    assert dict(found) == CODES
    assert len(found) == len(CODES)


def test_the_other_errors_are_those_that_are_known() -> None:
    found = {error.__name__: (error.code, error.status, error.fault) for error in every(GlificGptError)}
    assert found == ELSEWHERE


@pytest.mark.parametrize("error", [*every(GlificGptError, *WEBHOOK)], ids=lambda error: error.__name__)
def test_an_error_says_something_that_anybody_may_read(error: type[GlificGptError]) -> None:
    sentence = str(error("" if error.sentence else "It needs words of its own."))
    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence.startswith("question_text")
    assert not INTERNALS.search(sentence)
    assert error.__doc__ or issubclass(error, WEBHOOK)


@pytest.mark.parametrize(("place", "words"), [*raised()])
def test_the_words_of_an_error_are_a_sentence_that_anybody_may_read(place: str, words: str) -> None:
    assert words.endswith((".", "{}")), place
    assert not INTERNALS.search(words.replace(AN_ADDRESS, "")), place


def test_an_error_without_words_of_its_own_is_never_made_without_words() -> None:
    wordless = {error.__name__ for error in every(GlificGptError, *WEBHOOK) if not error.sentence}
    silent = re.compile(rf"(?:raise|return) (?:errors\.)?({'|'.join(wordless)})(?:\(\))?(?: from None)?$", re.MULTILINE)
    for path in (ROOT / "glific_gpt").rglob("*.py"):
        assert not silent.findall(path.read_text()), path


def test_every_error_of_ours_is_listed_in_one_file() -> None:
    assert {error.__module__ for error in every(GlificGptError, *WEBHOOK)} == {errors.__name__}
