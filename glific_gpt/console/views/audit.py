"""The audit trail of one organization and of the whole server."""

from flask import render_template, request

from glific_gpt.audit import trail
from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters import audit_entries
from glific_gpt.database import reading

MAX_ID = 2**63 - 1
"""The largest BIGINT. PostgreSQL refuses queries with larger ids."""


@blueprint.get("/organizations/<slug>/audit")
@requires(AccessLevel.VIEWER)
def audit_trail(slug: str) -> str:
    return render_template("console/audit.html", **_page_variables(current_organization().id))


@blueprint.get("/server/audit")
@requires(AccessLevel.ADMINISTRATOR)
def server_audit() -> str:
    return render_template("console/server_audit.html", **_page_variables(None))


def _page_variables(organization_id: int | None) -> dict[str, object]:
    """Return the entries of one page. `None` means the whole server."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before <= MAX_ID:
        before = None
    with reading(organization_id) as session:
        # One more than a page shows, to know if there are older entries.
        found = trail.list_entries(session, organization_id, limit=trail.PAGE_SIZE + 1, before=before)
    shown = found[: trail.PAGE_SIZE]
    older = shown[-1].id if len(found) > trail.PAGE_SIZE else None
    return {
        "entries": shown,
        "older": older,
        "is_first": before is None,
        "describe": audit_entries.describe_action,
        "actor_name": audit_entries.describe_actor,
    }
