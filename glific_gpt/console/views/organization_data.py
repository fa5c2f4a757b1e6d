"""Data of an organization: its export for owners, and its deletion for administrators."""

from flask import Response, flash, redirect, render_template, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.clock import now
from glific_gpt.console.access import AccessLevel, current_organization, require_fresh_sign_in, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.downloads import release_on_error
from glific_gpt.console.forms.deletion import DeletionForm
from glific_gpt.console.presenters.labels import TABLE_NAMES
from glific_gpt.database import reading
from glific_gpt.operations.organization_data import deletion, export
from glific_gpt.operations.organization_data.contents import count_contents
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.services import services

DATA_URL = "/organizations/<slug>/data"

export_slot = FairSemaphore(1, max_waiting=4, max_waiting_of_group=1)
"""One export at a time: a large one takes seconds of CPU time, and webhooks must go on being answered."""
EXPORT_TIMEOUT_SECONDS = 10.0
"""How long an export waits for those of other organizations."""
DELETION_SECONDS = 15.0
"""How long a request deletes calls. After that, the page offers to continue."""


@blueprint.get(DATA_URL)
@requires(AccessLevel.OWNER)
def organization_data(slug: str) -> str:
    return _render(DeletionForm(formdata=None))


@blueprint.post(f"{DATA_URL}/export")
@requires(AccessLevel.OWNER)
@blocking
def export_organization(slug: str) -> ResponseReturnValue:
    """Download everything that is stored of the organization, without secrets."""
    page = url_for("console.organization_data", slug=slug)
    if confirmation := require_fresh_sign_in(page):
        return confirmation
    if not export_slot.acquire(slug, EXPORT_TIMEOUT_SECONDS):
        flash(_("Another export is running. Try again in a minute."), "error")
        return redirect(page)
    with release_on_error(export_slot.release):
        export.record(current_organization())
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{now():%Y-%m-%d}.zip"'}
    body = stream_with_context(export.stream(current_organization()))
    response = Response(body, content_type="application/zip", headers=headers)
    response.call_on_close(export_slot.release)
    return response


@blueprint.post(f"{DATA_URL}/delete")
@requires(AccessLevel.ADMINISTRATOR)
def delete_organization(slug: str) -> ResponseReturnValue:
    """Delete the organization, or begin with it if it has many calls."""
    page = url_for("console.organization_data", slug=slug)
    if confirmation := require_fresh_sign_in(page):
        return confirmation
    form = DeletionForm()
    if not form.confirms(slug):
        return _render(form), 422
    deleted = deletion.delete_organization(services().engine, slug, seconds=DELETION_SECONDS)
    if not deleted.is_complete:
        flash(_("A part of the calls is deleted. Repeat the step to delete the rest."), "info")
        return redirect(page)
    flash(_("The organization %(slug)s is deleted.", slug=slug), "success")
    return redirect(url_for("console.list_organizations"))


def _render(form: DeletionForm) -> str:
    with reading(current_organization().id) as session:
        contents = count_contents(session, current_organization().id)
    return render_template("console/organization_data.html", form=form, contents=contents, table_names=TABLE_NAMES)
