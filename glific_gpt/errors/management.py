"""Errors of commands, pages and the JSON API, and of the start of the server."""

from collections.abc import Sequence
from typing import ClassVar

from glific_gpt.errors.base import N_, ErrorClass, GlificGptError


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
