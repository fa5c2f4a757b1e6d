"""The OpenAI page: the key and its switch."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.first_question import ask_after_saving
from glific_gpt.console.forms import key_changes
from glific_gpt.console.forms.key import KeyForm, save_key, switch_key
from glific_gpt.console.forms.key_check import KeyTestResult, test_key
from glific_gpt.console.presenters import key_state
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.services import services


@blueprint.get("/organizations/<slug>/openai")
@requires(AccessLevel.VIEWER)
def openai(slug: str) -> str:
    return _render(KeyForm())


@blueprint.post("/organizations/<slug>/openai")
@requires(AccessLevel.EDITOR)
def save_openai(slug: str) -> ResponseReturnValue:
    """Test and save the key with the switch, and ask a question if that button was pressed.

    Without a typed key, save the switch only.
    """
    form, saved = KeyForm(), _find_saved()
    if saved is not None and key_changes.has_conflict(form, saved):
        key_changes.set_conflict_error(form, saved)
        return _render(form), 409
    switched = key_changes.keep_switch_of_colleague(form, saved)
    done = save_key(form) if form.typed_key else switch_key(form)
    if done is None:
        return _render(form), form.error_status
    if switched:
        flash(switched, "warning")
    flash(*(ask_after_saving(done) if "ask" in request.form and form.is_active.data else (done, "info")))
    return _redirect(slug)


@blueprint.post("/organizations/<slug>/openai/test")
@requires(AccessLevel.EDITOR)
def test_openai(slug: str) -> str:
    """Test the key. Nothing is saved.

    An htmx request gets only a part of the page, a browser without scripts the whole page.
    """
    form = KeyForm()
    result = test_key(form)
    if "HX-Request" in request.headers:
        return render_template("console/_key_test_result.html", result=result)
    return _render(form, result)


@blueprint.post("/organizations/<slug>/openai/delete")
@requires(AccessLevel.OWNER)
def delete_openai_key(slug: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            store.delete(session, current_organization().id, services().model_provider)
        flash(_("The key is deleted. Until you add a key, flows get the “Message when there is no answer”."), "success")
    except NotFound:
        flash(_("The key was already deleted."), "info")
    return _redirect(slug)


def _render(form: KeyForm, result: KeyTestResult | None = None) -> str:
    page = key_state.build_key_page(current_organization())
    form.set_choices(page.credential.base_url if page.credential else None)
    if not form.is_submitted():
        form.is_active.data = page.credential is None or page.credential.is_active
    opened = key_changes.hidden_inputs(form, page.credential)
    return render_template("console/openai.html", form=form, result=result, page=page, opened=opened)


def _find_saved() -> Credential | None:
    with transaction() as session:
        return store.find_or_none(session, current_organization().id, services().model_provider)


def _redirect(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.openai", slug=slug))
