"""Every error that a caller or user can get: code, HTTP status, class, and a message that is safe to show."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

ErrorClass = Literal["caller", "organization", "service"]
"""Party that can fix the error: the calling flow, the organization, or the operators of this server or OpenAI."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a message for translation."""
    return message


class GlificGptError(Exception):
    """Base of all errors that are shown to callers or users. A message never contains a secret or a stack trace."""

    code: ClassVar[str]
    status: ClassVar[int]
    error_class: ClassVar[ErrorClass]
    default_message: ClassVar[str] = ""
    passes: ClassVar[bool] = False
    """True if the same call may succeed later although nobody changes anything."""

    def __init__(self, message: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(message or self.default_message)
        self.retry_after = retry_after
        """Whole seconds after which a retry makes sense; None if that is not known."""
        self.cause: str | None = None
        """Why an outside service gave no answer, in a few words for administrators. No secrets."""
        self.detail: str | None = None
        """Names of the field and the variable at fault, such as `question_text: @results.question`. Never a value."""
        self.is_about_model = False
        """True if OpenAI may answer the same question by another model."""

    def __str__(self) -> str:
        return str(self.args[0])

    def naming(self, detail: str) -> Self:
        """Set the names of the field and the variable at fault, and return the error."""
        self.detail = detail
        return self

    @property
    def administrator_message(self) -> str:
        """The message for administrators of the server, who may also read its settings."""
        return str(self)


class CallerError(GlificGptError):
    """The flow's webhook node sent a request that cannot be answered."""

    error_class = "caller"


class OrganizationError(GlificGptError):
    """The organization's settings, key or OpenAI account prevent an answer."""

    error_class = "organization"


class ServiceError(GlificGptError):
    """This server or OpenAI failed."""

    error_class = "service"


class InvalidJson(CallerError):
    code, status = "invalid_json", 400
    default_message = N_("The webhook's body is not a JSON object. Check the Function body of the webhook node.")


MSG_INCOMPLETE_BODY = N_("The webhook's body did not arrive completely. Send the request again.")


class Unauthorized(CallerError):
    code, status = "unauthorized", 401
    default_message = N_(
        "The caller could not be identified. Check the address and the Authorization header of the "
        "webhook node, or the webhook signature."
    )


class UnknownFunction(CallerError):
    code, status = "unknown_function", 404
    default_message = N_("There is no function with this name. Check the end of the webhook's address.")


class MethodNotAllowed(CallerError):
    code, status = "method_not_allowed", 405
    default_message = N_("This address accepts only POST. Choose POST in the webhook node.")


class CallInProgress(CallerError):
    code, status = "call_in_progress", 409
    passes = True
    default_message = N_("This call is already being processed. Retry in a few seconds.")


class BodyTooLarge(CallerError):
    code, status = "body_too_large", 413
    default_message = N_("The webhook's body is larger than 1 MiB. Send fewer results in it.")


class EmptyQuestion(CallerError):
    code, status = "empty_question", 422
    default_message = N_("question_text is empty. Send a question in it.")


MSG_EMPTY_QUESTION = N_("The question is empty. Send a question in question.")
"""Message of EmptyQuestion for functions in which the field is named `question`."""


class IdempotencyMismatch(CallerError):
    code, status = "idempotency_mismatch", 422
    default_message = N_(
        "This Idempotency-Key was already used for a call with another body. Send a new key with each new question."
    )


class InvalidField(CallerError):
    code, status = "invalid_field", 422

    @classmethod
    def of(cls, field: str, sentence: str) -> "InvalidField":
        """Return the error of one field. The sentence follows its name."""
        return cls(f"{field}: {sentence}").naming(field)


class UnresolvedVariable(CallerError):
    code, status = "unresolved_variable", 422

    @classmethod
    def of(cls, field: str, variable: str, sentence: str) -> "UnresolvedVariable":
        """Return the error of a variable in a field."""
        return cls(f"{field}: {sentence}").naming(f"{field}: {variable}")


class ModelNotText(CallerError):
    code, status = "model_not_text", 422


class ModelNotSupported(CallerError):
    code, status = "model_not_supported", 422


MSG_NEEDS_TOOLS = "{model} works only with tools that this server does not offer. Choose another model."
"""Message of ModelNotSupported for models of research and of computer use."""
MSG_READS_NO_PICTURES = "{model} cannot read pictures. Choose another model, such as gpt-4o-mini."
"""Message of ModelNotSupported for models of text alone."""
MSG_PICTURE_NOT_DOWNLOADED = N_(
    "url: OpenAI could not download this picture. Check that everybody can open the address. If so, let this server "
    "download pictures, in the settings of the organization."
)
MSG_PICTURE_NOT_FETCHED = N_(
    "url: this server could not download this picture. Check that everybody can open the address, or try again."
)
MSG_PICTURE_SLOW = N_("url: this picture took too long to download. Send a smaller one, or try again.")
MSG_PICTURE_REDIRECTED = N_(
    "url: this address leads to another one that is not public or does not begin with https://. Send the final address "
    "of the picture."
)
MSG_PICTURE_TOO_LARGE = N_("url: this picture is larger than 20 MB. Send a smaller one.")
MSG_NOT_A_PICTURE = N_(
    "url: this is not a picture that OpenAI can read. Send a picture in JPEG, PNG or WebP, or a GIF without animation."
)
MSG_SEARCHES_NO_FILES = "{model} cannot search documents. Choose another model, such as gpt-4o-mini."
"""Message of ModelNotSupported for models without OpenAI's file search."""
MSG_NO_VECTOR_STORE = N_(
    "vector_store_id: your OpenAI account has no vector store with this ID. Copy the ID from the page Documents of the "
    "console."
)
"""Message of InvalidField for a store that does not exist, has expired or belongs to another account."""


class ModelNotFound(CallerError):
    code, status = "model_not_found", 422


class MissingFlowContext(CallerError):
    code, status = "missing_flow_context", 422


class ContactLimit(CallerError):
    code, status = "contact_limit", 429
    passes = True
    default_message = N_("This contact has reached the organization's daily limit of questions. Try again tomorrow.")


class InsufficientQuota(OrganizationError):
    code, status = "insufficient_quota", 402
    default_message = N_(
        "OpenAI says that this key's account has no credit left. Add credit at platform.openai.com under Billing."
    )


MSG_BUDGET_TOO_SMALL = N_(
    "The rest of the organization's budget for this month does not pay for the whole answer. Raise the budget, or wait "
    "for the next month."
)
"""Message of BudgetExceeded when the budget cut an answer off, so that it cannot be used."""


MSG_NO_PRICES = N_(
    "The prices of the server of this key are not known, so it cannot be used under a monthly budget. Remove the "
    "budget, or use a key of OpenAI."
)
"""Message of BudgetExceeded for a key of a server that is not OpenAI."""


class BudgetExceeded(OrganizationError):
    code, status = "budget_exceeded", 402
    default_message = N_(
        "The organization's budget for this month is used up. Raise the budget, or wait for the next month."
    )


class ModelNotAllowed(OrganizationError):
    code, status = "model_not_allowed", 403


class OrganizationInactive(OrganizationError):
    code, status = "organization_inactive", 403
    default_message = N_("This organization is switched off. Ask an administrator to switch it on.")


class CredentialMissing(OrganizationError):
    code, status = "credential_missing", 409
    default_message = N_("This organization has no OpenAI key. Add one.")


class CredentialInactive(OrganizationError):
    code, status = "credential_inactive", 409
    default_message = N_("This organization's OpenAI key is switched off. Switch it on to get answers.")


class GlificNotConnected(OrganizationError):
    code, status = "glific_not_connected", 422
    default_message = N_(
        "A later answer cannot be delivered, because this organization is not connected to Glific. "
        "Connect it, or remove mode from the address."
    )


class RateLimited(OrganizationError):
    code, status = "rate_limited", 429
    passes = True
    default_message = N_(
        "A limit of calls per minute was reached: the organization's own limit, or the limit of its key at OpenAI. "
        "Try again in a moment, or raise the limit."
    )


MSG_TWO_TESTS = N_(
    "Two tests or test questions of this organization are running already. Wait until one has finished, then try again."
)
MSG_MANY_PICTURES = N_("This server is downloading many pictures at the moment. Try again in a moment.")
MSG_MANY_PAGES = N_(
    "Many pages of this organization are loading at the same time. Wait a moment, then load this page again."
)
MSG_MANY_LOGINS = N_(
    "The connection to Glific was tested several times within a minute. Wait a minute, then try again."
)
MSG_LOGIN_REFUSED = N_(
    "Glific has just refused a login with this phone number. Check the phone number and the password, wait ten "
    "seconds, then try again."
)
MSG_MANY_EXPORTS = N_("An export of calls is running already. Wait until it has finished, then try again.")
MSG_OPENAI_RATE_LIMIT = N_(
    "This key has reached its rate limit at OpenAI. Try again in a moment, or ask OpenAI for a higher limit."
)
"""Message of RateLimited when OpenAI refused the call."""


MSG_OPENAI_DAILY_LIMIT = N_(
    "This key has reached its limit per day at OpenAI. Try again later, or ask OpenAI for a higher limit at "
    "platform.openai.com under Limits."
)


class InvalidApiKey(OrganizationError):
    code, status = "invalid_api_key", 502
    default_message = N_("OpenAI refused this key. Copy it again from platform.openai.com.")


MSG_ACCOUNT_CLOSED = N_(
    "OpenAI has closed or suspended this key's account, so no key of it works. Look in the e-mails from OpenAI, or ask "
    "help.openai.com."
)
MSG_PROJECT_CLOSED = N_(
    "OpenAI says that this key's project is archived, or that the key's owner has left it. Create a key in an active "
    "project at platform.openai.com."
)
MSG_ADDRESS_REFUSED = N_(
    "This key's account accepts only certain IP addresses, and that of this server is not among them. Add it at "
    "platform.openai.com under Security, IP allowlist."
)
MSG_SPEND_LIMIT = N_(
    "This key's account or project has reached its spending limit at OpenAI. Raise the limit at platform.openai.com "
    "under Limits, or wait for the next month."
)
MSG_BILLING_INACTIVE = N_(
    "OpenAI says that billing is not active for this key's account. Check the payment details at platform.openai.com "
    "under Billing."
)
"""Messages of InvalidApiKey and InsufficientQuota with causes that OpenAI names."""


class WrongRegion(OrganizationError):
    code, status = "wrong_region", 502
    default_message = N_(
        "OpenAI serves this key's project at the address of a region only. Save the key with the address of its "
        "region, or use a key of a project without a region."
    )

    def __init__(self, message: str = "", *, base_url: str | None = None) -> None:
        super().__init__(message)
        self.base_url = base_url
        """The address at which OpenAI serves the project, if OpenAI has named it."""


MSG_COUNTRY = N_("OpenAI does not serve the country that this server is in. Inform its administrators.")
MSG_NO_API = N_("There is no OpenAI API at the address that this server uses. Ask its administrators to correct it.")
MSG_PROXY_REFUSED = N_(
    "Something between this server and OpenAI refused the request, such as a proxy or a firewall. Nothing is wrong in "
    "your settings. Try again in a few minutes, then tell the administrators of this server."
)
"""Messages of UpstreamError with causes that are known."""


class UpstreamError(ServiceError):
    code, status = "upstream_error", 502
    passes = True
    default_message = N_("OpenAI could not be reached or had a failure. Try again in a minute.")


class BadUpstreamReply(ServiceError):
    code, status = "bad_upstream_reply", 502
    passes = True
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
    passes = True
    default_message = N_("The server already handles as many calls as it can. Try again in a moment.")


class NotReady(ServiceError):
    """This process lacks the encryption key of a stored secret."""

    code, status = "not_ready", 503
    passes = True
    default_message = N_(
        "This server cannot read its stored secrets at the moment. Nothing is wrong in your settings. Tell the "
        "administrators of this server, and try again in a few minutes."
    )


MSG_RESTRICTED_KEY = N_(
    "OpenAI does not allow this key to use models. Give it this permission, or create a key with all permissions."
)
MSG_KEY_WITHOUT_DOCUMENTS = N_(
    "OpenAI does not allow this key to use files and vector stores. Give it these permissions at platform.openai.com, "
    "or create a key with all permissions."
)
"""Message of InvalidApiKey for requests about documents."""
MSG_DOCUMENT_TYPE = N_(
    "OpenAI does not search this type of file. Save it as PDF, Word, text or Markdown, and upload that."
)
MSG_EMPTY_DOCUMENT = N_("This file is empty. Choose another one.")
MSG_NO_DOCUMENT = N_("This is no longer at OpenAI. Load the page again.")
"""Message of NotFound for a document or a vector store that is gone, or that belongs to another account."""
MSG_DOCUMENT_REFUSED = N_(
    "OpenAI does not accept this. If it is a document, save it as PDF, Word, text or Markdown, and upload it again."
)
MSG_ADDRESS_NOT_ALLOWED = N_(
    "This server no longer allows the address to which this key is sent. Save the key with another address, or ask an "
    "administrator of this server to allow it."
)
MSG_DATABASE_UNAVAILABLE = N_("The server's database is busy or cannot be reached. Try again in a moment.")
"""Message of Overloaded when the database is the cause."""


class DeadlineExceeded(ServiceError):
    code, status = "deadline_exceeded", 504
    passes = True
    default_message = N_("OpenAI did not answer in time. Use a faster model, or ask for a shorter answer.")

    def __init__(self, message: str = "", *, retry_after: int | None = None, was_asked: bool = True) -> None:
        super().__init__(message, retry_after=retry_after)
        self.was_asked = was_asked
        """False if no complete question was sent, so that OpenAI cannot charge for an answer."""


class NotFound(GlificGptError):
    """The object does not exist, or belongs to another organization. Both look the same to the caller."""

    code, status, error_class = "not_found", 404, "caller"
    default_message = N_("Nothing with this name was found. Check the name.")


class Conflict(GlificGptError):
    """An object with this name already exists."""

    code, status, error_class = "conflict", 409, "caller"


class InvalidValue(GlificGptError):
    """A value in a command, a form or a request to the JSON API is not valid."""

    code, status, error_class = "invalid_value", 422, "caller"


class InvalidKey(InvalidValue):
    """A typed key is not a key of the provider."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        """The sentence without the name of the field, for entry points that show it beside the field."""


class _NamesPatterns:
    """Part of the errors about hosts: only administrators learn the patterns, which can name a private network."""

    administrator_format: ClassVar[str]
    """The message for administrators, with `{allowed}` in place of the patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        super().__init__()
        self._patterns = patterns

    @property
    def administrator_message(self) -> str:
        return self.administrator_format.format(allowed=", ".join(self._patterns)[:150] or "none")


class HostNotAllowed(_NamesPatterns, InvalidValue):
    """No pattern allows the host of a Glific API."""

    default_message = N_(
        "This server may not connect to a Glific API at that address. Correct the address, or ask an administrator of "
        "this server to allow it."
    )
    administrator_format = (
        "This server may not connect to a Glific API at that address. The setting GLIFIC_GPT_GLIFIC_HOSTS allows: "
        "{allowed}."
    )


MSG_OPENAI_URL_FORMAT = N_(
    "The address must look like https://in.api.openai.com/v1, without a user name or a query. Copy it again."
)
MSG_TYPE_KEY_AGAIN = N_("To use another address, enter the key too. A saved key is never sent to another address.")
"""Messages of InvalidValue about the address of a key."""


class OpenAiHostNotAllowed(_NamesPatterns, InvalidValue):
    """No pattern allows the host of a key's base URL."""

    default_message = N_(
        "This server may not send a key to that address. Correct the address, or ask an administrator of this server "
        "to allow it."
    )
    administrator_format = (
        "This server may not send a key to that address. The setting GLIFIC_GPT_OPENAI_HOSTS allows: {allowed}."
    )


class InvalidFlowExport(GlificGptError):
    """A file is not a flow that Glific exported. The message says what is missing."""

    code, status, error_class = "not_a_flow_export", 422, "caller"
    default_message = N_("This is not a flow that Glific exported. Choose the .json file from Flows > Export.")


class _NotVerified(GlificGptError):
    """Base of errors after a failed check at an outside service. Nothing was saved."""

    def __init__(self, message: str = "", *, reason: str = "", base_url: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        """The service's part of the message, for entry points that word the rest themselves."""
        self.base_url = base_url
        """The address of OpenAI at which the key is accepted, if OpenAI has named it."""


class CredentialNotVerified(_NotVerified):
    """The provider refused the key. Nothing was saved."""

    code, status = "credential_not_verified", 422
    error_class: ClassVar[ErrorClass] = "organization"


class ProviderUnreachable(CredentialNotVerified):
    """The provider could not be reached to check the key, or had an error. Nothing was saved."""

    status, error_class = 502, "service"


class GlificNotVerified(_NotVerified):
    """Glific refused the connection. The message gives the reason."""

    code, status = "glific_not_verified", 422
    error_class: ClassVar[ErrorClass] = "organization"


class GlificUnreachable(GlificNotVerified):
    """Glific could not be reached to check the connection, or had an error. The message gives the reason."""

    status, error_class = 502, "service"


class SettingsError(GlificGptError):
    """The environment lacks a setting that the server needs, or has one that is not valid."""

    code, status, error_class = "settings", 500, "service"


MSG_INTERNAL_ERROR = N_("The server had an internal error. Ask its administrators to look in the server's log.")


class InternalError(GlificGptError):
    """An unexpected failure of this server."""

    code, status, error_class = "broken", 500, "service"
    default_message = MSG_INTERNAL_ERROR


class InvalidApiToken(GlificGptError):
    """The JSON API was called without a valid token."""

    code, status, error_class = "unauthorized", 401, "caller"
    default_message = N_("The API token is missing or not valid. Send it as Authorization: Bearer <token>.")


class AdministratorRequired(GlificGptError):
    """The action needs an administrator's rights."""

    code, status, error_class = "administrators_only", 403, "caller"
    default_message = N_("Only an administrator can switch an organization on or off.")


class InsufficientRole(GlificGptError):
    """The member's role in the organization does not include this action."""

    code, status, error_class = "role_too_small", 403, "caller"
    default_message = N_("Your role in this organization does not allow this. Ask one of its owners.")


def errors_by_code() -> dict[str, type[GlificGptError]]:
    """Return the errors that a call can end with. Plugins can have others."""
    bases = (CallerError, OrganizationError, ServiceError)
    return {error.code: error for error in (InternalError, *(each for base in bases for each in base.__subclasses__()))}
