"""Settings of OpenAI (ChatGPT): the switch and the key."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.key import KeyForm, Said, ask, save, switch
from glific_gpt.console.presenters.key_state import key_page
from glific_gpt.credentials import store
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound
from glific_gpt.services import services


@blueprint.get("/organizations/<slug>/openai")
@needs(Lock.VIEWER)
def openai(slug: str) -> str:
    return _page(KeyForm())


@blueprint.post("/organizations/<slug>/openai")
@needs(Lock.EDITOR)
def openai_save(slug: str) -> ResponseReturnValue:
    """With a key: asked about and saved, with the switch. Without: the switch alone."""
    form = KeyForm()
    done = save(form) if form.typed else switch(form)
    if done is None:
        return _page(form), 422
    flash(done, "success")
    return _back(slug)


@blueprint.post("/organizations/<slug>/openai/test")
@needs(Lock.EDITOR)
def openai_test(slug: str) -> str:
    """What OpenAI says; nothing is saved. A part of the page where scripts run, else the whole page."""
    form = KeyForm()
    said = ask(form)
    if "HX-Request" in request.headers:
        return render_template("console/_openai_said.html", said=said)
    return _page(form, said)


@blueprint.post("/organizations/<slug>/openai/delete")
@needs(Lock.OWNER)
def openai_delete(slug: str) -> ResponseReturnValue:
    try:
        with transaction() as session:
            store.delete(session, organization().id, services().language_models)
        flash(
            _("The key is deleted. Until you add a key, flows get the message for when there is no answer."), "success"
        )
    except NotFound:
        flash(_("The key was already deleted."), "info")
    return _back(slug)


def _page(form: KeyForm, said: Said | None = None) -> str:
    shown = key_page(organization())
    if not form.is_submitted():
        form.is_active.data = shown.credential is None or shown.credential.is_active
    return render_template("console/openai.html", form=form, said=said, shown=shown)


def _back(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.openai", slug=slug))
