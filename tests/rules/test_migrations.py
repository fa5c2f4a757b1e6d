"""Migrations: one numbered sequence creates the tables of the models on every database, and can be reversed."""

import ast
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory

from glific_gpt.database import db, migrations, transaction
from glific_gpt.durable import schema
from tests.support import databases
from tests.support.deferred import wait_until
from tests.support.server import RunningServer
from tests.support.serving import open_database

MIGRATIONS: list[Script] = [*ScriptDirectory(str(migrations.DIRECTORY)).walk_revisions()][::-1]
"""Oldest first."""

SAMPLES: dict[type, Any] = {
    int: 1,
    str: "x",
    bool: True,
    date: date(2026, 11, 23),
    datetime: datetime(2026, 11, 23, tzinfo=UTC),
    object: ["x"],
}
"""A value for a column of each type."""

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    databases.require_postgresql()
    with databases.postgresql_database() as url:
        yield url


@contextmanager
def closing_engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def migrating(url: str) -> Iterator[sa.Engine]:
    """Yield an engine of the database inside an app context, which flask_migrate's functions need."""
    with closing_engine(url) as engine, open_database(database_url=url) as server, server.app.app_context():
        yield engine


def reflected(engine: sa.Engine) -> sa.MetaData:
    """Return the product's tables, without those of Alembic and of the workflow engine."""
    found = sa.MetaData()
    found.reflect(engine, only=lambda name, _: name not in {"alembic_version", *schema.TABLES})
    return found


def fill(engine: sa.Engine) -> sa.MetaData:
    """Insert a row into every empty table, and return the tables."""
    found = reflected(engine)
    with engine.begin() as connection:
        for table in found.sorted_tables:
            if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                connection.execute(table.insert().values({column: sample(column) for column in table.columns}))
    return found


def sample(column: sa.Column[Any]) -> Any:
    return "x"[: column.type.length] if isinstance(column.type, sa.String) else SAMPLES[column.type.python_type]


