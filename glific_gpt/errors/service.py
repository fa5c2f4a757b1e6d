"""Failures of this server or of OpenAI."""

from glific_gpt.errors.base import N_, GlificGptError, ServiceError

MSG_COUNTRY = N_("OpenAI does not serve the country that this server is in. Inform its administrators.")
MSG_NO_API = N_("There is no OpenAI API at the address that this server uses. Ask its administrators to correct it.")
MSG_PROXY_REFUSED = N_(
    "Something between this server and OpenAI refused the request, such as a proxy or a firewall. Nothing is wrong in "
    "your settings. Try again in a few minutes, then tell the administrators of this server."
)
"""Messages of UpstreamError with causes that are known."""


class UpstreamError(ServiceError):
    code, status = "upstream_error", 502
    is_temporary = True
    default_message = N_("OpenAI could not be reached or had a failure. Try again in a minute.")


class BadUpstreamReply(ServiceError):
    code, status = "bad_upstream_reply", 502
    is_temporary = True
    default_message = N_("OpenAI sent a reply that cannot be read. Try again in a minute.")


class EmptyAnswer(ServiceError):
    code, status = "empty_answer", 502
    default_message = N_("The model gave an empty answer. Change the question, or raise max_tokens.")


class ModelRefused(ServiceError):
    code, status = "refused", 502
    default_message = N_("The model refused to answer this question. Change the question or the prompt.")


MSG_UNSAFE = N_(
    "OpenAI's safety system did not accept this question. Change the question or the prompt. If it happens often with "
    "harmless questions, make the prompt clearer."
)
"""Message of ModelRefused when the question did not reach the model."""


class Overloaded(ServiceError):
    code, status = "overloaded", 503
    is_temporary = True
    default_message = N_("The server already handles as many calls as it can. Try again in a moment.")


class NotReady(ServiceError):
    """This process lacks the encryption key of a stored secret."""

    code, status = "not_ready", 503
    is_temporary = True
    default_message = N_(
        "This server cannot read its stored secrets at the moment. Nothing is wrong in your settings. Tell the "
        "administrators of this server, and try again in a few minutes."
    )


MSG_DATABASE_UNAVAILABLE = N_("The server's database is busy or cannot be reached. Try again in a moment.")
"""Message of Overloaded when the database is the cause."""


class DeadlineExceeded(ServiceError):
    code, status = "deadline_exceeded", 504
    is_temporary = True
    default_message = N_("OpenAI did not answer in time. Use a faster model, or ask for a shorter answer.")

    def __init__(self, message: str = "", *, retry_after: int | None = None, was_asked: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.was_asked = was_asked
        """False if no complete question was sent, so that OpenAI cannot charge for an answer."""


MSG_INTERNAL_ERROR = N_("The server had an internal error. Ask its administrators to look in the server's log.")


class InternalError(GlificGptError):
    """An unexpected failure of this server."""

    code, status, error_class = "broken", 500, "service"
    default_message = MSG_INTERNAL_ERROR
