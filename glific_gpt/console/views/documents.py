"""The page Documents: vector stores and documents at the organization's OpenAI account. Nothing of them is kept."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, current_organization, requires, update_organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.documents import (
    BUSY,
    FILE_FIELD,
    TOO_LARGE,
    DocumentForm,
    NewStoreForm,
    StoreForm,
    UploadForm,
)
from glific_gpt.console.presenters.documents import DocumentsPage, present_failure, present_inventory
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.console.uploads import accepts_file
from glific_gpt.errors import GlificGptError
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.credentials.documents import SEARCHABLE_TYPES, Documents
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.services import services
from glific_gpt.settings import MAX_DOCUMENT_BYTES

upload_slots = FairSemaphore(4, max_waiting=8, max_waiting_of_group=1)
"""Uploads at the same time: each holds a document in memory twice."""
SLOT_TIMEOUT_SECONDS = 10.0
"""How long an upload waits for those of other organizations."""

DOCUMENTS_URL = "/organizations/<slug>/documents"


@blueprint.get(DOCUMENTS_URL)
@requires(AccessLevel.VIEWER)
def documents(slug: str) -> str:
    """Show the documents. An htmx request gets only the list, which renews itself while OpenAI indexes a document."""
    return _render(slug, request.args.get("store"))


@blueprint.post(DOCUMENTS_URL)
@requires(AccessLevel.EDITOR)
@accepts_file(FILE_FIELD, MAX_DOCUMENT_BYTES)
def upload_document(slug: str) -> ResponseReturnValue:
    """Pass a document on to OpenAI."""
    form = UploadForm()
    if not form.validate_on_submit():
        return _reject_upload(slug, [str(text) for texts in form.errors.values() for text in texts], form.store_id.data)
    store_id, file = form.store_id.data, form.document.data
    if not upload_slots.acquire(slug, SLOT_TIMEOUT_SECONDS):
        return _reject_upload(slug, [str(BUSY)], store_id, 503)
    refusal = None
    try:
        with services().waiting_pages.hold(slug):
            _documents().upload(store_id, file.filename or "", file.read())
    except GlificGptError as error:
        refusal = error
    finally:
        upload_slots.release()
    if refusal is not None:  # without the slot, because the page asks OpenAI for the list
        return _reject_upload(slug, [translate_error(refusal)], store_id, refusal.status)
    notice = _("The document is at OpenAI, which now indexes it.")
    if _is_htmx():
        return _render(slug, store_id, notice=notice)
    flash(notice, "success")
    return _redirect(slug, store_id)


def reject_large_document(slug: str) -> ResponseReturnValue:
    """Show the error for a document that is too large. Its form was not read."""
    return _reject_upload(slug, [str(TOO_LARGE)], request.args.get("store"), 413)


@blueprint.post(f"{DOCUMENTS_URL}/remove")
@requires(AccessLevel.EDITOR)
def remove_document(slug: str) -> ResponseReturnValue:
    form = DocumentForm()
    store_id, file_id = form.store_id.data, form.file_id.data
    return _act(slug, form, lambda: _documents().remove(store_id, file_id), _("The document is deleted."))


@blueprint.post(f"{DOCUMENTS_URL}/stores")
@requires(AccessLevel.EDITOR)
def create_vector_store(slug: str) -> ResponseReturnValue:
    """Create a vector store. The first one becomes the default."""
    form = NewStoreForm()
    if not form.validate_on_submit():
        flash(_("Write a name of 1 to 100 characters."), "error")
        return _redirect(slug)
    try:
        with services().waiting_pages.hold(slug):
            store_id = _documents().create_store(form.name.data)
    except GlificGptError as error:
        flash(translate_error(error), "error")
        return _redirect(slug)
    if current_organization().vector_store_id is None:
        update_organization(OrganizationChanges(vector_store_id=store_id))
    flash(_("The vector store is ready. Upload your documents."), "success")
    return _redirect(slug, store_id)


@blueprint.post(f"{DOCUMENTS_URL}/default")
@requires(AccessLevel.EDITOR)
def choose_vector_store(slug: str) -> ResponseReturnValue:
    form = StoreForm()
    store_id = form.store_id.data or None

    def choose() -> None:
        if store_id is not None:
            _documents().find_store(store_id)
        update_organization(OrganizationChanges(vector_store_id=store_id))

    return _act(slug, form, choose, _("Saved. Used from the next call."))


def _act(slug: str, form: StoreForm | DocumentForm, act: Callable[[], None], done: str) -> ResponseReturnValue:
    """Act on a store or a document, and show the page again."""
    if not form.validate_on_submit():
        flash(_("This is no longer at OpenAI. Load the page again."), "error")
        return _redirect(slug)
    try:
        with services().waiting_pages.hold(slug):
            act()
    except GlificGptError as error:
        flash(translate_error(error), "error")
    else:
        flash(done, "success")
    return _redirect(slug, form.store_id.data)


def _documents() -> Documents:
    app = services()
    return Documents(app.vault, app.model_provider, current_organization().id)


def _load(slug: str, store_id: str | None) -> DocumentsPage:
    default = current_organization().vector_store_id
    try:
        with services().waiting_pages.hold(slug):
            return present_inventory(_documents().list_all(store_id, default), default)
    except GlificGptError as error:
        return present_failure(error)


def _is_htmx() -> bool:
    return "HX-Request" in request.headers


def _render(slug: str, store_id: str | None, *, notice: str | None = None, errors: list[str] | None = None) -> str:
    template = "console/_documents.html" if _is_htmx() else "console/documents.html"
    return render_template(
        template,
        page=_load(slug, store_id),
        notice=notice,
        upload_errors=errors or [],
        max_bytes=MAX_DOCUMENT_BYTES,
        too_large=TOO_LARGE,
        types=",".join(sorted(SEARCHABLE_TYPES)),
        new_store=NewStoreForm(formdata=None),
    )


def _reject_upload(slug: str, errors: list[str], store_id: str | None, status: int = 422) -> ResponseReturnValue:
    # htmx discards responses with an error status.
    return _render(slug, store_id, errors=errors), 200 if _is_htmx() else status


def _redirect(slug: str, store_id: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("console.documents", slug=slug, store=store_id or None))
