"""Every way a call can fail: code, status, whose fault it is, and a sentence that is safe to show to NGO staff."""

from typing import ClassVar, Literal

Fault = Literal["caller", "organization", "service"]
"""Who can mend it: the flow that called, the organization's settings here, or the servers."""


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a sentence that people read in their own language where there is one."""
    return sentence


class GlificGptError(Exception):
    """A failure that people are told about. Its sentence never holds a secret or a stack trace."""

    code: ClassVar[str]
    status: ClassVar[int]
    fault: ClassVar[Fault]
    sentence: ClassVar[str] = ""

    def __init__(self, sentence: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(sentence or self.sentence)
        self.retry_after = retry_after
        """Whole seconds after which another try makes sense; None when that cannot be said."""

    def __str__(self) -> str:
        return str(self.args[0])


class CallerError(GlificGptError):
    """The flow's node sends something that cannot be answered."""

    fault = "caller"


class OrganizationError(GlificGptError):
    """The organization's settings, key or account at OpenAI stand in the way."""

    fault = "organization"


class ServiceError(GlificGptError):
    """This server or OpenAI could not do it."""

    fault = "service"


class InvalidJson(CallerError):
    code, status = "invalid_json", 400
    sentence = N_("The webhook's body is not a JSON object: check the Function body of the webhook node.")


class Unauthorized(CallerError):
    code, status = "unauthorized", 401
    sentence = N_(
        "The caller could not be identified: check the address and the Authorization header of the "
        "webhook node, or the signature phrase."
    )


class UnknownFunction(CallerError):
    code, status = "unknown_function", 404
    sentence = N_("There is no function of that name: check the end of the webhook's address.")


class MethodNotAllowed(CallerError):
    code, status = "method_not_allowed", 405
    sentence = N_("This address answers POST only: choose POST in the webhook node.")


class CallInProgress(CallerError):
    code, status = "call_in_progress", 409
    sentence = N_("The same call is being answered at this moment; its answer can be had in a few seconds.")


class BodyTooLarge(CallerError):
    code, status = "body_too_large", 413
    sentence = N_("The webhook's body is over 1 MiB: send fewer results along.")


class EmptyQuestion(CallerError):
    code, status = "empty_question", 422
    sentence = N_("question_text is empty: there is no question to answer.")


class InvalidField(CallerError):
    code, status = "invalid_field", 422


class UnresolvedVariable(CallerError):
    code, status = "unresolved_variable", 422


class ModelNotText(CallerError):
    code, status = "model_not_text", 422


class ModelNotSupported(CallerError):
    code, status = "model_not_supported", 422


class ModelNotFound(CallerError):
    code, status = "model_not_found", 422


class MissingFlowContext(CallerError):
    code, status = "missing_flow_context", 422


class ContactLimit(CallerError):
    code, status = "contact_limit", 429
    sentence = N_("This contact has asked as many questions as the organization allows for a day.")


class InsufficientQuota(OrganizationError):
    code, status = "insufficient_quota", 402
    sentence = N_(
        "OpenAI says that this key's account has no credit left: add credit at platform.openai.com under Billing."
    )


class BudgetExceeded(OrganizationError):
    code, status = "budget_exceeded", 402
    sentence = N_("The organization's budget for this month is used up.")


class ModelNotAllowed(OrganizationError):
    code, status = "model_not_allowed", 403


class OrganizationInactive(OrganizationError):
    code, status = "organization_inactive", 403
    sentence = N_("This organization is switched off: ask an administrator to switch it on.")


class CredentialMissing(OrganizationError):
    code, status = "credential_missing", 409
    sentence = N_("This organization has no OpenAI key yet: add one.")


class CredentialInactive(OrganizationError):
    code, status = "credential_inactive", 409
    sentence = N_("This organization's OpenAI key is switched off: switch it on to get answers.")


class GlificNotConnected(OrganizationError):
    code, status = "glific_not_connected", 422
    sentence = N_(
        "A later answer cannot be delivered, because this organization is not connected to Glific: "
        "use the address without mode, or connect it."
    )


