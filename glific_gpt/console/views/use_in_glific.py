"""Use it in Glific: a flow that is ready, one that is converted, a check of everything, the way by hand, the tokens.

The views of its parts are in ready_flow.py, convert_flow.py and check_up.py; each answers with this page.
"""

import json
from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext

from glific_gpt import ready_flows
from glific_gpt.connections import store as connections
from glific_gpt.console.access import Lock, needs, organization
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.conversion import MOST, TOO_LARGE, ConversionForm
from glific_gpt.console.forms.ready_flow import ReadyFlowForm
from glific_gpt.console.forms.tokens import TokenForm
from glific_gpt.console.presenters.conversion import in_words
from glific_gpt.database import transaction
from glific_gpt.errors import NotFound
from glific_gpt.flows.building import DEFAULT_PROMPT, RESULT_TIMEOUT_SECONDS
from glific_gpt.organizations import tokens
from glific_gpt.schemas import TokenView, webhook_url
from glific_gpt.services import services

RULE = "/organizations/<slug>/use-in-glific"
PLACE_HOLDER = "PASTE-YOUR-TOKEN-HERE"
MAX_ID = 2**31 - 1
"""The largest that every database can be asked for."""


@blueprint.get(RULE)
@needs(Lock.VIEWER)
def use_in_glific(slug: str) -> str:
    return page()


@blueprint.post(RULE)
@needs(Lock.EDITOR)
def create_webhook_token(slug: str) -> str | tuple[str, int]:
    """The token is in this answer alone: it is shown, and can be had no more."""
    form = TokenForm()
    if not form.validate_on_submit():
        return page(token_form=form), 422
    with transaction() as session:
        row, token = tokens.create_webhook_token(session, organization(), form.label.data)
    return page(label=row.label, token=token)


@blueprint.post(f"{RULE}/tokens/<int(max={MAX_ID}):token_id>/revoke")
@needs(Lock.EDITOR)
def revoke_webhook_token(slug: str, token_id: int) -> Response:
    """What is somebody else's is as little there as what was revoked before."""
    try:
        with transaction() as session:
            tokens.revoke_webhook_token(session, organization(), token_id)
    except NotFound:
        flash(gettext("This token was already revoked."), "info")
    else:
        flash(gettext("The token is revoked. It no longer works."), "success")
    return redirect(url_for("console.use_in_glific", slug=slug) + "#tokens")  # type: ignore[return-value]


def page(*, label: str = "", token: str = "", **parts: Any) -> str:
    """The whole page. `parts` are what a view has to show of its own; the other forms are as at the beginning."""
    with transaction() as session:
        rows = tokens.list_webhook_tokens(session, organization())
        connected = connections.find_if_any(session, organization().id) is not None
    beginning = {
        "token_form": parts.get("token_form") or TokenForm(formdata=None),
        "flow_form": parts.get("flow_form") or ReadyFlowForm.offering(filled_in=True),
        "conversion_form": parts.get("conversion_form") or ConversionForm(formdata=None),
        "conversion": None,
        "cautions": in_words(ready_flows.list_setup_warnings(organization().slug)),
        "check_up": None,
    }
    body = _body(organization().default_model or services().settings.default_model)
    return render_template(
        "console/use_in_glific.html",
        **(beginning | parts),
        tokens=[TokenView.of(row) for row in rows],
        label=label,
        token=token,
        most_bytes=MOST,
        too_large=TOO_LARGE,
        header=f"Bearer {token or PLACE_HOLDER}",
        connected=connected,
        url=webhook_url(services().settings.public_url, organization().slug),
        body=_written(body),
        later_body=_written(body | {"wait_seconds": RESULT_TIMEOUT_SECONDS}),
    )


def _body(model: str) -> dict[str, object]:
    """With all that a later answer needs to find its flow."""
    return {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": "@results.question_1.input",
        "gpt_model": model,
        "prompt": DEFAULT_PROMPT,
    }


def _written(body: dict[str, object]) -> str:
    """To be pasted."""
    return json.dumps(body, indent=2)
