"""Table of alerts that have begun, until everybody knows that they are over."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base, RowId

LAST_CHECK = "last_check"
"""Code of the row without an organization. Its `began_at` is the time of the last check."""


class AlertState(Base):
    """One alert of an organization, from its beginning until its end is announced."""

    __tablename__ = "alert_states"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    # Without a foreign key: an earlier release, which does not know the table, must be able to delete organizations.
    organization_id: Mapped[int | None] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(String(30))
    """A value of AlertCode, or LAST_CHECK."""
    began_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    """NULL while the alert lasts."""
    begin_mailed_at: Mapped[datetime | None]
    """When the owners were told of the beginning."""
    end_mailed_at: Mapped[datetime | None]
    begin_posted_at: Mapped[datetime | None]
    """When the webhook of the administrators was told of the beginning."""
    end_posted_at: Mapped[datetime | None]