class RateLimited(OrganizationError):
    code, status = "rate_limited", 429
    sentence = N_("OpenAI limits how often this key may ask: try again in a moment, or ask OpenAI for a higher limit.")


class InvalidApiKey(OrganizationError):
    code, status = "invalid_api_key", 502
    sentence = N_("OpenAI does not accept this organization's key: replace it with a key that is valid.")


class UpstreamError(ServiceError):
    code, status = "upstream_error", 502
    sentence = N_("OpenAI could not be reached or had a failure of its own: try again in a minute.")


class BadUpstreamReply(ServiceError):
    code, status = "bad_upstream_reply", 502
    sentence = N_("OpenAI sent a reply that cannot be read: try again in a minute.")


class EmptyAnswer(ServiceError):
    code, status = "empty_answer", 502
    sentence = N_("The model gave an empty answer: ask differently, or allow it more tokens with max_tokens.")


class Refused(ServiceError):
    code, status = "refused", 502
    sentence = N_("The model refused to answer this question.")


class Overloaded(ServiceError):
    code, status = "overloaded", 503
    sentence = N_("The server has as many calls as it can hold: try again in a moment.")


DATABASE_AWAY = N_("The server's database is busy or cannot be reached: try again in a moment.")
"""For Overloaded."""


class DeadlineExceeded(ServiceError):
    code, status = "deadline_exceeded", 504
    sentence = N_("OpenAI did not answer in the time that it had: use a faster model, or ask for less.")


class NotFound(GlificGptError):
    """What is not there, and what belongs to somebody else: they look the same."""

    code, status, fault = "not_found", 404, "caller"
    sentence = N_("There is nothing here under that name.")


class Conflict(GlificGptError):
    """Something of that name is there already."""

    code, status, fault = "conflict", 409, "caller"


class InvalidValue(GlificGptError):
    """A value that a person gave in a command or over the JSON API cannot be taken."""

    code, status, fault = "invalid_value", 422, "caller"


class NotAFlowExport(GlificGptError):
    """A file that a person gave is not what Glific exports; the sentence says what it lacks."""

    code, status, fault = "not_a_flow_export", 422, "caller"
    sentence = N_("This is not a flow that Glific exported: choose the .json file of Flows > Export.")


class CredentialNotVerified(GlificGptError):
    """The provider could not be asked, or does not accept the key; nothing was saved."""

    code, status, fault = "credential_not_verified", 422, "organization"

    def __init__(self, sentence: str = "", *, because: str = "") -> None:
        super().__init__(sentence)
        self.because = because
        """What the provider said, for doors that have words of their own for the rest."""


class SettingsError(GlificGptError):
    """The environment does not hold what the server needs to start."""

    code, status, fault = "settings", 500, "service"


BROKEN = N_("The server had a failure of its own: tell its administrators, who find more in its log.")


class Broken(GlificGptError):
    """Something happened that nobody thought of."""

    code, status, fault = "broken", 500, "service"
    sentence = BROKEN


class NoToken(GlificGptError):
    """The JSON API was called without a token that it knows."""

    code, status, fault = "unauthorized", 401, "caller"
    sentence = N_("Send an API token: Authorization: Bearer <token>.")


class AdministratorsOnly(GlificGptError):
    """An organization's own token may not do this."""

    code, status, fault = "administrators_only", 403, "caller"
    sentence = N_("Only an administrator can switch an organization on or off.")


class RoleTooSmall(GlificGptError):
    """A member of the organization may see it, but not do this."""

    code, status, fault = "role_too_small", 403, "caller"
    sentence = N_("Your role in this organization does not include this: ask one of its owners.")


class GlificNotVerified(GlificGptError):
    """Glific could not be asked, or does not accept the connection; the sentence says why, its saver what follows."""

    code, status, fault = "glific_not_verified", 422, "organization"

    def __init__(self, sentence: str = "", *, because: str = "") -> None:
        super().__init__(sentence)
        self.because = because
        """What Glific said, for doors that have words of their own for the rest."""
