"""Models for everyone: what administrators let all organizations use, inside what the environment allows."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from glific_gpt.console.access import Lock, needs
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.allowlist import AllowForm
from glific_gpt.console.presenters.models import Rows, rows
from glific_gpt.credentials import reachable_models
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.organizations import server_models as store
from glific_gpt.services import services


@blueprint.get("/server/models")
@needs(Lock.ADMINISTRATOR)
def server_models() -> str:
    with transaction() as session:
        allowed = store.find(session)
    form = AllowForm(formdata=None)
    form.show(allowed)
    return _page(form)


@blueprint.post("/server/models")
@needs(Lock.ADMINISTRATOR)
def server_models_save() -> ResponseReturnValue:
    form = AllowForm()
    if not form.is_good():
        return _page(form), 422
    with transaction() as session:
        store.allow(session, form.wanted)
    flash(_("Saved. Used from the next call."), "success")
    return redirect(url_for("console.server_models"))


@blueprint.post("/server/models/preview")
@needs(Lock.ADMINISTRATOR)
def server_models_preview() -> str:
    """What the list would let in as it stands in the form; nothing is saved."""
    form = AllowForm()
    return render_template("console/_models_preview.html", form=form, page=_shown(form))


def _page(form: AllowForm) -> str:
    limit = services().settings.models
    return render_template("console/server_models.html", form=form, page=_shown(form), limit=limit)


def _shown(form: AllowForm) -> dict[str, Rows | str | None]:
    """Nobody's key is asked about here: these are the models that the server knows."""
    settings = services().settings
    default = settings.default_model
    refused = default if allowlist.refusal(default, settings.models, form.wanted, None) else None
    known = reachable_models.judged(reachable_models.ids_of(None), settings.models, None, None)
    return {"rows": rows(known, form), "refused_default": refused}
