"""Models for everyone: the allowlist of all organizations, within the limit of the environment."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.allowlist import AllowlistForm
from glific_gpt.console.presenters.models import ModelRows, build_rows
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.organizations import server_models as store
from glific_gpt.organizations.credentials import reachable_models
from glific_gpt.services import services


@blueprint.get("/server/models")
@requires(AccessLevel.ADMINISTRATOR)
def server_models() -> str:
    with transaction() as session:
        allowed = store.find_allowed_models(session)
    form = AllowlistForm(formdata=None)
    form.show(allowed)
    return _render(form)


@blueprint.post("/server/models")
@requires(AccessLevel.ADMINISTRATOR)
def save_server_models() -> ResponseReturnValue:
    form = AllowlistForm()
    with transaction() as session:
        stored = store.find_allowed_models(session)
    if not form.is_valid(stored):
        return _render(form), 422
    if form.is_changed:
        with transaction() as session:
            store.set_allowed_models(session, form.allowed_models)
    flash(_("Saved. Used from the next call."), "success")
    return redirect(url_for("console.server_models"))


@blueprint.post("/server/models/preview")
@requires(AccessLevel.ADMINISTRATOR)
def preview_server_models() -> str:
    """Show the models that the unsaved list in the form would allow."""
    form = AllowlistForm()
    return render_template("console/_models_preview.html", form=form, page=_model_rows(form))


def _render(form: AllowlistForm) -> str:
    limit = services().settings.models
    return render_template("console/server_models.html", form=form, page=_model_rows(form), limit=limit)


def _model_rows(form: AllowlistForm) -> dict[str, ModelRows | str | None]:
    """Return all models that the server knows. No key is used here."""
    settings = services().settings
    default = settings.default_model
    refused = default if allowlist.access_error(default, settings.models, form.allowed_models, None) else None
    known = reachable_models.evaluate_models(None, settings.models, None, None)
    return {"rows": build_rows(known, form), "blocked_default": refused}
