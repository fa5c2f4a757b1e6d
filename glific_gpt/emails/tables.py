"""Table of e-mails that wait to be sent."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from glific_gpt.clock import now
from glific_gpt.database import Base


class OutgoingEmail(Base):
    """An e-mail, until it is sent or given up."""

    __tablename__ = "outgoing_emails"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Also the id of its first workflow."""
    kind: Mapped[str] = mapped_column(String(20))
    """'message', or the kind of e-mail that a worker composes."""
    content: Mapped[str] = mapped_column(Text)
    """Ciphertext of a JSON object: recipient, subject and text, or what the worker needs to compose them."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    """When its link expires. It is not sent afterwards."""
    enqueued_at: Mapped[datetime] = mapped_column(default=now)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    """Time of the first failed attempt."""
