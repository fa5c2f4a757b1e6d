"""Labels that several pages share: roles, statuses, errors."""

from typing import NamedTuple

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _

from glific_gpt.accounts.tables import Role
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import error_class_of
from glific_gpt.errors import GlificGptError

ROLE_NAMES = {Role.OWNER: _("Owner"), Role.EDITOR: _("Editor"), Role.VIEWER: _("Viewer")}
ROLE_MEANINGS = {
    Role.OWNER: _("full access, also members"),
    Role.EDITOR: _("can edit, but not delete"),
    Role.VIEWER: _("can only read"),
}


def translate_error(error: GlificGptError) -> str:
    """Return an error's message in the language of the page. A message with filled-in values stays English."""
    return translate(str(error))


def translate(text: str) -> str:
    """Translate a text that was marked with N_. Empty stays empty, for which gettext would return its header."""
    return gettext(text) if text else ""


INTERRUPTED = "interrupted"
"""A status without an error_code. Lists and filters treat it as an error code."""

STATUS_NAMES = {
    "started": _("In progress"),
    "pending": _("Waiting for the answer"),
    "ok": _("Answered"),
    "error": _("Failed"),
    INTERRUPTED: _("Interrupted"),
}
STATUS_COLOURS = {"started": "blue", "pending": "blue", "ok": "green", "error": "red", INTERRUPTED: "yellow"}

ERROR_NAMES = {
    "invalid_json": _("Body is not JSON"),
    "unauthorized": _("Caller not identified"),
    "unknown_function": _("Unknown address"),
    "method_not_allowed": _("Not a POST request"),
    "call_in_progress": _("Same call sent twice"),
    "body_too_large": _("Body too large"),
    "idempotency_mismatch": _("Key used for two questions"),
    "empty_question": _("Empty question"),
    "invalid_field": _("Invalid field"),
    "unresolved_variable": _("Variable not filled in"),
    "model_not_text": _("Not a text model"),
    "model_not_supported": _("Model cannot do this"),
    "model_not_found": _("Model not found"),
    "missing_flow_context": _("Contact or flow missing"),
    "contact_limit": _("Contact's limit reached"),
    "insufficient_quota": _("No credit at OpenAI"),
    "budget_exceeded": _("Budget used up"),
    "model_not_allowed": _("Model not allowed"),
    "organization_inactive": _("Organization switched off"),
    "credential_missing": _("No OpenAI key"),
    "credential_inactive": _("OpenAI key switched off"),
    "glific_not_connected": _("Not connected to Glific"),
    "rate_limited": _("Rate limit reached"),
    "invalid_api_key": _("OpenAI key refused"),
    "wrong_region": _("Key of another region"),
    "upstream_error": _("OpenAI had a failure"),
    "bad_upstream_reply": _("Reply cannot be read"),
    "empty_answer": _("Empty answer"),
    "refused": _("Model refused"),
    "overloaded": _("Server busy"),
    "not_ready": _("Server cannot read its secrets"),
    "deadline_exceeded": _("Too slow"),
    "broken": _("Error of this server"),
    "undelivered": _("Answer not delivered"),
    "uncertain": _("Delivery uncertain"),
    INTERRUPTED: _("Interrupted"),
}

TABLE_NAMES = {
    "calls": _("Calls"),
    "alert_states": _("Alerts"),
    "daily_totals": _("Totals of deleted calls"),
    "deliveries": _("Deliveries of later answers"),
    "stored_replies": _("Answers for repeated calls"),
    "monthly_spend": _("Months with spending"),
    "budget_reservations": _("Amounts reserved for calls"),
    "audit_entries": _("Audit entries"),
    "memberships": _("Members"),
    "webhook_tokens": _("Webhook tokens"),
    "api_tokens": _("API tokens"),
    "credentials": _("Keys"),
    "glific_connections": _("Glific connections"),
}
"""Names of the tables with data of organizations."""

ERROR_CLASS_NAMES = {
    "caller": _("The author of the flow, in Glific"),
    "organization": _("An editor or owner of the organization, here or at OpenAI"),
    "service": _("The administrators of this server, or OpenAI"),
    "delivery": _("An editor or owner of the organization, on the page Glific connection"),
}
OTHER_ERROR_CLASSES = {"undelivered": "delivery", "uncertain": "delivery", INTERRUPTED: "service"}
"""Classes of the codes that have no error class of their own."""


def failure_code(call: Call) -> str | None:
    """Return the failure of a call as a key of ERROR_NAMES; None if it has not failed."""
    return call.error_code or (INTERRUPTED if call.status == INTERRUPTED else None)


class Fault(NamedTuple):
    """The part of a webhook node that an error names."""

    field: str
    variable: str


def read_fault(call: Call) -> Fault | None:
    """Return the field and the variable at fault, which can be empty; None if the error names no field."""
    if not call.error_detail:
        return None
    field, _, variable = call.error_detail.partition(": ")
    return Fault(field, variable)


def error_name(code: str) -> LazyString | str:
    """Return the name of an error code. Codes of plugins have no name and are shown as they are."""
    return ERROR_NAMES.get(code, code)


def responsible_party(code: str) -> LazyString | None:
    """Return the party that can fix the error; None for codes of plugins."""
    error = error_class_of(code)
    return ERROR_CLASS_NAMES.get(error.error_class if error else OTHER_ERROR_CLASSES.get(code, ""))


def failed_calls_filter(code: str) -> dict[str, str]:
    """Return the filters of the call list that show the calls with this failure code."""
    return {"status": code} if code == INTERRUPTED else {"error": code}
