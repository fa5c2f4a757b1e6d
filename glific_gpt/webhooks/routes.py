"""The webhook: who calls, then the one path that every call takes."""

import structlog
from flask import Blueprint, Request, Response, request

from glific_gpt import bridge, errors
from glific_gpt.calls import pipeline
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import SYNC, InboundCall
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import UNAVAILABLE
from glific_gpt.services import Services, services
from glific_gpt.webhooks.authentication import SIGNATURE_HEADER, bearer_token, raw_body, require_caller
from glific_gpt.webhooks.responses import reply, reply_to_stranger

log = structlog.get_logger()

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.post("/<slug>/<function>", strict_slashes=False, provide_automatic_options=False)
def call(slug: str, function: str) -> Response:
    """One call of one function of one organization."""
    app = services()
    deadline = pipeline.request_deadline(app.settings)
    tenant = _identify(app, slug)
    outcome = _run(app, tenant, function, deadline)
    facts = {key: outcome.body.get(key) for key in ("call_id", "error_code")}
    # The line is written when the answer is on its way, which nobody needs to wait for.
    bridge.afterwards(lambda: log.info("call", organization=slug, function=function, status=outcome.status, **facts))
    return reply(outcome)


def _run(app: Services, tenant: Tenant, function: str, deadline: Deadline) -> Outcome:
    """The body is read before a place is taken: whoever sends it slowly keeps nobody else out."""
    try:
        inbound = _inbound(function, deadline)
        with pipeline.hold_slot(app.slots):
            return app.runner.run(tenant, inbound)
    except (errors.BodyTooLarge, errors.InvalidJson, errors.Overloaded) as error:
        return app.runner.refuse(tenant, function, error)


def _identify(app: Services, slug: str) -> Tenant:
    tenant = tenants.find_tenant(slug, app.language_models.name, bearer_token(request))
    return require_caller(tenant, request, app.vault)


def _inbound(function: str, deadline: Deadline) -> InboundCall:
    return InboundCall(
        function=function,
        body=raw_body(request),
        deadline=deadline,
        mode=request.args.get("mode", SYNC),
        idempotency_key=_idempotency_key(request),
    )


def _idempotency_key(request: Request) -> str | None:
    """The caller's own key, else Glific's signature, which is the same when Glific sends a job again."""
    return request.headers.get("Idempotency-Key") or request.headers.get(SIGNATURE_HEADER)


@blueprint.errorhandler(errors.GlificGptError)
def _known(error: errors.GlificGptError) -> Response:
    return reply_to_stranger(error)


def _unavailable(failure: Exception) -> Response:
    log.error("database_unavailable", reason=type(failure).__name__)
    return reply_to_stranger(errors.Overloaded(errors.DATABASE_AWAY, retry_after=1))


for _reason in UNAVAILABLE:
    blueprint.register_error_handler(_reason, _unavailable)
