"""The two ways into an organization's Glific, with what each needs."""

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True)
class ApiAccess:
    """The documented API, with the login of a person whose role there is manager or higher."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phone: str = field(repr=False)
    """Digits only, with the country's code."""
    password: SecretStr = field(repr=False)


@dataclass(frozen=True)
class SignedAccess:
    """The call that is signed with the organization's signature phrase, as Glific's own AI platform makes it."""

    api_url: str
    """https://api.<shortcode>.glific.com, without a slash at the end."""
    phrase: SecretStr = field(repr=False)
    organization_id: int
    """Glific's own id of the organization."""


Access = ApiAccess | SignedAccess
