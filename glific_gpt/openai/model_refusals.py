"""Refusals that are about the model: it is closed to the key, has ended, is unknown, or cannot be used here."""

import re

from glific_gpt import errors
from glific_gpt.errors import GlificGptError, ModelNotFound, ModelNotSupported, UpstreamError
from glific_gpt.openai.refusals import ApiRefusal

# OpenAI has no codes for these. See refusals.py about text that the caller chose.
_NOT_SERVED = re.compile(
    r"this is not a chat model and thus not supported in the /?v1/chat/completions endpoint\."
    r"|(?:the requested model|the model|this model)\b(?: [`'\"]?[\w.:/-]+[`'\"]?)? (?:cannot be used with the |is only "
    r"(?:supported|available) (?:in|through|via|with) |is not supported (?:in|with|by) (?:the )?(?:v1/|chat|responses))"
)
_NEEDS_TOOLS = re.compile(
    r"(?!invalid )[\w '`.:/-]{0,120}\brequires? (?:at least one of|the|a|an|one)\b.{0,120}\btools?\b"
)
_SEARCHES_NO_FILES = re.compile(
    r"(?:hosted )?tool '?file_search'? is not supported (?:with|by)"
    r"|[\w.:/-]{1,200} does not support (?:the )?'?file_search"
)
_UNVERIFIED = re.compile(r"your organization must be verified\b")
_NO_ACCESS_CODE = re.compile(r"model_(?:access|permission|not_allowed|not_enabled)")
_NO_ACCESS = re.compile(
    r"(?:project|organization) \S{1,100} does not have access to (?:the )?model\b"
    r"|(?:you|your \w+|this \w+) (?:do|does|are|is) not "
    r"(?:have access to|(?:allowed|permitted|authorized) to \w+(?: from)?)"
    r" (?:the |this )?(?:requested )?(?:model|engine)\b"
    r"|(?:the|this) model\b(?: [`'\"]?[\w.:/-]+[`'\"]?)? is not (?:available|enabled) (?:for|to|in) (?:your|this)\b"
)
_RETIRED = re.compile(
    r"(?:the|this) (?:requested )?model\b(?: version)?(?: [`'\"]?[\w.:/-]+[`'\"]?)?,? "
    r"(?:has been|is|was)(?: been)? (?:\w+ )?"
    r"(?:deprecated|retired|shut ?down|discontinued|removed|sunset|no longer (?:available|supported|served))"
)
_RETIRED_CODE = re.compile(r"model_(?:\w+_)?(?:deprecated|retired|shut_?down|sunset|discontinued)|deprecat")
_UNKNOWN_MODEL = re.compile(
    r"(?:/[a-z/]{1,40}: )?invalid model(?: id| name)?\b|(?:the|unknown|requested) (?:requested )?model\b.{0,240}\bexist"
)
_UNKNOWN_MODEL_NAMES = {"model_not_found", "deploymentnotfound"}
"""OpenAI's code and Azure's."""


def find_closed_model(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """Return the error of a model that exists, but not for this key or not any more."""
    message = refusal.message
    if _UNVERIFIED.match(message) or "verif" in refusal.code:
        return ModelNotFound(
            f"OpenAI wants this key's organization to be verified before it may use {model}. Verify it at "
            "platform.openai.com under Settings, Organization, General, or choose another model."
        )
    if _NO_ACCESS.match(message) or any(_NO_ACCESS_CODE.search(name) for name in refusal.names):
        return ModelNotFound(
            f"This key's project may not use {model}. Allow the model at platform.openai.com in the project's limits, "
            "or choose another model."
        )
    if _RETIRED.match(message) or _RETIRED_CODE.search(refusal.code):
        return ModelNotFound(f"OpenAI no longer offers {model}. Choose another model.")
    return None


def find_unsuitable_model(refusal: ApiRefusal, model: str) -> GlificGptError | None:
    """Return the error of a model that cannot be used here, or is unknown."""
    message = refusal.message
    if _SEARCHES_NO_FILES.match(message):
        return ModelNotSupported(errors.MSG_SEARCHES_NO_FILES.format(model=model))
    if refusal.parameter.startswith("tool") or _NEEDS_TOOLS.match(message):
        return ModelNotSupported(errors.MSG_NEEDS_TOOLS.format(model=model))
    if _NOT_SERVED.match(message) or refusal.code in {"unsupported_model", "model_not_supported"}:
        return ModelNotSupported(f"OpenAI does not offer {model} for questions and answers. Choose another model.")
    is_unknown = refusal.names & _UNKNOWN_MODEL_NAMES or _UNKNOWN_MODEL.match(message)
    if is_unknown or (refusal.status == 404 and "model" in message):
        return ModelNotFound(f"OpenAI has no model {model} for this key. Check its name, or choose another model.")
    return UpstreamError(errors.MSG_NO_API) if refusal.status == 404 else None
