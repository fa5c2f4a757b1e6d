"""Every action of the audit trail is recorded somewhere, and its name fits into its column."""

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import String

import glific_gpt
from glific_gpt.audit.actions import Action
from glific_gpt.audit.tables import AuditEntry

PACKAGE = Path(glific_gpt.__file__).parent


def used_actions() -> Iterator[str]:
    """Yield the names of the actions that the code uses."""
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "audit" / "actions.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Action":
                yield node.attr


def test_every_action_is_recorded_somewhere() -> None:
    assert set(Action.__members__) - set(used_actions()) == set()


def test_an_action_is_stored_under_its_own_name() -> None:
    column_type = AuditEntry.__table__.c.action.type
    assert isinstance(column_type, String)
    assert {name: name.lower() for name in Action.__members__} == {
        name: action.value for name, action in Action.__members__.items()
    }
    assert all(len(action) <= (column_type.length or 0) for action in Action)
