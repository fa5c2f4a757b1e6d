"""Changes to a request after OpenAI's refusal, so that the same question may succeed."""

import re
from dataclasses import dataclass, replace

from glific_gpt.openai.refusals import ApiRefusal
from glific_gpt.openai.request_bodies import (
    CHAT_PATH,
    REASONING_EFFORT,
    RESPONSES_PATH,
    VERBOSITY,
    JsonObject,
    sent_options,
)
from glific_gpt.openai.traits import is_responses_only

_OTHER_NAMES = {"reasoning": REASONING_EFFORT, "reasoning.effort": REASONING_EFFORT, "text.verbosity": VERBOSITY}
"""Names of the Responses API for options of Chat Completions."""
_FREE_CHOICES = {REASONING_EFFORT, VERBOSITY}
"""Options with values that differ between models: any refusal of one is a reason to leave it out."""

_VALUE_CODES = {"unsupported_value", "invalid_value"}
_UNSUPPORTED_CODES = {
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "unrecognized_parameter",
    "unsupported_argument",
}

# OpenAI and servers that imitate it also name a parameter in the message alone. A message can repeat text that the
# caller chose, so each pattern describes the sentence from its beginning.
_RESPONSES_ONLY = re.compile(r"this model is only supported in /?v1/responses and not in /?v1/chat/completions\.")
_NAME = r"[`'\"]?([a-z_.]{1,40})\b[`'\"]?"
_REFUSED_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"unsupported (?:parameter|value|argument|option)s?:? {_NAME}",
        rf"(?:unrecognized|unknown|unexpected|model incompatible|incompatible|invalid|extra) (?:request )?"
        rf"(?:argument|parameter|field|key|keyword argument|input)s?(?: supplied| provided)?:? {_NAME}",
        rf"(?:the )?(?:parameter |option )?{_NAME} (?:parameter |option )?(?:is|are) (?:not|currently not) "
        r"(?:supported|allowed|permitted|accepted|available|compatible)",
        rf"(?:the |this )?model\b(?: [`'\"]?[\w.:/-]{{1,200}}[`'\"]?)? (?:does not|doesn't) (?:support|accept|allow) "
        rf"(?:the )?(?:parameter |use of |custom )?{_NAME}",
        rf"{_NAME} (?:does not|doesn't) support\b",
        rf"additional properties are not allowed \({_NAME} was unexpected",
        # vLLM before 0.6.5, and LiteLLM.
        rf"\[\{{'type': 'extra_forbidden', 'loc': \('body', {_NAME}\)",
        rf"(?:litellm\.\w+: )?\w+ does not support parameters: \[?{_NAME}",
    )
)
_ABOUT_VALUE = re.compile(r"unsupported value|invalid value|.{0,60}\bdoes not support\b.{0,80}\bsupported values?\b")


@dataclass(frozen=True)
class Adaptations:
    """Differences from the request that the model's id suggests."""

    responses_api: bool = False
    """True if the Responses API is asked although the id suggests Chat Completions."""
    omitted: frozenset[str] = frozenset()
    """Options that are not sent, with the names of `sent_options`."""
    prefers_max_tokens: bool = False
    """True if max_tokens is sent and not max_completion_tokens, which older servers ignore without a word."""
    is_general: bool = True
    """False if a refusal was about a value that the caller chose, so that it says nothing about other calls."""

    @property
    def left_out(self) -> frozenset[str]:
        """The options that `build_request_body` leaves out. It sends max_tokens if max_completion_tokens is one."""
        return self.omitted | {"max_completion_tokens"} if self.prefers_max_tokens else self.omitted

    def path_for(self, model: str, *, searches_files: bool = False) -> str:
        """Return the path of the endpoint to ask. Only the Responses API searches files."""
        needs_responses = self.responses_api or searches_files or is_responses_only(model)
        return RESPONSES_PATH if needs_responses else CHAT_PATH

    def after(self, refusal: ApiRefusal, path: str, body: JsonObject) -> "Adaptations | None":
        """Return the adaptations for another attempt at the same question; None if another attempt is useless.

        `path` and `body` are those of the refused request. Each result differs from the one before it by one step, so
        the number of attempts is limited.
        """
        if path == CHAT_PATH and refusal.status in {400, 404} and _RESPONSES_ONLY.fullmatch(refusal.message):
            return replace(self, responses_api=True)
        name = _refused_option(refusal, sent_options(body))
        if name is None:
            return None
        if name == "max_tokens" and self.prefers_max_tokens:
            return replace(self, prefers_max_tokens=False, omitted=self.omitted | {name})
        # A model that refuses one temperature accepts none. Limits of tokens and levels differ between models.
        is_about_value = refusal.code in _VALUE_CODES or _ABOUT_VALUE.match(refusal.message) is not None
        is_general = self.is_general and (name == "temperature" or not is_about_value)
        return replace(self, omitted=self.omitted | {name}, is_general=is_general)


UNCHANGED = Adaptations()
OTHER_SERVER = Adaptations(prefers_max_tokens=True)
"""The first request to a server that imitates the API. All of them know max_tokens."""


def _refused_option(refusal: ApiRefusal, sent: set[str]) -> str | None:
    """Return the option that OpenAI does not accept, if it was sent."""
    if refusal.status not in {400, 422} or not refusal.is_from_api:
        return None
    if refusal.parameter:
        name = _option(refusal.parameter)
        is_refused = refusal.code in _UNSUPPORTED_CODES or name in _FREE_CHOICES
        if name in sent and (is_refused or _name_in(refusal.message) == name):
            return name
        return None
    named = _name_in(refusal.message)
    return named if named in sent else None


def _name_in(message: str) -> str | None:
    found = next((match for pattern in _REFUSED_NAMES if (match := pattern.match(message))), None)
    return _option(found[1]) if found else None


def _option(parameter: str) -> str:
    """Return the option that OpenAI's name of a parameter means."""
    name = parameter.lower()
    return _OTHER_NAMES.get(name) or name.split(".")[0].split("[")[0]
