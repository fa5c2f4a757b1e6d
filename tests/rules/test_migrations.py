"""Migrations: one numbered line of them makes the tables of the models, on every database, down and up again."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory

from glific_gpt.database import db, migrations, transaction
from glific_gpt.durable import schema
from tests.support import databases
from tests.support.server import RunningServer
from tests.support.serving import open_database

LINE: list[Script] = [*ScriptDirectory(str(migrations.DIRECTORY)).walk_revisions()][::-1]
"""Oldest first."""

SAMPLES: dict[type, Any] = {int: 1, str: "x", bool: True, datetime: datetime(2026, 11, 23, tzinfo=UTC), object: ["x"]}
"""A value for a column of each kind."""

Rows = dict[str, list[dict[str, Any]]]
"""Of each table."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table."""
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
    """Where flask_migrate's functions work, with an engine to look at what they have done."""
    with closing_engine(url) as engine, open_database(database_url=url) as server, server.app.app_context():
        yield engine


def reflected(engine: sa.Engine) -> sa.MetaData:
    """Our tables: neither Alembic's own nor those of the engine of durable work."""
    found = sa.MetaData()
    found.reflect(engine, only=lambda name, _: name not in {"alembic_version", *schema.TABLES})
    return found


def fill(engine: sa.Engine) -> None:
    """One row in every table that has none."""
    with engine.begin() as connection:
        for table in reflected(engine).sorted_tables:
            if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                connection.execute(table.insert().values({column: sample(column) for column in table.columns}))


def sample(column: sa.Column[Any]) -> Any:
    return "x"[: column.type.length] if isinstance(column.type, sa.String) else SAMPLES[column.type.python_type]


def rows(engine: sa.Engine) -> Rows:
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in reflected(engine).sorted_tables
        }


def require_kept(before: Rows, after: Rows) -> None:
    """Each table that is still there has its rows, with the same values in the columns that are still there."""
    for name in before.keys() & after.keys():
        for old, new in zip(before[name], after[name], strict=True):
            both = old.keys() & new.keys()
            assert {column: old[column] for column in both} == {column: new[column] for column in both}


def test_a_migration_is_a_numbered_chapter_after_the_one_before() -> None:
    numbers = [f"{number:04}" for number in range(1, len(LINE) + 1)]
    assert [script.revision for script in LINE] == numbers
    assert [script.down_revision for script in LINE] == [None, *numbers[:-1]]
    names = sorted(path.name for path in (migrations.DIRECTORY / "versions").glob("*.py"))
    assert [name[:4] for name in names] == numbers
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name) for name in names)
    assert all(script.doc.endswith(".") for script in LINE)


def test_there_is_one_newest_migration() -> None:
    assert ScriptDirectory(str(migrations.DIRECTORY)).get_heads() == [f"{migrations.newest():04}"]


def test_the_migrations_make_the_tables_of_the_models(empty_database: str) -> None:
    with migrating(empty_database):
        flask_migrate.upgrade()
        flask_migrate.check()


def test_a_difference_between_models_and_tables_is_noticed(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        flask_migrate.upgrade()
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE organizations ADD COLUMN forgotten INTEGER"))
        with pytest.raises(SystemExit):
            flask_migrate.check()


def test_every_step_down_and_up_again_keeps_the_rows_of_what_stays(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        for script in LINE:
            flask_migrate.upgrade(revision=script.revision)
            fill(engine)
            above = rows(engine)
            assert all(above.values())
            flask_migrate.downgrade(revision="-1")
            below = rows(engine)
            require_kept(above, below)
            flask_migrate.upgrade(revision=script.revision)
            require_kept(below, rows(engine))


def test_the_way_down_leaves_nothing_and_the_way_up_is_open_again(empty_database: str) -> None:
    with migrating(empty_database) as engine:
        flask_migrate.upgrade()
        fill(engine)
        flask_migrate.downgrade(revision="base")
        assert sa.inspect(engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        flask_migrate.check()


def test_the_tables_of_the_engine_of_durable_work_are_known_by_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/engine.db"
    schema.migrate(sa.make_url(url))
    with closing_engine(url) as engine:
        assert set(sa.inspect(engine).get_table_names()) == schema.TABLES


def test_none_of_our_tables_has_the_name_of_one_of_the_engines() -> None:
    assert not schema.TABLES & db.metadata.tables.keys()


@pytest.mark.parametrize(("revision", "current"), [("0000", False), ("", False), ("9999", True)])
def test_a_database_that_is_ahead_will_do_so_that_a_release_can_be_replaced(
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
def test_an_upgrade_whose_second_half_failed_is_finished_by_the_next(empty_database: str) -> None:
    """The engine's tables need a right that ours do not."""
    with role_that_may_make_no_schema(empty_database) as (url, allow):
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
def role_that_may_make_no_schema(url: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The database's URL for that role, and what gives it the right."""
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
