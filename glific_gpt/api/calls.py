"""Routes of calls: how they went, in pages; the whole story of one; an answer that is tried again."""

from typing import Annotated, Literal

from flask import Response, url_for
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, RootModel

from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import OrganizationPath
from glific_gpt.api.responses import answer
from glific_gpt.calls import records
from glific_gpt.calls import timeline as stories
from glific_gpt.calls.deferred import recovery
from glific_gpt.calls.queries import Filters
from glific_gpt.calls.records import PAGE_SIZE
from glific_gpt.calls.tables import CALL_ID
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.schemas import CallStoryView, CallView
from glific_gpt.services import services

TAG = Tag(
    name="Calls",
    description=(
        "One for each webhook call. Neither the question nor the answer is kept; what has not reached its flow yet is, "
        "encrypted, and an answer that was given up for a day."
    ),
)
RULE = "/organizations/<slug>/calls"


class CallQuery(BaseModel):
    """Which calls."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE_SIZE, ge=1, le=1000, description="How many at most.")
    before: Annotated[str, Field(pattern=CALL_ID)] | None = Field(
        None, description="A call_id: only older calls than that; the next of the page before."
    )
    status: Literal["started", "pending", "ok", "error", "interrupted"] | None = Field(
        None, description="Only calls that are so."
    )


class CallPath(OrganizationPath):
    """A call's address."""

    call_id: Annotated[str, Field(pattern=CALL_ID, description="The call's id.", examples=[f"call_{'0a1b' * 6}"])]


class CallPage(RootModel[list[CallView]]):
    """Calls, newest first."""


LINK = {
    "description": "The next page, as rel=next (RFC 8288); not there on the last one.",
    "schema": {"type": "string"},
}
PAGES = {
    "description": "OK",
    "headers": {"Link": LINK},
    "content": {"application/json": {"schema": CallPage.model_json_schema(mode="serialization")}},
}


@blueprint.get(RULE, tags=[TAG], responses={200: PAGES, **declared(404, 422)})
def list_calls(path: OrganizationPath, query: CallQuery) -> Response:
    """List calls
    Newest first, in pages: the header Link has the address of the next one.
    """
    with transaction() as session:
        organization = store.find(session, path.slug)
        rows = records.list_calls(
            session, organization.id, limit=query.limit + 1, before=query.before, filters=Filters(status=query.status)
        )
    shown = [CallView.of(row) for row in rows[: query.limit]]
    response = answer(CallPage(shown))
    if len(rows) > query.limit:
        following = query.model_dump(exclude_none=True) | {"before": shown[-1].call_id}
        response.headers["Link"] = f'<{url_for("api.list_calls", slug=path.slug, **following)}>; rel="next"'
    return response


@blueprint.get(f"{RULE}/<call_id>", tags=[TAG], responses={200: CallStoryView, **declared(404)})
def show_call(path: CallPath) -> Response:
    """Show a call
    With its whole story: when it was accepted, asked, answered, and whether the answer reached its flow.
    """
    return answer(_view(path.slug, path.call_id))


@blueprint.post(
    f"{RULE}/<call_id>/retry",
    tags=[TAG],
    description=(
        "For an answer that did not reach its flow, while it is kept, and for one at which nobody works any more. "
        "OpenAI is not asked again for what it has answered."
    ),
    responses={202: CallStoryView, **declared(404, 409)},
)
def retry_call(path: CallPath) -> Response:
    """Try an answer again"""
    with transaction() as session:
        organization = store.find(session, path.slug)
    recovery.retry_delivery(services().engine, organization.id, path.call_id)
    return answer(_view(path.slug, path.call_id), 202)


def _view(slug: str, call_id: str) -> CallStoryView:
    with transaction() as session:
        return CallStoryView.telling(stories.find_timeline(session, store.find(session, slug).id, call_id))