def rows(engine: sa.Engine, tables: sa.MetaData) -> Rows:
    """Return the rows of these tables. Fails if one of them or of their columns does not exist."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in tables.sorted_tables
        }


def require_kept(before: Rows, after: Rows) -> None:
    """Assert that tables and columns that exist before and after have the same rows and values."""
    for name in before.keys() & after.keys():
        for old, new in zip(before[name], after[name], strict=True):
            both = old.keys() & new.keys()
            assert {column: old[column] for column in both} == {column: new[column] for column in both}


def test_migrations_are_numbered_and_have_one_order() -> None:
    numbers = [f"{number:04}" for number in range(1, len(MIGRATIONS) + 1)]
    assert [script.revision for script in MIGRATIONS] == numbers
    assert [script.down_revision for script in MIGRATIONS] == [None, *numbers[:-1]]
    names = sorted(path.name for path in (migrations.DIRECTORY / "versions").glob("*.py"))
    assert [name[:4] for name in names] == numbers
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name) for name in names)
    assert all(script.doc.endswith(".") for script in MIGRATIONS)


def test_there_is_one_newest_migration() -> None:
    assert ScriptDirectory(str(migrations.DIRECTORY)).get_heads() == [f"{migrations.newest():04}"]


def test_the_migrations_create_the_tables_of_the_models(empty_database: str) -> None:
    with migrating(empty_database):
        flask_migrate.upgrade()
        flask_migrate.check()


def test_a_difference_between_models_and_tables_is_detected(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        flask_migrate.upgrade()
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE organizations ADD COLUMN forgotten INTEGER"))
        with pytest.raises(SystemExit):
            flask_migrate.check()


@pytest.mark.timeout(300)  # every migration runs three times
def test_each_downgrade_and_upgrade_keeps_the_rows_of_remaining_tables(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        for script in MIGRATIONS:
            flask_migrate.upgrade(revision=script.revision)
            tables = fill(engine)
            newer = rows(engine, tables)
            assert all(newer.values())
            if script.revision == "0008":  # it gives money back: see the next test
                with engine.begin() as connection:
                    connection.execute(sa.text("DELETE FROM budget_reservations"))
            flask_migrate.downgrade(revision="-1")
            older = rows(engine, reflected(engine))
            require_kept(newer, older)
            flask_migrate.upgrade(revision=script.revision)
            require_kept(older, rows(engine, tables))  # the same tables again: reflecting them takes long


def test_the_downgrade_of_reservations_gives_their_money_back(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        flask_migrate.upgrade(revision="0008")
        fill(engine)  # one month, and one reservation of another month
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE monthly_spend SET month = '2026-11', usd = 100"))
            connection.execute(sa.text("UPDATE budget_reservations SET month = '2026-10', usd = 7"))
            connection.execute(
                sa.text(
                    "INSERT INTO budget_reservations (call_id, organization_id, month, usd)"
                    " SELECT 'call_' || n, organization_id, '2026-11', n"
                    " FROM monthly_spend, (SELECT 10 AS n UNION SELECT 20) AS amounts"
                )
            )
        flask_migrate.downgrade(revision="0007")
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT usd FROM monthly_spend")) == 70


def test_a_full_downgrade_leaves_no_table_and_can_be_reversed(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        flask_migrate.upgrade()
        fill(engine)
        flask_migrate.downgrade(revision="base")
        assert sa.inspect(engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        flask_migrate.check()


def test_the_names_of_the_tables_of_the_workflow_engine_are_known(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/engine.db"
    schema.migrate(sa.make_url(url))
    with closing_engine(url) as engine:
        assert set(sa.inspect(engine).get_table_names()) == schema.TABLES


def test_no_table_has_the_name_of_a_table_of_the_workflow_engine() -> None:
    assert not schema.TABLES & db.metadata.tables.keys()


@pytest.mark.parametrize(("revision", "current"), [("0000", False), ("", False), ("9999", True)])
def test_a_newer_database_is_accepted_during_a_rolling_release(
    server: RunningServer, database_url: str, revision: str, current: bool
) -> None:
    with closing_engine(database_url) as engine, engine.begin() as connection:
        before = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
    with server.app.app_context(), transaction() as session:
        found = migrations.are_current(session.connection())
    with closing_engine(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": before})
    assert found is current


@pytest.mark.parametrize("empty_database", ["postgresql"], indirect=True)
def test_an_upgrade_completes_one_that_failed_halfway(empty_database: str) -> None:
    """Only the tables of the workflow engine need the privilege to create a schema."""
    with role_without_create_privilege(empty_database) as (url, allow):
        with migrating(url) as engine, pytest.raises(sa.exc.ProgrammingError):
            flask_migrate.upgrade()
        assert is_current(url) is False
        allow()
        with migrating(url) as engine:
            flask_migrate.upgrade()
            assert set(sa.inspect(engine).get_table_names("dbos")) >= schema.TABLES
        assert is_current(url) is True


def is_current(url: str) -> bool:
    with open_database(database_url=url) as server, server.app.app_context(), transaction() as session:
        return migrations.are_current(session.connection())


@contextmanager
def role_without_create_privilege(url: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the database's URL for a role that may not create schemas, and a function that grants the privilege."""
    database = sa.make_url(url)
    role = f"{database.database}_role"
    with closing_engine(url) as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}"))
        grant = sa.text(f"GRANT CREATE ON DATABASE {database.database} TO {role}")
        try:
            yield (
                database.set(username=role, password=None).render_as_string(hide_password=False),
                lambda: connection.execute(grant),
            )
        finally:
            connection.execute(sa.text(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda migration: migration.revision)
def test_what_is_done_outside_a_transaction_is_a_migration_of_its_own(migration: Script) -> None:
    """Otherwise an attempt that ends in the middle leaves the rest behind, and can never be repeated."""
    for function in ast.parse(Path(migration.path).read_text()).body:
        if isinstance(function, ast.FunctionDef):
            blocks = [
                ast.unparse(each).startswith("with op.get_context().autocommit_block()") for each in function.body
            ]
            assert not any(blocks) or all(blocks), function.name


def test_an_upgrade_that_an_open_transaction_has_ended_can_be_repeated() -> None:
    databases.require_postgresql()
    with databases.postgresql_database() as url, migrating(url) as engine:
        flask_migrate.upgrade(revision="0013")
        with engine.connect() as connection:
            # An index that is created concurrently waits for each older snapshot.
            connection.execution_options(isolation_level="REPEATABLE READ")
            connection.execute(sa.text("SELECT count(*) FROM organizations"))
            with pytest.raises(sa.exc.OperationalError):
                flask_migrate.upgrade()
        flask_migrate.upgrade()
        assert {index["name"] for index in sa.inspect(engine).get_indexes("deliveries")} >= {"ix_deliveries_stored"}


def test_a_migration_that_waits_for_a_table_locks_no_other() -> None:
    """A call that has locked one table and needs the other would wait for the migration, and it for the call."""
    databases.require_postgresql()
    with databases.postgresql_database() as url, migrating(url) as engine, ThreadPoolExecutor(1) as pool:
        flask_migrate.upgrade(revision="0020")
        with engine.connect() as call:
            call.execute(sa.text("LOCK TABLE calls IN ROW EXCLUSIVE MODE"))
            continued = pool.submit(lock_organizations_when_awaited, engine, call)
            flask_migrate.upgrade()
            continued.result()


def lock_organizations_when_awaited(engine: sa.Engine, call: sa.Connection) -> None:
    """Wait until a migration waits for the call, and continue the call, which then ends."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'calls'::regclass")
    try:
        with engine.connect() as connection:
            wait_until(lambda: connection.scalar(waiting) > 0)
        call.execute(sa.text("SET LOCAL lock_timeout = '1s'"))
        call.execute(sa.text("LOCK TABLE organizations IN ROW SHARE MODE"))
    finally:
        call.rollback()


@pytest.mark.parametrize("migration", MIGRATIONS[20:], ids=lambda migration: migration.revision)
def test_a_migration_changes_one_table_that_calls_use(migration: Script) -> None:
    changed = re.findall(r"op\.(?:add|drop)_column\('(\w+)'", Path(migration.path).read_text())
    assert len(set(changed)) <= 1
