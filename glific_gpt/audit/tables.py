"""Table: one row for each change that somebody made."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, RowId


class AuditEntry(Base):
    """Who changed what. It is written with the change or not at all, and never changed itself."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id"))
    """NULL is the server itself."""
    actor: Mapped[str] = mapped_column(String(255))
    """Who it was, in words: a person's e-mail address, the label of an API token, the command line."""
    action: Mapped[str] = mapped_column(String(40))
    """One of Action."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What it was done to. Never a secret: names of what changed, and values that are harmless."""
