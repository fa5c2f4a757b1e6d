"""Settings of an organization: name, default texts, limits, budget, signature."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import Lock, change, may, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.settings import PhraseForm, SettingsForm
from glific_gpt.console.presenters.labels import sentence
from glific_gpt.database import reading, transaction
from glific_gpt.errors import InvalidValue
from glific_gpt.organizations import signature, store
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.usage import totals


@blueprint.get("/organizations/<slug>/settings")
@needs(Lock.VIEWER)
def organization_settings(slug: str) -> str:
    return _page(_stored(), PhraseForm(formdata=None))


@blueprint.post("/organizations/<slug>/settings")
@needs(Lock.EDITOR)
def organization_settings_save(slug: str) -> ResponseReturnValue:
    form = _form()
    changes = form.changes()
    if changes is None:
        return _page(form, PhraseForm(formdata=None)), 422
    change(changes)
    flash(_("Saved. Used from the next call."), "success")
    return _back(slug)


@blueprint.post("/organizations/<slug>/settings/phrase")
@needs(Lock.EDITOR)
def organization_settings_phrase(slug: str) -> ResponseReturnValue:
    form = PhraseForm()
    try:
        with transaction() as session:
            signature.set_phrase(session, store.find(session, slug), form.phrase.data or "", services().vault)
    except InvalidValue as error:
        form.phrase.errors = [sentence(error)]
        return _page(_stored(), form), 422
    flash(_("The webhook signature is saved."), "success")
    return _back(slug)


@blueprint.post("/organizations/<slug>/settings/phrase/clear")
@needs(Lock.OWNER)
def organization_settings_clear(slug: str) -> ResponseReturnValue:
    with transaction() as session:
        signature.clear_phrase(session, store.find(session, slug))
    flash(_("The webhook signature is deleted."), "success")
    return _back(slug)


def _form(*, stored: bool = False) -> SettingsForm:
    """The organization's switch is the administrators'."""
    form = SettingsForm(formdata=None) if stored else SettingsForm()
    if not may(Lock.ADMINISTRATOR):
        del form.is_active
    return form


def _stored() -> SettingsForm:
    form = _form(stored=True)
    form.show(organization())
    return form


def _page(form: SettingsForm, phrase: PhraseForm) -> str:
    with reading() as session:
        spent = totals.spent(session, organization())
    return render_template("console/settings.html", form=form, phrase=phrase, spent=spent, fallback=FALLBACK_MESSAGE)


def _back(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.organization_settings", slug=slug))
