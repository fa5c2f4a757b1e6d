"""The audit trail: who changed what, and when; of one organization, and of the whole server."""

from flask import render_template, request

from glific_gpt.audit import trail
from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters import audit_entries
from glific_gpt.database import reading

LARGEST = 2**63 - 1
"""The last id that there can be."""


@blueprint.get("/organizations/<slug>/audit")
@needs(Lock.VIEWER)
def audit_trail(slug: str) -> str:
    return render_template("console/audit.html", **_page(organization().id))


@blueprint.get("/server/audit")
@needs(Lock.ADMINISTRATOR)
def server_audit() -> str:
    return render_template("console/server_audit.html", **_page(None))


def _page(organization_id: int | None) -> dict[str, object]:
    """One more than is shown tells whether there are older ones."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before <= LARGEST:
        before = None
    with reading() as session:
        found = trail.page(session, organization_id, limit=trail.PAGE + 1, before=before)
    shown = found[: trail.PAGE]
    older = shown[-1].id if len(found) > trail.PAGE else None
    return {
        "entries": shown,
        "older": older,
        "is_first": before is None,
        "told": audit_entries.told,
        "who": audit_entries.who,
    }
