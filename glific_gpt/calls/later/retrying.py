"""Retrying: an answer that did not reach its flow is tried again, because an administrator wants it."""

import secrets

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.calls import story as stories
from glific_gpt.calls.later import deliveries
from glific_gpt.calls.story import Story
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.durable import Engine
from glific_gpt.errors import N_, Conflict

ON_ITS_WAY = N_("This answer is on its way to the flow at this moment: nothing needs to be done.")


def retry(engine: Engine, organization_id: int, call_id: str) -> None:
    """Has Glific told again, or OpenAI asked where there was no answer yet; work that was lost is handed in anew.

    Raises NotFound for a call that is not the organization's, Conflict for one that has nothing to be tried again.
    """
    with transaction() as session:
        seen = _checked(stories.find(session, organization_id, call_id))
    # The engine has a connection of its own, so no transaction may be open here.
    if seen.state == "waiting" and engine.is_at_work(call_id):
        raise Conflict(ON_ITS_WAY)
    with transaction() as session:
        _begin_anew(session, stories.find(session, organization_id, call_id), seen)
        trail.record(session, Action.CALL_RETRIED, organization_id, call=call_id)
        engine.enqueue(session, _job(seen), call_id, organization_id)


def _checked(story: Story) -> Delivery:
    """The delivery, if it can be tried again. Raises Conflict."""
    delivery = story.delivery
    if delivery is None:
        raise Conflict(N_("This call has nothing to deliver: it is answered in its request, not later."))
    if delivery.state == "delivered":
        raise Conflict(N_("This answer has reached its flow already."))
    if delivery.question is None and delivery.answer is None:
        raise Conflict(N_("This answer is not kept any more: only a new question gets a new one."))
    if not deliveries.seconds_left(delivery, 1.0):
        raise Conflict(N_("The flow waits for this answer no longer: only a new question gets a new one."))
    return delivery


def _begin_anew(session: Session, story: Story, seen: Delivery) -> None:
    """Raises Conflict when somebody else was faster."""
    began = session.scalar(
        update(Delivery)
        .where(
            Delivery.call_id == seen.call_id,
            Delivery.state == seen.state,
            Delivery.trying_since.is_not_distinct_from(seen.trying_since),
            or_(Delivery.question.is_not(None), Delivery.answer.is_not(None)),
        )
        .values(_values(seen))
        .returning(Delivery.call_id)
    )
    if began is None:
        raise Conflict(ON_ITS_WAY)
    story.call.status, story.call.error_code, story.call.duration_ms = "pending", story.own_error, None
    session.flush()


def _values(seen: Delivery) -> dict[str, object]:
    # Of work that was lost, nobody knows how its last try ended.
    lost = seen.state == "waiting"
    return {
        "state": "waiting",
        "trying_since": now(),
        "ended_at": None,
        "may_have_arrived": lost and seen.may_have_arrived,
    }


def _job(seen: Delivery) -> str:
    """A name that was never there: one that the engine still remembers would be handed in and never done."""
    return f"{seen.call_id}.{seen.tries}.{secrets.token_hex(4)}"
