"""Number of rows of an organization, and the people whose accounts are deleted with it."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.accounts import removal
from glific_gpt.operations.organization_data.tables import TABLES


@dataclass(frozen=True)
class Contents:
    """The rows and accounts that are deleted with an organization."""

    rows: dict[str, int]
    """Number of rows by table, without empty tables and the organization itself."""
    deleted_people: list[str]
    """E-mail addresses of the members who belong to no other organization, and are no administrators."""
    kept_people: list[str]
    """E-mail addresses of the other members. They keep their accounts."""

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def count_contents(session: Session, organization_id: int) -> Contents:
    """Count all rows of an organization."""
    counts = {
        table.table.name: session.scalar(
            select(func.count()).select_from(table.table).where(table.owner == organization_id)
        )
        or 0
        for table in TABLES[:-1]
    }
    deleted, kept = removal.list_members_by_fate(session, organization_id)
    return Contents({name: count for name, count in counts.items() if count}, deleted, kept)
