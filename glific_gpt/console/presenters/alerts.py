"""Alerts as banners of the overview page, each with a text and a link to the page on which it can be fixed."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.alerts.texts import SENTENCES, TITLES
from glific_gpt.console.access import AccessLevel
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import error_name, failed_calls_filter
from glific_gpt.usage.alerts import Alert, AlertCode

OPENAI_BILLING_URL = "https://platform.openai.com/settings/organization/billing/overview"


class AlertText(NamedTuple):
    """Text and links of a kind of alert."""

    title: LazyString
    text: LazyString
    endpoint: str
    """Endpoint of the page on which it can be fixed."""
    button: LazyString
    external_url: str | None = None
    """Address outside the console to visit first."""
    access: AccessLevel = AccessLevel.VIEWER
    """Access level of that page."""


@dataclass(frozen=True)
class AlertBanner:
    """One alert, ready to be shown."""

    code: str
    texts: AlertText
    text: str
    query: dict[str, str]
    """Query parameters of the page's address."""
    is_urgent: bool

    def values(self, slug: str) -> dict[str, str]:
        """Return the values for `url_for`. Pages of administrators have no organization in their address."""
        return self.query if self.texts.access is AccessLevel.ADMINISTRATOR else {"slug": slug} | self.query


ALERT_TEXTS = {
    AlertCode.ORGANIZATION_OFF: AlertText(
        _("This organization is switched off"),
        _("Calls are not answered. Ask an administrator of this server to switch it on."),
        "console.list_organizations",
        _("Open organizations"),
        access=AccessLevel.ADMINISTRATOR,
    ),
    AlertCode.KEY_MISSING: AlertText(
        _("No OpenAI key is saved"),
        _("Calls cannot be answered without a key. Add one."),
        "console.openai",
        _("Add the key"),
    ),
    AlertCode.KEY_OFF: AlertText(
        _("The OpenAI key is switched off"),
        _("Calls are not answered until you switch it on."),
        "console.openai",
        _("Switch it on"),
    ),
    AlertCode.KEY_REFUSED: AlertText(
        _("OpenAI refused this key"),
        _("It may have been deleted, or may lack the permission to use models. Replace it with a valid key."),
        "console.openai",
        _("Replace the key"),
    ),
    AlertCode.OUT_OF_CREDIT: AlertText(
        _("This key has no credit left at OpenAI"),
        _("Add credit at platform.openai.com under Billing. Calls are answered again a few minutes later."),
        "console.openai",
        _("Open the key"),
        external_url=OPENAI_BILLING_URL,
    ),
    AlertCode.PHRASE_MISSING: AlertText(
        _("The webhook signature is missing"),
        _("Calls must be signed, but no webhook signature is set to verify them, so all calls are refused. Set it."),
        "console.organization_settings",
        _("Set the webhook signature"),
    ),
    AlertCode.BUDGET_USED: AlertText(
        _("Budget reached: calls are refused"),
        _(
            "%(spent)s of %(budget)s are spent in this month. Calls are refused until you raise the budget, or until "
            "the next month."
        ),
        "console.organization_settings",
        _("Change the budget"),
    ),
    AlertCode.BUDGET_NEARLY_USED: AlertText(
        _("This month's budget is nearly used up"),
        _("%(spent)s of %(budget)s are spent. When the budget is used up, calls are not answered."),
        "console.organization_settings",
        _("Change the budget"),
    ),
    AlertCode.MANY_FAILURES: AlertText(
        _("Many calls fail"),
        _("%(failures)s of %(calls)s calls failed in the last 24 hours. The most frequent reason: %(error)s."),
        "console.list_calls",
        _("Look at these calls"),
    ),
    AlertCode.NOT_DELIVERED: AlertText(
        _("Answers did not reach their flows"),
        _("In the last 24 hours: %(answers)s. Check the Glific connection, then send them again from the page Calls."),
        "console.glific",
        _("Check the connection"),
    ),
    AlertCode.FAILING_NOW: AlertText(
        TITLES[AlertCode.FAILING_NOW],
        _("More than a fifth of the calls of the last 15 minutes failed."),
        "console.list_calls",
        _("Look at these calls"),
    ),
    AlertCode.GLIFIC_REFUSED: AlertText(
        TITLES[AlertCode.GLIFIC_REFUSED],
        SENTENCES[AlertCode.GLIFIC_REFUSED],
        "console.glific",
        _("Check the connection"),
    ),
    AlertCode.MODEL_RETIRED: AlertText(
        TITLES[AlertCode.MODEL_RETIRED],
        _(
            "Calls that ask for it fail, or get the answer of the fallback model. Choose another model in the flow and "
            "in the settings."
        ),
        "console.models",
        _("Choose models"),
    ),
}


BUDGET_OF_ZERO = _("The budget is 0, so every call is refused. Raise it, or leave the field empty for no limit.")


def present_alert(alert: Alert) -> AlertBanner:
    texts = ALERT_TEXTS[alert.code]
    text = BUDGET_OF_ZERO if alert.budget_usd == 0 else texts.text
    return AlertBanner(alert.code, texts, str(text) % _format_values(alert), _query(alert), alert.is_urgent)


def _format_values(alert: Alert) -> dict[str, str]:
    return {
        "spent": numbers.format_dollars(alert.spent_usd or 0),
        "budget": numbers.format_dollars(alert.budget_usd or 0),
        "failures": numbers.format_number(alert.failures),
        "calls": numbers.format_number(alert.calls),
        "error": str(error_name(alert.error_code or "")),
        "answers": numbers.format_number(alert.answers),
    }


def _query(alert: Alert) -> dict[str, str]:
    """Return the filters of the call list that show the failed calls."""
    if alert.code is not AlertCode.MANY_FAILURES:
        return {}
    return failed_calls_filter(alert.error_code or "")
