"""Errors that the organization can fix: its settings, its key, or its account at OpenAI."""

from glific_gpt.errors.base import N_, OrganizationError


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
    is_temporary = True
    default_message = N_(
        "A limit of calls per minute was reached: the organization's own limit, or the limit of its key at OpenAI. "
        "Try again in a moment, or raise the limit."
    )


MSG_TWO_TESTS = N_(
    "Two tests or test questions of this organization are running already. Wait until one has finished, then try again."
)
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


MSG_RESTRICTED_KEY = N_(
    "OpenAI does not allow this key to use models. Give it this permission, or create a key with all permissions."
)
MSG_ADDRESS_NOT_ALLOWED = N_(
    "This server no longer allows the address to which this key is sent. Save the key with another address, or ask an "
    "administrator of this server to allow it."
)
