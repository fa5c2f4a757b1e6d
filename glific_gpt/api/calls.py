"""Routes of calls: list, show with the timeline, retry a delivery."""

from typing import Annotated, Literal

from flask import Response, url_for
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import problem_specs
from glific_gpt.api.requests import OrganizationPath
from glific_gpt.api.responses import json_response
from glific_gpt.calls import queries, records, timeline
from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.filters import Filters
from glific_gpt.calls.queries import PAGE_SIZE
from glific_gpt.calls.tables import CALL_ID
from glific_gpt.database import reading, transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import CallDetailView, CallView
from glific_gpt.services import services

TAG = Tag(
    name="Calls",
    description=(
        "Webhook calls. Questions and answers are not stored. The exception is an answer that has not reached its flow "
        "yet: it is stored encrypted until it is delivered, or until 24 hours after the delivery was given up."
    ),
)
RULE = "/organizations/<slug>/calls"


class CallQuery(BaseModel):
    """Filters and position of a page."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE_SIZE, ge=1, le=1000, description="Maximum number of calls.")
    before: Annotated[str, Field(pattern=CALL_ID)] | None = Field(
        None, description="A call_id. Only older calls are returned."
    )
    status: Literal["started", "pending", "ok", "error", "interrupted"] | None = Field(
        None, description="Only calls with this status."
    )


class CallPath(OrganizationPath):
    """Path parameters of a call."""

    call_id: Annotated[str, Field(pattern=CALL_ID, description="The id of the call.", examples=[f"call_{'0a1b' * 6}"])]


class CallPage(RootModel[list[CallView]]):
    """Calls, newest first."""


LINK = {
    "description": "The next page, as rel=next (RFC 8288). Absent on the last page.",
    "schema": {"type": "string"},
}
# The items are inline, because the schema of CallPage refers to #/$defs/CallView, which the document does not have.
PAGE_SCHEMA = {"type": "array", "title": "CallPage", "items": CallView.model_json_schema(mode="serialization")}
PAGES = {
    "description": "OK",
    "headers": {"Link": LINK},
    "content": {"application/json": {"schema": PAGE_SCHEMA}},
}


@blueprint.get(RULE, tags=[TAG], responses={200: PAGES, **problem_specs(404, 422)})
def list_calls(path: OrganizationPath, query: CallQuery) -> Response:
    """List calls
    Newest first, in pages. The Link header has the address of the next page.
    """
    with transaction() as session:
        organization = store.find(session, path.slug)
        records.mark_interrupted(session)
    with reading(organization.id) as session:
        rows = queries.read_calls(
            session, organization.id, limit=query.limit + 1, before=query.before, filters=Filters(status=query.status)
        )
    # One row more than the page tells whether there is a next page.
    page = [CallView.of(row) for row in rows[: query.limit]]
    response = json_response(CallPage(page))
    if len(rows) > query.limit:
        next_query = query.model_dump(exclude_none=True) | {"before": page[-1].call_id}
        response.headers["Link"] = f'<{url_for("api.list_calls", slug=path.slug, **next_query)}>; rel="next"'
    return response


@blueprint.get(f"{RULE}/<call_id>", tags=[TAG], responses={200: CallDetailView, **problem_specs(404)})
def show_call(path: CallPath) -> Response:
    """Show a call
    With its timeline: when it was accepted, asked, answered, and delivered to its flow.
    """
    return json_response(_view(path.slug, path.call_id))


@blueprint.post(
    f"{RULE}/<call_id>/retry",
    tags=[TAG],
    description=(
        "For an answer that was not delivered, while it is stored, and for a call whose worker was lost. If OpenAI has "
        "answered already, it is not asked again."
    ),
    responses={202: CallDetailView, **problem_specs(404, 409)},
)
def retry_call(path: CallPath) -> Response:
    """Retry the delivery of an answer"""
    with transaction() as session:
        organization = store.find(session, path.slug)
    recovery.retry_delivery(services().engine, organization.id, path.call_id)
    return json_response(_view(path.slug, path.call_id), 202)


def _view(slug: str, call_id: str) -> CallDetailView:
    with transaction() as session:
        return CallDetailView.from_timeline(timeline.find_timeline(session, store.find(session, slug).id, call_id))
