"""The base of all errors: code, HTTP status, class, and a message that is safe to show."""

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
    is_temporary: ClassVar[bool] = False
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
