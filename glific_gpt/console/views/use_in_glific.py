"""Use it in Glific: a page with a tab for each task. The views of the tabs are in modules of their own."""

from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _

from glific_gpt.console.access import current_organization
from glific_gpt.console.presenters.conversion import translate_warnings
from glific_gpt.database import reading
from glific_gpt.operations import ready_flows
from glific_gpt.organizations.connections import store as connections

USE_IN_GLIFIC_URL = "/organizations/<slug>/use-in-glific"
TABS = {
    "ready_flow": ("console.use_in_glific", _("New flow")),
    "convert_flow": ("console.show_conversion", _("Convert")),
    "check_up_card": ("console.show_check_up", _("Test")),
    "by_hand": ("console.by_hand", _("By hand")),
    "webhook_tokens": ("console.webhook_tokens", _("Tokens")),
}
"""Endpoints and names of the tabs. The template of a tab is `_<tab>.html`."""


def render_tab(tab: str, **variables: Any) -> str:
    """Render the page with one of its tabs. It has the variables of this tab."""
    return render_template("console/use_in_glific.html", tab=tab, tabs=TABS, **variables)


def is_connected() -> bool:
    """Return whether the organization has a Glific connection, which later answers need."""
    with reading(current_organization().id) as session:
        return connections.find_or_none(session, current_organization().id) is not None


def setup_cautions() -> list[str]:
    """Return the warnings that concern every flow of the organization."""
    return translate_warnings(ready_flows.list_setup_warnings(current_organization().slug))
