"""Errors of servers that imitate the OpenAI API, in sentences that name the server and not OpenAI."""

from dataclasses import dataclass

from glific_gpt.errors import (
    BadUpstreamReply,
    DeadlineExceeded,
    GlificGptError,
    InsufficientQuota,
    InvalidApiKey,
    InvalidField,
    ModelNotFound,
    ModelNotSupported,
    RateLimited,
    ServiceError,
    UpstreamError,
)
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.openai.refusals import ApiRefusal

_KEY_STATUSES = {401, 403}
_NO_SUCH_PATH = 404


@dataclass(frozen=True)
class OtherServer:
    """A server of a key that is not OpenAI: vLLM, llama.cpp, Ollama, LiteLLM, Sarvam and others."""

    host: str

    def searches_no_files(self) -> ModelNotSupported:
        return ModelNotSupported(
            f"The server {self.host} cannot search documents. Only OpenAI can. Use a key of OpenAI for this function."
        )

    def reword(self, error: GlificGptError, refusal: ApiRefusal | None = None, model: str = "") -> GlificGptError:
        """Return the error with a message for this server. `refusal` is None if there was no reply."""
        # Some servers refuse a key with a reply that is no error of the API, such as {"error": "Unauthorized"}.
        if isinstance(error, UpstreamError) and refusal is not None and refusal.status in _KEY_STATUSES:
            error = _like(error, InvalidApiKey())
        sentence = _SENTENCES.get(type(error))
        if isinstance(error, UpstreamError):
            sentence = _describe_failure(refusal)
        if sentence is None:
            return error
        # The messages that say what to do at OpenAI are of no use here.
        error.args = (f"The server {self.host} {sentence.format(model=model)}",)
        return error


def name_server(error: GlificGptError, base_url: str | None) -> GlificGptError:
    """Return the error with the name of the key's server in place of OpenAI's, if the server is not OpenAI.

    Errors about the organization's settings are unchanged: they are about the key, whatever server it is for.
    """
    if base_url and not serves_openai(base_url) and isinstance(error, _NAMING_OPENAI):
        host = host_of(base_url)
        text = str(error)
        if host not in text:
            named = text.replace("OpenAI", f"the server {host}")
            error.args = (named[0].upper() + named[1:] if text.startswith("OpenAI") else named,)
    return error


_NAMING_OPENAI = (ServiceError, InvalidField, RateLimited)
"""Errors with sentences about what OpenAI did."""

_SENTENCES: dict[type[GlificGptError], str] = {
    InvalidApiKey: "refused this key. Check the key and the address.",
    ModelNotFound: "has no model {model} for this key. Choose one of its models.",
    ModelNotSupported: "cannot answer questions with {model}. Choose another model.",
    InsufficientQuota: "says that this key's account has no credit left.",
    RateLimited: "limits the questions of this key. Try again later.",
    DeadlineExceeded: "did not answer in time. Use a faster model, or ask for a shorter answer.",
    BadUpstreamReply: "sent a reply that is not one of the OpenAI API.",
}
"""The failure of the server, and what to do, by the kind of error."""


def _describe_failure(refusal: ApiRefusal | None) -> str:
    if refusal is None:
        return "could not be reached. Check the address, and try again in a minute."
    if refusal.status == _NO_SUCH_PATH:
        return "has no OpenAI API at this address. Many addresses end in /v1."
    if refusal.status >= 500 or refusal.is_temporary:
        return "failed. Try again in a minute."
    return "does not accept this request. Check the fields of the webhook node."


def _like(error: GlificGptError, other: GlificGptError) -> GlificGptError:
    other.cause, other.is_about_model = error.cause, error.is_about_model
    return other
