"""Every table and column of organizations is exported, or left out for a reason."""

from sqlalchemy import Table

from glific_gpt.database import db
from glific_gpt.operations.organization_data.tables import TABLES
from glific_gpt.operations.secrets import SECRETS
from glific_gpt.organizations.tables import Organization

BY_NAME = {table.table.name: table for table in TABLES}


def belongs_to_organizations(table: Table) -> bool:
    return table.name == "organizations" or "organization_id" in table.columns


def test_every_table_of_organizations_is_exported_or_left_out_with_a_reason() -> None:
    assert BY_NAME.keys() == {table.name for table in db.metadata.sorted_tables if belongs_to_organizations(table)}
    assert all(table.description for table in TABLES)


def test_every_column_is_exported_or_left_out_with_a_reason() -> None:
    for table in TABLES:
        if table.name:
            assert sorted([*table.columns, *table.left_out]) == sorted(table.table.columns.keys()), table.name
            assert all(table.left_out.values()), table.name


def test_a_table_that_refers_to_rows_of_organizations_has_their_id_too() -> None:
    """Its rows would otherwise be neither exported nor deleted."""
    for table in db.metadata.sorted_tables:
        referred = {key.column.table.name for key in table.foreign_keys}
        assert not referred & BY_NAME.keys() or table.name in BY_NAME, table.name


def test_rows_are_deleted_before_those_to_which_they_refer() -> None:
    names = list(BY_NAME)
    for table in TABLES:
        for key in table.table.foreign_keys:
            referred = key.column.table.name
            assert (
                referred == table.table.name
                or referred not in BY_NAME
                or names.index(table.table.name) < names.index(referred)
            ), table.table.name
    assert TABLES[-1].model is Organization


def test_no_column_of_ciphertexts_and_no_hash_is_exported() -> None:
    exported = {(table.table.name, column) for table in TABLES for column in table.columns}
    secret = {(secret.table.__tablename__, str(secret.column).rpartition(".")[2]) for secret in SECRETS}
    assert not exported & secret
    assert not [column for _, column in exported if column.endswith(("hash", "ciphertext", "password", "phrase"))]
