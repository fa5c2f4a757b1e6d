"""Banners: what an organization needs, in plain words, with what to do and where."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.console.access import AccessLevel
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import error_name, failed_calls_filter
from glific_gpt.usage.alerts import Alert, AlertCode

OPENAI_BILLING_URL = "https://platform.openai.com/settings/organization/billing/overview"


class AlertText(NamedTuple):
    """What is said of a need."""

    title: LazyString
    text: LazyString
    endpoint: str
    """The page on which it is mended."""
    button: LazyString
    is_urgent: bool = True
    """Whether no call can be answered until then."""
    elsewhere: str | None = None
    """An address outside of the console to go to first."""
    lock: AccessLevel = AccessLevel.VIEWER
    """Who may see that page."""


@dataclass(frozen=True)
class AlertBanner:
    """One need, ready to be shown."""

    code: str
    words: AlertText
    text: str
    query: dict[str, str]
    """For the address of the page, besides the organization."""

    def values(self, slug: str) -> dict[str, str]:
        """For the address of the page."""
        return self.query if self.words.lock is AccessLevel.ADMINISTRATOR else {"slug": slug} | self.query


ALERT_TEXTS = {
    AlertCode.ORGANIZATION_OFF: AlertText(
        _("This organization is switched off"),
        _("No call is answered. An administrator of this server can switch it on."),
        "console.list_organizations",
        _("Open organizations"),
        lock=AccessLevel.ADMINISTRATOR,
    ),
    AlertCode.KEY_MISSING: AlertText(
        _("There is no OpenAI key yet"),
        _("No call can be answered without one: add it."),
        "console.openai",
        _("Add the key"),
    ),
    AlertCode.KEY_OFF: AlertText(
        _("The OpenAI key is switched off"),
        _("No call is answered until you switch it on."),
        "console.openai",
        _("Switch it on"),
    ),
    AlertCode.KEY_REFUSED: AlertText(
        _("OpenAI does not accept this key"),
        _("It may have been deleted, or may not use models: replace it with a key that is valid."),
        "console.openai",
        _("Replace the key"),
    ),
    AlertCode.OUT_OF_CREDIT: AlertText(
        _("OpenAI says this key has no credit left"),
        _("Add credit at platform.openai.com under Billing. Calls are answered again a few minutes later."),
        "console.openai",
        _("Open the key"),
        elsewhere=OPENAI_BILLING_URL,
    ),
    AlertCode.PHRASE_MISSING: AlertText(
        _("The signature phrase is missing"),
        _("Calls must be signed, but there is no phrase to check them with, so none is let in: set the phrase."),
        "console.organization_settings",
        _("Set the phrase"),
    ),
    AlertCode.BUDGET_USED: AlertText(
        _("This month's budget is used up"),
        _("%(spent)s of %(budget)s are spent. No call is answered until you raise it, or until the next month."),
        "console.organization_settings",
        _("Change the budget"),
    ),
    AlertCode.BUDGET_NEARLY_USED: AlertText(
        _("This month's budget is nearly used up"),
        _("%(spent)s of %(budget)s are spent. When all of it is, calls are not answered any more."),
        "console.organization_settings",
        _("Change the budget"),
        is_urgent=False,
    ),
    AlertCode.MANY_FAILURES: AlertText(
        _("Many calls fail"),
        _("%(failures)s of %(calls)s calls failed in the last 24 hours. The most frequent reason: %(error)s."),
        "console.list_calls",
        _("Look at these calls"),
        is_urgent=False,
    ),
    AlertCode.NOT_DELIVERED: AlertText(
        _("Answers did not reach their flows"),
        _("In the last 24 hours: %(answers)s. Check the Glific connection, then try them again from Calls."),
        "console.glific",
        _("Check the connection"),
        is_urgent=False,
    ),
}


def present_alert(need: Alert) -> AlertBanner:
    words = ALERT_TEXTS[need.code]
    return AlertBanner(need.code, words, str(words.text) % _facts(need), _query(need))


def _facts(need: Alert) -> dict[str, str]:
    return {
        "spent": numbers.format_dollars(need.spent_usd or 0),
        "budget": numbers.format_dollars(need.budget_usd or 0),
        "failures": numbers.format_number(need.failures),
        "calls": numbers.format_number(need.calls),
        "error": str(error_name(need.error_code or "")),
        "answers": numbers.format_number(need.answers),
    }


def _query(need: Alert) -> dict[str, str]:
    """The calls that are meant."""
    if need.code is not AlertCode.MANY_FAILURES:
        return {}
    return failed_calls_filter(need.error_code or "")
