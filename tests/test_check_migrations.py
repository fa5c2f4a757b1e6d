"""New migrations must not lock tables that a running server uses."""

import pytest

from tools import check_migrations

LOCKING = {
    "an index": "CREATE INDEX x ON calls (started_at);",
    "a column without a default for its rows": "ALTER TABLE calls ADD COLUMN x integer NOT NULL;",
    "another type": "ALTER TABLE calls ALTER COLUMN status TYPE text;",
    "a new name": "ALTER TABLE calls RENAME COLUMN status TO state;",
    "a dropped column": "ALTER TABLE calls DROP COLUMN cause;",
    "a foreign key": "ALTER TABLE calls ADD CONSTRAINT x FOREIGN KEY (flow_id) REFERENCES organizations (id);",
}


def test_the_migrations_of_this_project_pass() -> None:
    statements = check_migrations.print_statements()
    assert "CREATE INDEX CONCURRENTLY" in statements
    assert check_migrations.find_problems(statements) == ""


@pytest.mark.parametrize("statement", LOCKING.values(), ids=LOCKING)
def test_a_migration_that_locks_is_refused(statement: str) -> None:
    assert check_migrations.find_problems(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY x ON calls (started_at);",
        "ALTER TABLE calls ADD COLUMN x varchar(200);",
        "CREATE TABLE x (id integer NOT NULL, CONSTRAINT y PRIMARY KEY (id));",
    ],
)
def test_a_migration_that_does_not_lock_is_accepted(statement: str) -> None:
    assert check_migrations.find_problems(statement) == ""
