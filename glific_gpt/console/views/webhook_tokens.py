"""Use it in Glific, tokens: list, create and revoke webhook tokens."""

from typing import Any

from flask import Response, flash, redirect, url_for
from flask_babel import gettext

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.tokens import TokenForm
from glific_gpt.console.views.use_in_glific import USE_IN_GLIFIC_URL, render_tab
from glific_gpt.database import reading, transaction
from glific_gpt.errors import Conflict, NotFound
from glific_gpt.organizations import tokens
from glific_gpt.schemas import TokenView

TOKENS_URL = f"{USE_IN_GLIFIC_URL}/tokens"
MAX_ID = 2**31 - 1
"""The largest INTEGER of PostgreSQL, which refuses larger ids."""


@blueprint.get(TOKENS_URL)
@requires(AccessLevel.VIEWER)
def webhook_tokens(slug: str) -> str:
    return _render(TokenForm(formdata=None))


@blueprint.post(TOKENS_URL)
@requires(AccessLevel.EDITOR)
def create_webhook_token(slug: str) -> str | tuple[str, int]:
    """Create a token. It is shown in this response only, because only its hash is stored."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _render(form), 422
    try:
        with transaction() as session:
            label = tokens.find_free_label(session, current_organization(), form.label.data)
            row, token = tokens.create_webhook_token(session, current_organization(), label)
    except Conflict as error:
        form.add_error(error, form.label.name)
        return _render(form), error.status
    return _render(TokenForm(formdata=None), label=row.label, token=token)


@blueprint.post(f"{TOKENS_URL}/<int(max={MAX_ID}):token_id>/revoke")
@requires(AccessLevel.EDITOR)
def revoke_webhook_token(slug: str, token_id: int) -> Response:
    """Revoke a token. A token of another organization is treated like one that was already revoked."""
    try:
        with transaction() as session:
            tokens.revoke_webhook_token(session, current_organization(), token_id)
    except NotFound:
        flash(gettext("This token was already revoked."), "info")
    else:
        flash(gettext("The token is revoked. It no longer works."), "success")
    return redirect(url_for("console.webhook_tokens", slug=slug))  # type: ignore[return-value]


def _render(form: TokenForm, **new_token: Any) -> str:
    with reading(current_organization().id) as session:
        rows = tokens.list_webhook_tokens(session, current_organization())
    return render_tab("webhook_tokens", token_form=form, tokens=[TokenView.of(row) for row in rows], **new_token)
