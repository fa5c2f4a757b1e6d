"""The route of the webhook: authenticate the caller, then run the call."""

import time
from functools import partial

import structlog
from flask import Blueprint, Request, Response, request
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt import errors
from glific_gpt.calls import pipeline
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import UNAVAILABLE, failures
from glific_gpt.database.timeouts import POOL_TIMEOUT_SECONDS
from glific_gpt.metrics import recording
from glific_gpt.organizations.tables import WebhookToken
from glific_gpt.organizations.token_uses import UsedToken
from glific_gpt.runtime import call_context, event_loop
from glific_gpt.services import Services, services
from glific_gpt.webhooks.authentication import SIGNATURE_CHECK, SIGNATURE_HEADER, authenticate, bearer_token, raw_body
from glific_gpt.webhooks.paths import PREFIX
from glific_gpt.webhooks.responses import read_mode, respond, respond_with_error

ARRIVED_AT = "glific_gpt.arrived_at"
"""Key of the WSGI environment: when the request had arrived, on `time.monotonic()`."""
HAS_WAITED_TOO_LONG = "glific_gpt.has_waited_too_long"
"""Key of the WSGI environment that is set for a call that the server could not begin in time."""
IS_AUTHENTICATED = "glific_gpt.is_authenticated"
"""Key of the WSGI environment that is set when the caller is authenticated."""

log = structlog.get_logger()

blueprint = Blueprint("webhooks", __name__, url_prefix=PREFIX)


# OPTIONS is not answered, and a trailing slash is accepted: Glific counts a redirect as a failure.
@blueprint.post("/<slug>/<function>", strict_slashes=False, provide_automatic_options=False)
def call_function(slug: str, function: str) -> Response:
    """Run one call of one function of one organization."""
    if HAS_WAITED_TOO_LONG in request.environ:
        raise errors.Overloaded(retry_after=1)
    app_services = services()
    # The deadline includes the time in which the call waited for its start, and the queries of the authentication.
    deadline = pipeline.request_deadline(app_services.settings, request.environ.get(ARRIVED_AT))
    # With a very short deadline, calls still wait for the database as long as a connection may take.
    arrived_at = request.environ.get(ARRIVED_AT) or time.monotonic()
    call_context.wait_until(max(deadline.at, arrived_at + POOL_TIMEOUT_SECONDS))
    found = tenants.find_tenant(slug, app_services.model_provider.name, bearer_token(request))
    tenant = authenticate(found, request, app_services.vault)
    request.environ[IS_AUTHENTICATED] = True
    if tenant.token_id is not None and SIGNATURE_CHECK not in request.environ:
        app_services.token_uses.note(UsedToken(WebhookToken, tenant.token_id))
    call_context.set_group(slug)  # from now on the call takes turns with those of other organizations
    context = CallContext(tenant.organization_id, function, mode=read_mode(request.query_string))
    outcome = _run(app_services, tenant, function, deadline, context)
    if outcome.replayed:
        recording.answer_replayed()
    else:
        recording.call_answered(time.monotonic() - arrived_at)
    # Logging takes time, so the line is written after the response.
    event_loop.after_response(partial(_log_call, slug, context, outcome, context.duration_ms()))
    return respond(outcome)


def _run(app_services: Services, tenant: Tenant, function: str, deadline: Deadline, context: CallContext) -> Outcome:
    try:
        # Before the slot is taken: a client that sends slowly must not keep a slot from other calls.
        inbound = _read_call(function, deadline)
        with app_services.slots.hold(tenant.organization_id, inbound.weight):
            return app_services.pipeline.run(tenant, inbound, context)
    except (errors.BodyTooLarge, errors.InvalidJson, errors.Overloaded) as error:
        return app_services.pipeline.refuse(tenant, context, error)


def _log_call(slug: str, context: CallContext, outcome: Outcome, duration_ms: int) -> None:
    body = outcome.body
    log.info(
        "call_finished",
        organization=slug,
        function=context.function,
        mode=context.mode,
        model=context.usage.model or context.model_asked,
        status=body["status"],
        http_status=outcome.status,
        call_id=body["call_id"],
        error_code=body.get("error_code"),
        cause=context.cause,
        duration_ms=duration_ms,
        openai_ms=round(context.usage.seconds * 1000),
        replayed=outcome.replayed,
    )


def _read_call(function: str, deadline: Deadline) -> InboundCall:
    return InboundCall(
        function=function,
        body=raw_body(request),
        deadline=deadline,
        mode=read_mode(request.query_string),
        idempotency_key=_idempotency_key(request),
        signature=request.headers.get(SIGNATURE_HEADER) if SIGNATURE_CHECK in request.environ else None,
    )


def _idempotency_key(request: Request) -> str | None:
    """Return the caller's key, else Glific's signature, which is the same when Glific sends a job again."""
    return request.headers.get("Idempotency-Key") or request.headers.get(SIGNATURE_HEADER)


@blueprint.errorhandler(errors.GlificGptError)
def _on_error(error: errors.GlificGptError) -> Response:
    return respond_with_error(error)


def _on_unavailable_database(failure: SQLAlchemyError) -> Response:
    failures.log_failure(failure)
    return respond_with_error(errors.Overloaded(errors.MSG_DATABASE_UNAVAILABLE, retry_after=1))


# Flask accepts one class in each registration.
for _error_type in UNAVAILABLE:
    blueprint.register_error_handler(_error_type, _on_unavailable_database)
