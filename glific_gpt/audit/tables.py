"""Table of audit entries, one for each change."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, RowId


class AuditEntry(Base):
    """One change. It is written in the transaction of the change.

    It is updated only to remove the addresses of a person who was deleted.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    """NULL for changes of the server itself."""
    actor: Mapped[str] = mapped_column(String(255))
    """A user's e-mail address, the label of an API token, or the name of a program such as the command line."""
    action: Mapped[str] = mapped_column(String(40))
    """A value of Action."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Names of what changed, and values that are not secret or personal."""
