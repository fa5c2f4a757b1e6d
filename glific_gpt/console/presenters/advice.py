"""Advice: what to do about each error that a call can have, in a sentence, and where in the console."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

OVERLOADED_ADVICE = _("Nothing needs to be done. If it goes on for more than a few minutes, tell the server's administrators.")

ADVICE = {
    "invalid_json": _("Open the webhook node in Glific and make its function body one JSON object."),
    "unauthorized": _(
        "Check the address and the Authorization header of the webhook node. If Glific signs its calls, check the "
        "signature phrase and Glific's organization number in the settings."
    ),
    "unknown_function": _("Check the end of the address in the webhook node. You can copy the right one here."),
    "method_not_allowed": _("Choose POST in the webhook node."),
    "call_in_progress": _("Nothing needs to be done: the same call was being answered at that moment."),
    "body_too_large": _("Send fewer results along in the function body. It may have 1 MiB at most."),
    "empty_question": _(
        "Check what the webhook node sends as question_text. Often the contact has sent a picture or a voice message, "
        "which has no text."
    ),
    "invalid_field": _(
        "Open Webhook Logs in Glific: the answer to this call names the field. Correct it in the function body."
    ),
    "unresolved_variable": _(
        "A variable such as @results.question was not filled in. Check its name in the function body, and that the "
        "flow sets it before the webhook node."
    ),
    "model_not_text": _("Choose a text model in the function body. Models for speech or pictures cannot be used."),
    "model_not_supported": _("Choose another model in the function body: this one cannot answer questions."),
    "model_not_found": _("Check the model's name in the function body. Models lists those that your key can use."),
    "missing_flow_context": _(
        "Add contact and flow_id to the function body. A later answer needs them to find its flow."
    ),
    "contact_limit": _(
        "This contact has asked as often as you allow in a day. To allow more, raise the limit in the settings."
    ),
    "insufficient_quota": _("Add credit at platform.openai.com under Billing. It works again a few minutes later."),
    "budget_exceeded": _("Raise the month's budget in the settings, or wait for the next month."),
    "model_not_allowed": _("Allow this model on the page Models, or choose an allowed one in the function body."),
    "organization_inactive": _("Ask an administrator of this server to switch your organization on."),
    "credential_missing": _("Add your OpenAI key."),
    "credential_inactive": _("Switch your OpenAI key on."),
    "glific_not_connected": _(
        "Connect your Glific, so that later answers can be delivered. Or take ?mode= out of the webhook node's address."
    ),
    "rate_limited": _(
        "Wait a moment. If it happens often, ask OpenAI for a higher limit at platform.openai.com under Limits."
    ),
    "invalid_api_key": _(
        "Make a new key at platform.openai.com and save it here. It needs the permission to use models."
    ),
    "upstream_error": _("OpenAI was not reached or had a failure. Try again in a minute; status.openai.com says more."),
    "bad_upstream_reply": _(
        "Try again in a minute. If you ask for JSON and it happens often, allow more tokens with max_tokens."
    ),
    "empty_answer": _("Put the question differently, or allow more tokens with max_tokens in the function body."),
    "refused": _("The model declined to answer. If the question was harmless, put the prompt in clearer words."),
    "overloaded": OVERLOADED_ADVICE,
    "deadline_exceeded": _(
        "Use a faster model, a shorter prompt or fewer tokens. Or let the flow wait with ?mode=auto, for answers that "
        "take longer than 5 seconds."
    ),
    "broken": _("Tell the administrators of this server the id of this call. They find more in the server's log."),
    "undelivered": _(
        "The answer was there, but the flow did not get it. Check the Glific connection, then try again within a day."
    ),
    "uncertain": _(
        "The flow may have the answer or not: look at the contact's chat in Glific. If it is not there, try again "
        "within a day."
    ),
    "interrupted": _(
        "The server was stopped while it worked on this call. New calls are answered; the contact can ask again."
    ),
}

UNKNOWN_ERROR_ADVICE = _("Open Webhook Logs in Glific: the answer to this call says more.")
"""About the error of a function that somebody else wrote."""

FIX_PAGES = {
    "unauthorized": "console.use_in_glific",
    "unknown_function": "console.use_in_glific",
    "invalid_json": "console.use_in_glific",
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
"""The page on which it can be mended, where there is one."""

PAGE_NAMES = {
    "console.use_in_glific": _("Use it in Glific"),
    "console.models": _("Models"),
    "console.organization_settings": _("Settings"),
    "console.openai": _("OpenAI (ChatGPT)"),
    "console.glific": _("Glific connection"),
    "console.try_it": _("Try it"),
}


def advice_for(code: str) -> LazyString:
    """What to do about it."""
    return ADVICE.get(code, UNKNOWN_ERROR_ADVICE)
