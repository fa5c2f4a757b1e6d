"""End waiting answers and e-mails, so that nothing of a restored backup is sent."""

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import now
from glific_gpt.emails.tables import OutgoingEmail

MSG_DROPPED = "The server was restored from a backup, and this answer was dropped. Ask the question again."


def end_waiting(session: Session) -> None:
    """End all waiting answers as interrupted and delete their content. Delete all waiting e-mails.

    Their workflows find nothing to do, and end by themselves.
    """
    waiting = Delivery.state == "waiting"
    calls = select(Delivery.call_id).where(waiting)
    session.execute(update(Call).where(Call.call_id.in_(calls)).values(status="interrupted"))
    state = case((Delivery.possibly_delivered, "uncertain"), else_="undelivered")
    ended = {"state": state, "last_response": MSG_DROPPED, "ended_at": now()}
    session.execute(update(Delivery).where(waiting).values(ended | delivery_records.NO_CONTENT))
    session.execute(delete(OutgoingEmail))
