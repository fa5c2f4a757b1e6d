"""Route of calls: what was asked when, and how it went, in pages."""

from typing import Annotated, Literal

from flask import Response, url_for
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, RootModel

from glific_gpt.api.answers import answer
from glific_gpt.api.blueprint import blueprint
from glific_gpt.api.problems import declared
from glific_gpt.api.requests import OrganizationPath
from glific_gpt.calls import records
from glific_gpt.calls.records import PAGE
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from glific_gpt.views import CallView

TAG = Tag(name="Calls", description="One for each webhook call. Neither the question nor the answer is kept.")


class CallQuery(BaseModel):
    """Which calls."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(PAGE, ge=1, le=1000, description="How many at most.")
    before: Annotated[str, Field(pattern=r"^call_[0-9a-f]{1,35}$")] | None = Field(
        None, description="A call_id: only older calls than that; the next of the page before."
    )
    status: Literal["started", "pending", "ok", "error", "interrupted"] | None = Field(
        None, description="Only calls that are so."
    )


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


@blueprint.get("/organizations/<slug>/calls", tags=[TAG], responses={200: PAGES, **declared(404, 422)})
def list_calls(path: OrganizationPath, query: CallQuery) -> Response:
    """List calls
    Newest first, in pages: the header Link has the address of the next one.
    """
    with transaction() as session:
        organization = store.find(session, path.slug)
        rows = records.page(session, organization.id, limit=query.limit + 1, before=query.before, status=query.status)
    shown = [CallView.of(row) for row in rows[: query.limit]]
    response = answer(CallPage(shown))
    if len(rows) > query.limit:
        following = query.model_dump(exclude_none=True) | {"before": shown[-1].call_id}
        response.headers["Link"] = f'<{url_for("api.list_calls", slug=path.slug, **following)}>; rel="next"'
    return response
