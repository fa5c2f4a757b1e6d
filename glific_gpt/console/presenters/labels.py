"""Words that several pages use for the same thing."""

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _

from glific_gpt.accounts.tables import Role
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import error_class_of
from glific_gpt.errors import GlificGptError

ROLE_NAMES = {Role.OWNER: _("Owner"), Role.EDITOR: _("Editor"), Role.VIEWER: _("Viewer")}
ROLE_MEANINGS = {
    Role.OWNER: _("everything, members too"),
    Role.EDITOR: _("everything but members and deleting"),
    Role.VIEWER: _("reads"),
}


def translate_error(error: GlificGptError) -> str:
    """What to tell people of it; a sentence with something filled in stays as it is."""
    return translate(str(error))


def translate(text: str) -> str:
    return gettext(text) if text else ""


INTERRUPTED = "interrupted"
"""A status without an error_code, which people look for as one."""

STATUS_NAMES = {
    "started": _("Being answered"),
    "pending": _("Answer on its way"),
    "ok": _("Answered"),
    "error": _("Failed"),
    INTERRUPTED: _("Interrupted"),
}
STATUS_COLOURS = {"started": "blue", "pending": "blue", "ok": "green", "error": "red", INTERRUPTED: "yellow"}

ERROR_NAMES = {
    "invalid_json": _("Body is not JSON"),
    "unauthorized": _("Caller not recognised"),
    "unknown_function": _("Unknown address"),
    "method_not_allowed": _("Not sent as POST"),
    "call_in_progress": _("Same call twice"),
    "body_too_large": _("Body too large"),
    "empty_question": _("Empty question"),
    "invalid_field": _("A field is wrong"),
    "unresolved_variable": _("Variable not filled in"),
    "model_not_text": _("Not a text model"),
    "model_not_supported": _("Model cannot answer questions"),
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
    "rate_limited": _("OpenAI's limit reached"),
    "invalid_api_key": _("OpenAI key not accepted"),
    "upstream_error": _("OpenAI had a failure"),
    "bad_upstream_reply": _("Reply cannot be read"),
    "empty_answer": _("Empty answer"),
    "refused": _("Model refused"),
    "overloaded": _("Server busy"),
    "deadline_exceeded": _("Too slow"),
    "broken": _("Failure of this server"),
    "undelivered": _("Answer not delivered"),
    "uncertain": _("Delivery uncertain"),
    INTERRUPTED: _("Interrupted"),
}

ERROR_CLASS_NAMES = {
    "caller": _("The flow in Glific"),
    "organization": _("Your settings here, or your account at OpenAI"),
    "service": _("This server, or OpenAI"),
    "delivery": _("The way back to Glific"),
}
OTHER_ERROR_CLASSES = {"undelivered": "delivery", "uncertain": "delivery", INTERRUPTED: "service"}
"""Of the codes that no error of a call stands for."""


def failure_code(call: Call) -> str | None:
    """What went wrong, as a key of ERROR_NAMES; None while nothing has."""
    return call.error_code or (INTERRUPTED if call.status == INTERRUPTED else None)


def error_name(code: str) -> LazyString | str:
    """A function of somebody else may bring codes of its own."""
    return ERROR_NAMES.get(code, code)


def responsible_party(code: str) -> LazyString | None:
    """Who can mend it; None for a code that is not ours."""
    error = error_class_of(code)
    return ERROR_CLASS_NAMES.get(error.error_class if error else OTHER_ERROR_CLASSES.get(code, ""))


def failed_calls_filter(code: str) -> dict[str, str]:
    """The filters of the list that show the calls that failed with it."""
    return {"status": code} if code == INTERRUPTED else {"error": code}
