"""The tables and columns that a downgrade of the database deletes, read from the migrations."""

import ast
from collections.abc import Iterator
from pathlib import Path

from glific_gpt.database.migrations import DIRECTORY, newest


def list_losses(current: int, target: int) -> list[str]:
    """Return the tables and columns that are deleted between two revisions, the newest first."""
    found: list[str] = []
    for revision in range(min(current, newest()), target, -1):
        (path,) = (DIRECTORY / "versions").glob(f"{revision:04}_*.py")
        found += _losses_of(path)
    return found


def _losses_of(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            yield from _find(node, "")


def _find(node: ast.AST, table: str) -> Iterator[str]:
    """Yield what is dropped inside the node. `table` is that of the surrounding batch."""
    if isinstance(node, ast.With):
        table = next(iter(_texts(node.items[0].context_expr)), "")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        texts = _texts(node)
        if node.func.attr == "drop_table":
            yield f"the table {texts[0]}"
        elif node.func.attr == "drop_column":
            yield f"the column {'.'.join(texts if len(texts) > 1 else [table, *texts])}"
        elif node.func.attr == "execute" and "DROP SCHEMA IF EXISTS dbos" in "".join(texts):
            yield "the schema dbos, with the work on deferred calls"
    for child in ast.iter_child_nodes(node):
        yield from _find(child, table)


def _texts(call: ast.AST) -> list[str]:
    """Return the arguments of a call that are texts."""
    arguments = call.args if isinstance(call, ast.Call) else []
    return [each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)]
