"""The blueprint of the JSON API: description, authentication, and error handlers."""

from typing import Any

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.models.security_scheme import SecurityScheme
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError

from glific_gpt.api.authentication import authenticate
from glific_gpt.api.problems import Problem, problem_response, problem_specs
from glific_gpt.api.requests import raise_validation_error, validate_body
from glific_gpt.database import UNAVAILABLE, failures
from glific_gpt.errors import MSG_DATABASE_UNAVAILABLE, Conflict, GlificGptError, Overloaded
from glific_gpt.services import limit_pages

INTRODUCTION = """
Manages the organizations of a glific_gpt server: their OpenAI keys, webhook tokens, models,
calls and connections to Glific. The functions that flows call are under *Webhooks*.

Send `Authorization: Bearer <API token>`. Create a token with `flask api-tokens create`. An administrator's token can
access every organization. An organization's token can access only that organization; for everything else it gets 404.

Errors are `application/problem+json` (RFC 9457). Their `code` is stable; their text may change.
Responses never contain API keys or tokens. The only exception is the response that creates a token.
"""

DESCRIPTION: dict[str, Any] = {
    "info": Info(title="glific_gpt", version="1", description=INTRODUCTION.strip()),
    "security_schemes": {
        "api_token": SecurityScheme(
            type="http", scheme="bearer", description="An API token: an administrator's, or an organization's."
        )
    },
    "validation_error_model": Problem,
    "validation_error_callback": raise_validation_error,
    # The library adds its own response to every operation without this status. Every operation of ours has a 401.
    "validation_error_status": 401,
}


def _operation_id(*, name: str, path: str, method: str) -> str:
    return name


blueprint = APIBlueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    abp_security=[{"api_token": []}],
    abp_responses=problem_specs(401, 429, 503),
    operation_id_callback=_operation_id,
)
blueprint.before_request(authenticate)
limit_pages(blueprint)
blueprint.before_request(validate_body)


@blueprint.after_request
def _disable_caching(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(GlificGptError)
def _handle_known_error(error: GlificGptError) -> Response:
    return problem_response(error)


def _handle_unavailable_database(failure: SQLAlchemyError) -> Response:
    failures.log_failure(failure)
    return problem_response(Overloaded(MSG_DATABASE_UNAVAILABLE, retry_after=1))


def _handle_conflict(_error: Exception) -> Response:
    return problem_response(Conflict("This was changed by another request at the same time. Load it again and retry."))


for _error_class in UNAVAILABLE:
    blueprint.register_error_handler(_error_class, _handle_unavailable_database)
for _conflict_class in (IntegrityError, StaleDataError):
    blueprint.register_error_handler(_conflict_class, _handle_conflict)
