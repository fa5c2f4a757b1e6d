"""Commands in the documents: each of them exists, with its options, and each command is in a document."""

import re
import shlex
from pathlib import Path

import click
import pytest

from glific_gpt.cli import GROUPS
from tests.rules.test_links import DOCUMENTS
from tests.support.apps import create_app
from tests.support.programs import ROOT
from tests.support.settings import create_settings

COMMAND = re.compile(r"(?:`|^\s*|\| ?|\$\()(?:\.venv/bin/)?flask ([^`#|<>\n)]+)", re.MULTILINE)

CURRENT = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
"""The documents that name no command of an earlier release."""


@pytest.fixture(scope="module")
def commands() -> click.Group:
    return create_app(create_settings()).cli


def problem(group: click.Command, words: list[str]) -> str:
    """Return the first word that the command does not know, or ""."""
    command = group
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z0-9-]*", words[0]):
        found = command.commands.get(words.pop(0))
        if found is None:
            return f"no such command in {command.name}"
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return " ".join(word for word in words if word.startswith("--") and word not in {*known, "--help", "--version"})


@pytest.mark.parametrize(
    "document",
    CURRENT,
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_each_command_of_a_document_exists(document: Path, commands: click.Group) -> None:
    found = [shlex.split(text.replace("'", "").replace('"', "")) for text in COMMAND.findall(document.read_text())]
    problems = {" ".join(words): problem(commands, [*words]) for words in found}
    assert {text: what for text, what in problems.items() if what} == {}


def names(command: click.Command, prefix: str = "flask") -> list[str]:
    """Return the full names of a command, or of all commands of a group."""
    name = f"{prefix} {command.name}"
    if not isinstance(command, click.Group):
        return [name]
    return [each for inner in command.commands.values() for each in names(inner, name)]


def test_each_command_is_in_a_document() -> None:
    text = "".join(document.read_text() for document in CURRENT)
    ours = [name for command in GROUPS for name in names(command)]
    assert len(ours) > 10
    assert [name for name in ours if not re.search(rf"\b{name}\b(?!-)", text)] == []


def test_each_target_of_make_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (document.name, target)
        for document in CURRENT
        for target in re.findall(r"(?:`|^\s*)make ([a-z][a-z-]*)", document.read_text(), re.MULTILINE)
    }
    assert len(named) > 10
    assert {(document, target) for document, target in named if target not in targets} == set()
