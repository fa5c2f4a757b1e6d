"""The audit trail misses nothing: every action is recorded somewhere, and its name fits into its column."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import String

import glific_gpt
from glific_gpt.audit.actions import Action
from glific_gpt.audit.tables import AuditEntry

PACKAGE = Path(glific_gpt.__file__).parent


def used() -> Iterator[str]:
    """The names of the actions that the code speaks of, outside of their list."""
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "audit" / "actions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Action":
                yield node.attr


def test_every_action_is_recorded_somewhere() -> None:
    assert set(Action.__members__) - set(used()) == set()


def test_an_action_is_kept_under_its_own_name() -> None:
    kind = AuditEntry.__table__.c.action.type
    assert isinstance(kind, String)
    assert {name: name.lower() for name in Action.__members__} == {
        name: action.value for name, action in Action.__members__.items()
    }
    assert all(len(action) <= (kind.length or 0) for action in Action)
