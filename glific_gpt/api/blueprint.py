"""The API's blueprint: where it is, how it describes itself, its lock, and how its errors are said."""

from typing import Any

import structlog
from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from glific_gpt.api.authentication import admit
from glific_gpt.api.problems import Problem, declared, problem
from glific_gpt.api.requests import check_body, refuse
from glific_gpt.database import UNAVAILABLE
from glific_gpt.errors import DATABASE_AWAY, Conflict, GlificGptError, Overloaded

log = structlog.get_logger()

INTRODUCTION = """
Manages the organizations of a glific_gpt server: their OpenAI keys, webhook tokens, models,
calls and connections to Glific.

Send `Authorization: Bearer <API token>`; `flask api-tokens create` makes one. An administrator's token reaches
every organization. An organization's token reaches that organization alone: everything else is answered as if
it were not there (404).

Errors are `application/problem+json` (RFC 9457) with a `code` that stays the same when the words change.
No answer holds an API key or a token, but for the one answer that makes a token.
"""

DESCRIPTION: dict[str, Any] = {
    "info": Info(title="glific_gpt", version="1", description=INTRODUCTION.strip()),
    "security_schemes": {
        "api_token": SecurityScheme(
            type="http", scheme="bearer", description="An API token: an administrator's, or an organization's."
        )
    },
    "validation_error_model": Problem,
    "validation_error_callback": refuse,
    # The library writes an answer of its own into every operation that lacks this status. None of ours does.
    "validation_error_status": 401,
}


def _operation_id(*, name: str, path: str, method: str) -> str:
    return name


blueprint = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_security=[{"api_token": []}],
    abp_responses=declared(401, 503),
    operation_id_callback=_operation_id,
)
blueprint.before_request(admit)
blueprint.before_request(check_body)


@blueprint.after_request
def _never_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(GlificGptError)
def _known(error: GlificGptError) -> Response:
    return problem(error)


def _unavailable(failure: Exception) -> Response:
    log.error("database_unavailable", reason=type(failure).__name__)
    return problem(Overloaded(DATABASE_AWAY, retry_after=1))


def _raced(_error: Exception) -> Response:
    return problem(Conflict("Somebody else changed the same thing at the same moment: look, and try again."))


for _reason in UNAVAILABLE:
    blueprint.register_error_handler(_reason, _unavailable)
for _race in (IntegrityError, StaleDataError):
    blueprint.register_error_handler(_race, _raced)
