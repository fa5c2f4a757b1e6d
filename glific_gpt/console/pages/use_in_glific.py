"""What goes into the webhook node in Glific: address, header, body, and the tokens."""

import json

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Regexp

from glific_gpt.connections import store as connections
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.base import Form
from glific_gpt.console.lock import Lock, needs, organization
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound
from glific_gpt.organizations import webhook_tokens
from glific_gpt.organizations.changes import STORABLE
from glific_gpt.services import services
from glific_gpt.views import TokenView, webhook_url

RULE = "/organizations/<slug>/use-in-glific"
PLACE_HOLDER = "PASTE-YOUR-TOKEN-HERE"
LONGEST_LABEL = 100
MAX_ID = 2**31 - 1
"""The largest that every database can be asked for."""


class TokenForm(Form):
    """A new webhook token."""

    label = StringField(
        _("What the token is for"),
        [
            DataRequired(_("Write what it is for, so that you know it again.")),
            Length(max=LONGEST_LABEL, message=_("Write 100 characters at most.")),
            Regexp(STORABLE, message=_("This name cannot be used.")),
        ],
        filters=[lambda text: text and text.strip()],
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off"},
    )


@blueprint.get(RULE)
@needs(Lock.VIEWER)
def use_in_glific(slug: str) -> str:
    return _page(slug, TokenForm(formdata=None))


@blueprint.post(RULE)
@needs(Lock.EDITOR)
def create_webhook_token(slug: str) -> str | tuple[str, int]:
    """The token is in this answer alone: it is shown, and can be had no more."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _page(slug, form), 422
    with transaction() as session:
        row, token = webhook_tokens.create(session, organization(), form.label.data)
    return _page(slug, TokenForm(formdata=None), row.label, token)


@blueprint.post(f"{RULE}/tokens/<int(max={MAX_ID}):token_id>/revoke")
@needs(Lock.EDITOR)
def revoke_webhook_token(slug: str, token_id: int) -> Response:
    """What is somebody else's is as little there as what was revoked before."""
    try:
        with transaction() as session:
            webhook_tokens.revoke(session, organization(), token_id)
    except NotFound:
        flash(gettext("There is no such token any more."), "info")
    else:
        flash(gettext("The token is revoked: from now on it opens nothing."), "success")
    return redirect(url_for("console.use_in_glific", slug=slug) + "#tokens")  # type: ignore[return-value]


def _page(slug: str, form: TokenForm, label: str = "", token: str = "") -> str:
    with transaction() as session:
        rows = webhook_tokens.every(session, organization())
        connected = connections.find_if_any(session, organization().id) is not None
    return render_template(
        "console/use_in_glific.html",
        form=form,
        tokens=[TokenView.of(row) for row in rows],
        label=label,
        token=token,
        header=f"Bearer {token or PLACE_HOLDER}",
        connected=connected,
        url=webhook_url(services().settings.public_url, slug),
        body=_body(organization().default_model or services().settings.default_model),
    )


def _body(model: str) -> str:
    """What to paste: with all that a later answer needs to find its flow."""
    known = {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": "@results.question_1.input",
        "gpt_model": model,
        "prompt": "Answer in less than 5 sentences, in the language of the question.",
    }
    return json.dumps(known, indent=2)
