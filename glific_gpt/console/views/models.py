"""Which models the organization's flows may use."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import Lock, change, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.allowlist import AllowForm
from glific_gpt.console.forms.models import DefaultForm
from glific_gpt.console.presenters.labels import sentence
from glific_gpt.console.presenters.models import models_page, usable_now
from glific_gpt.credentials import store
from glific_gpt.errors import GlificGptError
from glific_gpt.models.kinds import Kind, classify
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.services import services


@blueprint.get("/organizations/<slug>/models")
@needs(Lock.VIEWER)
def models(slug: str) -> str:
    return _page(_stored(), DefaultForm())


@blueprint.post("/organizations/<slug>/models")
@needs(Lock.EDITOR)
def models_save(slug: str) -> ResponseReturnValue:
    form = AllowForm()
    if not form.is_good():
        return _page(form, DefaultForm(formdata=None)), 422
    change(OrganizationChanges(allowed_models=form.wanted))
    flash(_("Saved. Used from the next call."), "success")
    return _back(slug)


@blueprint.post("/organizations/<slug>/models/preview")
@needs(Lock.EDITOR)
def models_preview(slug: str) -> str:
    """What the list would let in as it stands in the form; nothing is saved."""
    form = AllowForm()
    return render_template("console/_models_preview.html", form=form, page=models_page(organization(), form))


@blueprint.post("/organizations/<slug>/models/default")
@needs(Lock.EDITOR)
def models_default(slug: str) -> ResponseReturnValue:
    form = DefaultForm()
    chosen = form.default_model.data or None
    if chosen and chosen != organization().default_model and chosen not in usable_now(organization()):
        form.default_model.errors = [_("This model cannot be used. Choose a model from the list.")]
        return _page(_stored(), form), 422
    change(OrganizationChanges(default_model=chosen))
    flash(_("Saved. Used from the next call."), "success")
    return _back(slug)


@blueprint.post("/organizations/<slug>/models/refresh")
@needs(Lock.EDITOR)
def models_refresh(slug: str) -> ResponseReturnValue:
    """OpenAI is asked about the saved key."""
    app = services()
    try:
        verdict = store.again(app.vault, organization().id, app.language_models)
    except GlificGptError as error:
        flash(sentence(error), "error")
        return _back(slug)
    texts = sum(classify(model) is Kind.TEXT for model in verdict.models)
    flash(_("Refreshed. Your key has access to %(count)s text models.", count=texts), "success")
    return _back(slug)


def _stored() -> AllowForm:
    form = AllowForm(formdata=None)
    form.show(organization().allowed_models)
    return form


def _page(form: AllowForm, default: DefaultForm) -> str:
    page = models_page(organization(), form)
    default.offer(organization(), usable_now(organization()))
    return render_template("console/models.html", form=form, default=default, page=page)


def _back(slug: str) -> ResponseReturnValue:
    return redirect(url_for("console.models", slug=slug))
