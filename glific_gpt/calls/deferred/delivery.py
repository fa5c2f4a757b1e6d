"""Telling: the part of durable work that gives a waiting flow its answer, and writes down what Glific said."""

import random
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import Deadline, now
from glific_gpt.connections import store as connections
from glific_gpt.database import patiently
from glific_gpt.errors import GlificNotConnected
from glific_gpt.glific.client import Glific
from glific_gpt.glific.resume import Access, Reply, Resumption, SignedAccess, Verdict, refused
from glific_gpt.vault import UnreadableSecret, Vault

log = structlog.get_logger()

ATTEMPT_TIMEOUT_SECONDS = 15.0
"""How long one try may take, login included."""

UNCONFIRMED_DELIVERY_DELAY = timedelta(seconds=2)
"""When the signed call may come at the earliest, after the caller was told to wait: it has no receipt, and is lost
on a flow that does not wait yet."""

FLOW_NOT_WAITING = refused(
    "The flow had stopped waiting before it could have this answer, and may wait for another one now."
)
ANSWER_UNREADABLE = refused("The answer cannot be read with the server's encryption keys any more: ask again.")


@dataclass(frozen=True)
class DeliveryAttempt:
    """What is said to Glific this time, or why it cannot be said."""

    access: Access | None = None
    resumption: Resumption | None = None
    hindrance: Verdict | None = None
    wait: float = 0.0
    """Seconds by which it is too early."""
    seconds: float = ATTEMPT_TIMEOUT_SECONDS
    """How long it may take."""
    may_have_arrived: bool = False
    """Whether an earlier try was cut off, so that this one may find nobody waiting."""


@dataclass(frozen=True)
class DeliveryStep:
    """One try at a time, written down before and after."""

    vault: Vault
    glific: Glific

    def tell(self, call_id: str) -> float | None:
        """Seconds until the next try; None when the flow has the answer, or will not have it."""
        this = patiently(lambda session: self._begin(session, call_id))
        if this is None:
            return None
        if this.wait:
            return this.wait
        verdict = this.hindrance or self._try(this)
        return patiently(lambda session: _end(session, call_id, this, verdict))

    def _begin(self, session: Session, call_id: str) -> DeliveryAttempt | None:
        found = delivery_records.find(session, call_id)
        if found is None or not delivery_records.is_expected(*found) or found[0].answer is None:
            return None
        this = self._prepare(session, *found)
        if not this.wait and not this.hindrance:
            found[0].tries += 1
            found[0].may_have_arrived = True  # until it is known better
        return this

    def _prepare(self, session: Session, delivery: Delivery, call: Call) -> DeliveryAttempt:
        seconds = delivery_records.remaining_wait_seconds(delivery, ATTEMPT_TIMEOUT_SECONDS)
        if not seconds:
            return DeliveryAttempt(hindrance=FLOW_NOT_WAITING, may_have_arrived=delivery.may_have_arrived)
        try:
            access = connections.access(session, self.vault, delivery.organization_id, delivery.glific_organization_id)
            result = delivery_records.read_answer(self.vault, delivery)
        except GlificNotConnected as error:
            return DeliveryAttempt(hindrance=refused(str(error)), may_have_arrived=delivery.may_have_arrived)
        except UnreadableSecret:
            return DeliveryAttempt(hindrance=ANSWER_UNREADABLE, may_have_arrived=delivery.may_have_arrived)
        resumption = Resumption(call.flow_id or 0, call.contact_id or 0, delivery.result_name, result)
        wait = _too_early(access, delivery)
        return DeliveryAttempt(access, resumption, wait=wait, seconds=seconds, may_have_arrived=delivery.may_have_arrived)

    def _try(self, this: DeliveryAttempt) -> Verdict:
        assert this.access is not None  # noqa: S101 - for the type checker: there is no hindrance
        assert this.resumption is not None  # noqa: S101
        return self.glific.resume(this.access, this.resumption, Deadline.after(this.seconds))


def _too_early(access: Access, delivery: Delivery) -> float:
    if not isinstance(access, SignedAccess):
        return 0.0
    return max(0.0, (delivery.accepted_at + UNCONFIRMED_DELIVERY_DELAY - now()).total_seconds())


def _end(session: Session, call_id: str, this: DeliveryAttempt, verdict: Verdict) -> float | None:
    found = delivery_records.find(session, call_id)
    if found is None or found[0].state != "waiting":
        return None
    delivery, call = found
    delivery.said = verdict.said
    delivery.may_have_arrived = this.may_have_arrived or verdict.may_have_arrived
    wait = next_delay(verdict, delivery.tries, now() - (delivery.trying_since or delivery.accepted_at))
    if wait is None:
        _finish(delivery, call, verdict)
    return wait


def _finish(delivery: Delivery, call: Call, verdict: Verdict) -> None:
    if verdict.reply is Reply.DELIVERED:
        delivery.state, delivery.answer, delivery.ended_at = "delivered", None, now()
    else:
        delivery_records.mark_failed(delivery, verdict.said)
    records.finish_pending(call, None if delivery.state == "delivered" else delivery.state)
    log.info("call_ended", call_id=call.call_id, delivery=delivery.state, tries=delivery.tries, status=call.status)


RETRY_NOT_WAITING_FOR = timedelta(seconds=60)
"""How long after its webhook a flow may reasonably still be on its way to the node that waits."""

RETRY_UNAVAILABLE_FOR = timedelta(minutes=15)
"""How long Glific may be away. Most flows have gone on by then."""

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = {Reply.NOT_WAITING: 4.0, Reply.TRY_LATER: 30.0}
RETRY_FOR = {Reply.NOT_WAITING: RETRY_NOT_WAITING_FOR, Reply.TRY_LATER: RETRY_UNAVAILABLE_FOR}


def next_delay(verdict: Verdict, tries: int, tried_for: timedelta) -> float | None:
    """Seconds until Glific is told again, after so many tries in that time; None when that is the end of it."""
    patience = RETRY_FOR.get(verdict.reply)
    if patience is None or tried_for > patience:
        return None
    if verdict.retry_after is not None:
        return max(verdict.retry_after, FIRST_DELAY_SECONDS)
    doubled: float = FIRST_DELAY_SECONDS * 2 ** min(tries - 1, 10)
    return min(doubled, MAX_DELAY_SECONDS[verdict.reply]) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load
