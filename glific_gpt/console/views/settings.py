"""Settings of an organization: name, texts, limits, budget, webhook signature."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, current_organization, has_access, requires, update_organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.settings import SettingsForm, SignatureForm
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.database import reading, transaction
from glific_gpt.errors import InvalidValue
from glific_gpt.organizations import signature, store
from glific_gpt.services import services
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.usage import totals


@blueprint.get("/organizations/<slug>/settings")
@requires(AccessLevel.VIEWER)
def organization_settings(slug: str) -> str:
    return _render(_saved_settings_form(), SignatureForm(formdata=None))


@blueprint.post("/organizations/<slug>/settings")
@requires(AccessLevel.EDITOR)
def save_organization_settings(slug: str) -> ResponseReturnValue:
    form = _settings_form()
    changes = form.changes(current_organization())
    if changes is None:
        return _render(form, SignatureForm(formdata=None)), 422
    update_organization(changes)
    if changes.monthly_budget_usd == 0:
        flash(_("Saved. The budget is 0, so every call is refused. Leave the field empty for no limit."), "warning")
    else:
        flash(_("Saved. Used from the next call."), "success")
    return _redirect(slug)


@blueprint.post("/organizations/<slug>/settings/phrase")
@requires(AccessLevel.EDITOR)
def save_webhook_signature(slug: str) -> ResponseReturnValue:
    form = SignatureForm()
    try:
        with transaction() as session:
            signature.set_phrase(session, store.find(session, slug), form.phrase.data or "", services().vault)
    except InvalidValue as error:
        form.phrase.errors = [translate_error(error)]
        return _render(_saved_settings_form(), form), 422
    flash(_("The webhook signature is saved."), "success")
    return _redirect(slug)


@blueprint.post("/organizations/<slug>/settings/phrase/clear")
@requires(AccessLevel.OWNER)
def delete_webhook_signature(slug: str) -> ResponseReturnValue:
    with transaction() as session:
        signature.clear_phrase(session, store.find(session, slug))
    flash(_("The webhook signature is deleted."), "success")
    return _redirect(slug)


def _settings_form(*, use_saved: bool = False) -> SettingsForm:
    """Return the settings form. Only administrators can switch the organization on and off."""
    form = SettingsForm(formdata=None) if use_saved else SettingsForm()
    if not has_access(AccessLevel.ADMINISTRATOR):
        del form.is_active
    return form


def _saved_settings_form() -> SettingsForm:
    form = _settings_form(use_saved=True)
    form.show(current_organization())
    return form


def _render(form: SettingsForm, phrase: SignatureForm) -> str:
    with reading(current_organization().id) as session:
        spent = totals.spent_this_month(session, current_organization())
    return render_template("console/settings.html", form=form, phrase=phrase, spent=spent, fallback=FALLBACK_MESSAGE)


def _redirect(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.organization_settings", slug=slug))
