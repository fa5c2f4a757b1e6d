"""Advice for each error of a call, and the console page on which the error can be fixed."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.calls.tables import Call
from glific_gpt.errors import InvalidField

OVERLOADED_ADVICE = _(
    "You do not need to do anything. If it lasts longer than a few minutes, tell the server's administrators."
)

ADVICE = {
    "invalid_json": _("Open the webhook node in Glific. Its function body must be one JSON object."),
    "unauthorized": _(
        "Check the address and the Authorization header of the webhook node. If Glific signs its calls, "
        "check the webhook signature and the Glific organization id in the settings."
    ),
    "unknown_function": _("Check the end of the address in the webhook node. You can copy the correct address here."),
    "method_not_allowed": _("Choose POST in the webhook node."),
    "call_in_progress": _("You do not need to do anything. The same call was already being processed."),
    "body_too_large": _("Send fewer results in the function body. It can be up to 1 MiB."),
    "idempotency_mismatch": _("The program that calls must send a new Idempotency-Key with each new question."),
    "empty_question": _(
        "Check what the webhook node sends as question_text. Often the contact has sent a picture or a voice message, "
        "which has no text."
    ),
    "invalid_field": _(
        "Open Webhook Logs in Glific. The answer to this call names the field. Correct it in the function body."
    ),
    "unresolved_variable": _(
        "A variable such as @results.question was not filled in. Check its name in the function body, and that the "
        "flow sets it before the webhook node."
    ),
    "model_not_text": _("Choose a text model in the function body. Models for speech or pictures cannot be used."),
    "model_not_supported": _("This model cannot do this. Choose another model in the function body."),
    "model_not_found": _(
        "Check the model's name in the function body. The page Models lists the models that your key can use."
    ),
    "missing_flow_context": _(
        "Add contact and flow_id to the function body. A later answer needs them to reach its flow."
    ),
    "contact_limit": _(
        "This contact has reached your daily limit of questions. To allow more, raise the limit in the settings."
    ),
    "insufficient_quota": _(
        "Look at platform.openai.com under Billing and under Limits: add credit, or raise the spending limit. The key "
        "works again a few minutes later."
    ),
    "budget_exceeded": _("Raise the month's budget in the settings, or wait for the next month."),
    "model_not_allowed": _("Allow this model on the page Models, or choose an allowed model in the function body."),
    "organization_inactive": _("Ask an administrator of this server to switch your organization on."),
    "credential_missing": _("Add your OpenAI key."),
    "credential_inactive": _("Switch your OpenAI key on."),
    "glific_not_connected": _(
        "Connect your Glific so that later answers can be delivered, or remove ?mode= from the webhook node's address."
    ),
    "rate_limited": _(
        "Wait a minute. If it happens often, raise the limits of calls per minute in the settings. If none is set "
        "there, OpenAI limits your key: ask for a higher limit at platform.openai.com under Limits."
    ),
    "invalid_api_key": _(
        "Test your key here: the result says why OpenAI refuses it. If OpenAI has not closed the account, create a new "
        "key at platform.openai.com and save it here. It needs the permission to use models."
    ),
    "wrong_region": _(
        "OpenAI serves your project at the address of its region only. Choose that address here, enter the key again, "
        "and save."
    ),
    "upstream_error": _(
        "OpenAI could not be reached or had a failure. Try again in a minute. See status.openai.com for details."
    ),
    "bad_upstream_reply": _("Try again in a minute. If you ask for JSON and it happens often, raise max_tokens."),
    "empty_answer": _("Change the question, or raise max_tokens in the function body."),
    "refused": _("The model refused to answer. If the question was harmless, make the prompt clearer."),
    "overloaded": OVERLOADED_ADVICE,
    "not_ready": _("Nothing is wrong in your settings. Tell the server's administrators, who have to set a key."),
    "deadline_exceeded": _(
        "Use a faster model, a shorter prompt or fewer tokens. For answers that take longer than 5 "
        "seconds, use ?mode=auto: the flow then waits."
    ),
    "broken": _("Send the id of this call to the administrators of this server. The server's log has the details."),
    "undelivered": _(
        "The answer was ready, but the flow did not get it. Check the Glific connection, then try again within a day."
    ),
    "uncertain": _(
        "It is not certain that the flow got the answer. Look at the contact's chat in Glific. If the "
        "answer is not there, try again within a day."
    ),
    "interrupted": _("The server was stopped while it worked on this call. The contact can ask again."),
}

UNKNOWN_ERROR_ADVICE = _("Open Webhook Logs in Glific. The answer to this call has the details.")
"""For errors of plugins: their codes are not known here."""

FIX_PAGES = {
    "unauthorized": "console.webhook_tokens",
    "unknown_function": "console.by_hand",
    "invalid_json": "console.by_hand",
    "missing_flow_context": "console.use_in_glific",
    "model_not_text": "console.models",
    "model_not_supported": "console.models",
    "model_not_found": "console.models",
    "model_not_allowed": "console.models",
    "contact_limit": "console.organization_settings",
    "budget_exceeded": "console.organization_settings",
    "credential_missing": "console.openai",
    "credential_inactive": "console.openai",
    "invalid_api_key": "console.openai",
    "glific_not_connected": "console.glific",
    "undelivered": "console.glific",
    "deadline_exceeded": "console.try_it",
    "insufficient_quota": "console.openai",
}
"""Endpoint of the page on which an error can be fixed, if there is one."""

FIELD_PAGES = {"vector_store_id": "console.documents"}
"""Pages that fix an invalid value of one field."""
PAGE_NAMES = {
    "console.documents": _("Documents"),
    "console.use_in_glific": _("Use it in Glific"),
    "console.by_hand": _("Use it in Glific"),
    "console.webhook_tokens": _("Use it in Glific"),
    "console.models": _("Models"),
    "console.organization_settings": _("Settings"),
    "console.openai": _("OpenAI (ChatGPT)"),
    "console.glific": _("Glific connection"),
    "console.try_it": _("Try it"),
}


ADVICE_WITH_FIELD = {
    "invalid_field": _("Open the webhook node in Glific, and correct this field in its function body."),
    "unresolved_variable": _(
        "Glific did not fill this variable. Open the flow in Glific: check the variable's name in the function body, "
        "and that the flow sets it before the webhook node."
    ),
}
"""Advice for calls whose page names the field and the variable."""


def fix_page_of(code: str, call: Call | None) -> str | None:
    """Return the endpoint of the page that fixes an error of a call. `call` names the field at fault, if any."""
    if code == InvalidField.code and call and call.error_detail in FIELD_PAGES:
        return FIELD_PAGES[call.error_detail]
    return FIX_PAGES.get(code)


def advice_for(code: str, *, names_field: bool = False) -> LazyString:
    """Return the advice for an error code, next to the name of the field or without it."""
    if names_field and code in ADVICE_WITH_FIELD:
        return ADVICE_WITH_FIELD[code]
    return ADVICE.get(code, UNKNOWN_ERROR_ADVICE)
