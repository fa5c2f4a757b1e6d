"""Use it in Glific: ready flow, conversion, setup test, manual setup and webhook tokens.

The views of its parts are in ready_flow.py, convert_flow.py and check_up.py. Each of them renders this page.
"""

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, render_template, url_for
from flask_babel import gettext
from pydantic import JsonValue

from glific_gpt import ready_flows
from glific_gpt.connections import store as connections
from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.forms.conversion import TOO_LARGE, ConversionForm
from glific_gpt.console.forms.ready_flow import ReadyFlowForm
from glific_gpt.console.forms.tokens import TokenForm
from glific_gpt.console.presenters.conversion import translate_warnings
from glific_gpt.database import reading, transaction
from glific_gpt.errors import Conflict, NotFound
from glific_gpt.flows.building import RESULT_TIMEOUT_SECONDS
from glific_gpt.functions.contract import Function
from glific_gpt.functions.examples import flow_body
from glific_gpt.functions.needs import find_refusal
from glific_gpt.organizations import tokens
from glific_gpt.schemas import TokenView, webhook_url
from glific_gpt.services import services
from glific_gpt.settings import MAX_FILE_BYTES

USE_IN_GLIFIC_URL = "/organizations/<slug>/use-in-glific"
PLACEHOLDER = "PASTE-YOUR-TOKEN-HERE"
SUITABLE_MODEL = "gpt-4o-mini"
"""Stands in examples for a default model that cannot do what the function needs."""
MAX_ID = 2**31 - 1
"""The largest INTEGER of PostgreSQL, which refuses larger ids."""


@blueprint.get(USE_IN_GLIFIC_URL)
@requires(AccessLevel.VIEWER)
def use_in_glific(slug: str) -> str:
    return render_page()


@blueprint.post(USE_IN_GLIFIC_URL)
@requires(AccessLevel.EDITOR)
def create_webhook_token(slug: str) -> str | tuple[str, int]:
    """Create a token. It is shown in this response only, because only its hash is stored."""
    form = TokenForm()
    if not form.validate_on_submit():
        return render_page(token_form=form), 422
    try:
        with transaction() as session:
            row, token = tokens.create_webhook_token(session, current_organization(), form.label.data)
    except Conflict as error:
        form.add_error(error, form.label.name)
        return render_page(token_form=form), error.status
    return render_page(label=row.label, token=token)


@blueprint.post(f"{USE_IN_GLIFIC_URL}/tokens/<int(max={MAX_ID}):token_id>/revoke")
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
    return redirect(url_for("console.use_in_glific", slug=slug) + "#tokens")  # type: ignore[return-value]


def render_page(*, label: str = "", token: str = "", **parts: Any) -> str:
    """Render the whole page. `parts` override the initial forms and results of the page."""
    with reading(current_organization().id) as session:
        rows = tokens.list_webhook_tokens(session, current_organization())
        connected = connections.find_or_none(session, current_organization().id) is not None
    initial = {
        "token_form": parts.get("token_form") or TokenForm(formdata=None),
        "flow_form": parts.get("flow_form") or ReadyFlowForm.with_choices(use_defaults=True),
        "conversion_form": parts.get("conversion_form") or ConversionForm(formdata=None),
        "conversion": None,
        "cautions": translate_warnings(ready_flows.list_setup_warnings(current_organization().slug)),
        "check_up": None,
    }
    first, *others = [_describe_function(function) for function in services().functions.all()]
    return render_template(
        "console/use_in_glific.html",
        **(initial | parts),
        tokens=[TokenView.of(row) for row in rows],
        label=label,
        token=token,
        max_file_bytes=MAX_FILE_BYTES,
        too_large=TOO_LARGE,
        header=f"Bearer {token or PLACEHOLDER}",
        connected=connected,
        first=first,
        others=others,
    )


@dataclass(frozen=True)
class FunctionExample:
    """The address and the body of a webhook node that calls a function."""

    function: Function[Any]
    url: str
    body: str
    """JSON."""
    later_body: str
    """The body of a node that waits for a later answer."""


def _describe_function(function: Function[Any]) -> FunctionExample:
    organization = current_organization()
    model = organization.default_model or services().settings.default_model
    if find_refusal(model, function.needs):
        model = SUITABLE_MODEL
    chosen = {name: getattr(organization, name) for name in function.settings}
    body = flow_body(function, model, {name: value for name, value in chosen.items() if value is not None})
    return FunctionExample(
        function,
        webhook_url(services().settings.public_url, organization.slug, function.name),
        _format_json(body),
        _format_json(body | {"wait_seconds": RESULT_TIMEOUT_SECONDS}),
    )


def _format_json(body: dict[str, JsonValue]) -> str:
    """Format JSON for copying into Glific."""
    return json.dumps(body, indent=2)
