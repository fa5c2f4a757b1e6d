"""Deliver the answer to the waiting flow, one attempt at a time, and record Glific's response."""

import random
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from glific_gpt.calls import records
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.clock import Deadline, now
from glific_gpt.database import retry_until_available
from glific_gpt.durable import waiting
from glific_gpt.errors import GlificNotConnected, NotReady
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import Access, DeliveryResult, DeliveryStatus, Resumption, SignedAccess, refusal
from glific_gpt.organizations.connections import store as connections
from glific_gpt.organizations.tables import Organization
from glific_gpt.vault import Vault

log = structlog.get_logger()

ATTEMPT_TIMEOUT_SECONDS = 15.0
"""How long one attempt may take, login included."""

UNCONFIRMED_DELIVERY_DELAY = timedelta(seconds=2)
"""Delay of the signed call after the reply that the answer is pending.

The call has no receipt, so an answer that arrives before the flow waits is lost.
"""

RETRY_NOT_WAITING_FOR = timedelta(seconds=60)
"""How long after its webhook a flow may still be on its way to the node that waits (glific/glific#5595)."""

RETRY_UNAVAILABLE_FOR = timedelta(minutes=15)
"""How long deliveries are retried while Glific is unavailable. Most flows have continued by then."""

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = {DeliveryStatus.NOT_WAITING: 4.0, DeliveryStatus.TRY_LATER: 30.0}
RETRY_FOR = {DeliveryStatus.NOT_WAITING: RETRY_NOT_WAITING_FOR, DeliveryStatus.TRY_LATER: RETRY_UNAVAILABLE_FOR}

FLOW_NOT_WAITING = refusal(
    "The flow stopped waiting before the answer could be delivered. It may be waiting for another answer now."
)


@dataclass(frozen=True)
class DeliveryAttempt:
    """The request to Glific for one attempt, or the reason why it cannot be sent."""

    access: Access | None = None
    resumption: Resumption | None = None
    refusal: DeliveryResult | None = None
    wait: float = 0.0
    """Seconds until the attempt may be made."""
    timeout_seconds: float = ATTEMPT_TIMEOUT_SECONDS
    possibly_delivered: bool = False
    """True if an earlier attempt was cut off, so that this one may find no waiting flow."""


@dataclass(frozen=True)
class DeliveryStep:
    """One delivery attempt, recorded before and after."""

    vault: Vault
    glific: GlificClient

    def run(self, call_id: str) -> float | None:
        """Return the seconds until the next attempt; None once the answer is delivered, or cannot be delivered."""
        attempt = retry_until_available(lambda session: self._begin(session, call_id))
        if attempt is None:
            return None
        if attempt.wait:
            return attempt.wait
        result = attempt.refusal or self._send(attempt)
        return retry_until_available(lambda session: _record(session, call_id, attempt, result))

    def _begin(self, session: Session, call_id: str) -> DeliveryAttempt | None:
        row = delivery_records.find(session, call_id)
        # A step that is repeated after a crash may find the delivery finished.
        if row is None or not delivery_records.is_expected(*row) or row[0].answer is None:
            return None
        attempt = self._prepare(session, *row)
        if not attempt.wait and not attempt.refusal:
            row[0].attempts += 1
            # Until the response is known: a process that is killed now may have delivered the answer.
            row[0].possibly_delivered = True
        return attempt

    def _prepare(self, session: Session, delivery: Delivery, call: Call) -> DeliveryAttempt:
        seconds = delivery_records.remaining_wait_seconds(delivery, ATTEMPT_TIMEOUT_SECONDS)
        if not seconds:
            return DeliveryAttempt(refusal=FLOW_NOT_WAITING, possibly_delivered=delivery.possibly_delivered)
        try:
            access = connections.load_access(
                session, self.vault, delivery.organization_id, delivery.glific_organization_id
            )
            answer = delivery_records.read_answer(session, self.vault, delivery)
        except GlificNotConnected as error:
            return DeliveryAttempt(refusal=refusal(str(error)), possibly_delivered=delivery.possibly_delivered)
        except NotReady as error:
            delivery.last_response = str(error)
            wait = delivery_records.key_wait_seconds(delivery)
            # After too long a time, the reason why the answer cannot be sent is its result.
            return DeliveryAttempt(wait=wait or 0.0, refusal=refusal(str(error)))
        return DeliveryAttempt(
            access,
            Resumption(call.flow_id or 0, call.contact_id or 0, delivery.result_name, answer),
            wait=_remaining_delay(access, delivery),
            timeout_seconds=seconds,
            possibly_delivered=delivery.possibly_delivered,
        )

    def _send(self, attempt: DeliveryAttempt) -> DeliveryResult:
        assert attempt.access is not None  # noqa: S101 - for the type checker: there is no refusal
        assert attempt.resumption is not None  # noqa: S101
        with waiting():
            return self.glific.resume(attempt.access, attempt.resumption, Deadline.after(attempt.timeout_seconds))


def next_delay(result: DeliveryResult, attempts: int, delivering_for: timedelta) -> float | None:
    """Return the seconds until the next attempt (exponential backoff with jitter); None to stop."""
    limit = RETRY_FOR.get(result.status)
    if limit is None or delivering_for > limit:
        return None
    if result.retry_after is not None:
        return max(result.retry_after, FIRST_DELAY_SECONDS)
    # The exponent is limited, because a float cannot hold 2**1024.
    doubled: float = FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 10)
    return min(doubled, MAX_DELAY_SECONDS[result.status]) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load


def _remaining_delay(access: Access, delivery: Delivery) -> float:
    if not isinstance(access, SignedAccess):
        return 0.0
    return max(0.0, (delivery.accepted_at + UNCONFIRMED_DELIVERY_DELAY - now()).total_seconds())


def _record(session: Session, call_id: str, attempt: DeliveryAttempt, result: DeliveryResult) -> float | None:
    row = delivery_records.find(session, call_id)
    if row is None or row[0].state != "waiting":  # housekeeping in another process has given it up meanwhile
        return None
    delivery, call = row
    delivery.last_response = result.message
    delivery.possibly_delivered = attempt.possibly_delivered or result.possibly_delivered
    delay = next_delay(result, delivery.attempts, now() - (delivery.delivering_since or delivery.accepted_at))
    if delay is None:
        _finish(session, delivery, call, result)
    return delay


def _finish(session: Session, delivery: Delivery, call: Call, result: DeliveryResult) -> None:
    if result.status is DeliveryStatus.DELIVERED:
        delivery_records.mark_delivered(delivery)
    else:
        delivery_records.mark_failed(delivery, result.message)
    records.finish_pending(call, None if delivery.state == "delivered" else delivery.state)
    log.info(
        "delivery_finished",
        organization=session.get_one(Organization, call.organization_id).slug,
        call_id=call.call_id,
        delivery=delivery.state,
        attempts=delivery.attempts,
        status=call.status,
        error_code=call.error_code,
        cause=call.cause,
        duration_ms=call.duration_ms,
    )
