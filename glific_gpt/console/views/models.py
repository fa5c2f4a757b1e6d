"""The models page: the allowlist, the default model and the models of the key."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, current_organization, requires, update_organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.allowlist import AllowlistForm
from glific_gpt.console.forms.models import DefaultModelForm, FallbackModelForm, ModelForm
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.console.presenters.models import build_models_page, list_usable_models
from glific_gpt.errors import GlificGptError
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.credentials import store
from glific_gpt.services import services


@blueprint.get("/organizations/<slug>/models")
@requires(AccessLevel.VIEWER)
def models(slug: str) -> str:
    return _render(_saved_form(), DefaultModelForm())


@blueprint.post("/organizations/<slug>/models")
@requires(AccessLevel.EDITOR)
def save_models(slug: str) -> ResponseReturnValue:
    form = AllowlistForm()
    if not form.is_valid(current_organization().allowed_models):
        return _render(form, DefaultModelForm(formdata=None)), 422
    if form.is_changed:
        update_organization(OrganizationChanges(allowed_models=form.allowed_models))
    flash(_("Saved. Used from the next call."), "success")
    return _redirect(slug)


@blueprint.post("/organizations/<slug>/models/preview")
@requires(AccessLevel.EDITOR)
def preview_models(slug: str) -> str:
    """Show the models that the unsaved list in the form would allow."""
    form = AllowlistForm()
    return render_template(
        "console/_models_preview.html", form=form, page=build_models_page(current_organization(), form)
    )


@blueprint.post("/organizations/<slug>/models/default")
@requires(AccessLevel.EDITOR)
def save_default_model(slug: str) -> ResponseReturnValue:
    form = DefaultModelForm()
    if not _save_choice(form):
        return _render(_saved_form(), form), 422
    return _redirect(slug)


@blueprint.post("/organizations/<slug>/models/fallback")
@requires(AccessLevel.EDITOR)
def save_fallback_model(slug: str) -> ResponseReturnValue:
    form = FallbackModelForm()
    if not _save_choice(form):
        return _render(_saved_form(), DefaultModelForm(formdata=None), form), 422
    return _redirect(slug)


def _save_choice(form: ModelForm) -> bool:
    """Save the chosen model if the person has changed it. Returns False if the form now has an error."""
    organization = current_organization()
    if form.has_conflict(organization):
        form.set_conflict_error(organization)
        return False
    if form.is_changed:
        if _is_newly_unusable(form.chosen, form.saved(organization)):
            form.choice.errors = [_("This model cannot be used. Choose a model from the list.")]
            return False
        update_organization(OrganizationChanges.model_validate({form.setting: form.chosen or None}))
    flash(_("Saved. Used from the next call."), "success")
    return True


def _is_newly_unusable(chosen: str, saved: str) -> bool:
    """Return whether a model cannot be used, and is not saved already: saving it again changes nothing."""
    return chosen not in {"", saved} and chosen not in list_usable_models(current_organization())


@blueprint.post("/organizations/<slug>/models/refresh")
@requires(AccessLevel.EDITOR)
def refresh_models(slug: str) -> ResponseReturnValue:
    """Ask OpenAI again which models the saved key can use."""
    app = services()
    try:
        with app.waiting_pages.hold(slug):
            verdict = store.recheck_saved_key(app.vault, current_organization().id, app.model_provider)
    except GlificGptError as error:
        flash(translate_error(error), "error")
        return _redirect(slug)
    texts = sum(classify_model(model) is ModelKind.TEXT for model in verdict.models)
    flash(_("Refreshed. Your key has access to %(count)s text models.", count=texts), "success")
    return _redirect(slug)


def _saved_form() -> AllowlistForm:
    form = AllowlistForm(formdata=None)
    form.show(current_organization().allowed_models)
    return form


def _render(form: AllowlistForm, default: DefaultModelForm, fallback: FallbackModelForm | None = None) -> str:
    page = build_models_page(current_organization(), form)
    usable = list_usable_models(current_organization())
    default.set_choices(current_organization(), usable)
    fallback = fallback or FallbackModelForm(formdata=None)
    fallback.set_choices(current_organization(), usable)
    return render_template("console/models.html", form=form, default=default, fallback=fallback, page=page)


def _redirect(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.models", slug=slug))
