"""Texts of alerts, for e-mails and for the webhook of the administrators."""

from decimal import Decimal

from flask_babel import LazyString, format_currency, format_decimal, gettext
from flask_babel import lazy_gettext as _

from glific_gpt.alerts.states import Announcement
from glific_gpt.usage.alerts import Alert, AlertCode

CENT = Decimal("0.01")

TITLES: dict[AlertCode, LazyString] = {
    AlertCode.KEY_REFUSED: _("OpenAI refused this key"),
    AlertCode.OUT_OF_CREDIT: _("This key has no credit left at OpenAI"),
    AlertCode.BUDGET_USED: _("Budget reached: calls are refused"),
    AlertCode.BUDGET_NEARLY_USED: _("This month's budget is nearly used up"),
    AlertCode.FAILING_NOW: _("Many calls fail"),
    AlertCode.GLIFIC_REFUSED: _("Answers did not reach their flows"),
    AlertCode.MODEL_RETIRED: _("OpenAI no longer offers a model that you use"),
}
SENTENCES: dict[AlertCode, LazyString] = {
    AlertCode.KEY_REFUSED: _(
        "It may have been deleted, or may lack the permission to use models. Replace it with a valid key."
    ),
    AlertCode.OUT_OF_CREDIT: _(
        "Add credit at platform.openai.com under Billing. Calls are answered again a few minutes later."
    ),
    AlertCode.BUDGET_USED: _(
        "%(spent)s of %(budget)s are spent in this month. Calls are refused until you raise the budget, or until "
        "the next month."
    ),
    AlertCode.BUDGET_NEARLY_USED: _(
        "%(spent)s of %(budget)s are spent. When the budget is used up, calls are not answered."
    ),
    AlertCode.FAILING_NOW: _(
        "%(failures)s of %(calls)s calls failed in the last 15 minutes. Look at the calls, which name the reason."
    ),
    AlertCode.GLIFIC_REFUSED: _("Glific did not accept the last answer. Check the Glific connection."),
    AlertCode.MODEL_RETIRED: _(
        "Calls that ask for %(model)s fail, or get the answer of the fallback model. Choose another model in the flow "
        "and in the settings."
    ),
}
"""By the code of the alert. Both dictionaries have every announced alert."""


def describe(alert: Alert) -> str:
    """Return the sentence about an alert that has begun, in the current language."""
    values = {
        "spent": _format_dollars(alert.spent_usd or Decimal(0)),
        "budget": _format_dollars(alert.budget_usd or Decimal(0)),
        "failures": format_decimal(alert.failures),
        "calls": format_decimal(alert.calls),
        "model": alert.model or "",
    }
    return str(SENTENCES[alert.code]) % values


def subject(name: str, news: Announcement) -> str:
    """Return the subject of an e-mail: the first alert, and the organization."""
    if news.begun:
        return f"{name}: {TITLES[news.begun[0].code]}"
    return str(gettext("%(name)s: over: %(alert)s", name=name, alert=TITLES[news.over[0]]))


def lines(news: Announcement) -> list[str]:
    """Return a paragraph for each beginning and each end."""
    begun = [f"{TITLES[alert.code]}. {describe(alert)}" for alert in news.begun]
    return [*begun, *(gettext("Over: %(alert)s.", alert=TITLES[code]) for code in news.over)]


def _format_dollars(usd: Decimal) -> str:
    if 0 < usd < CENT:
        return str(format_currency(usd, "USD", format="¤0.0000", currency_digits=False))
    return str(format_currency(usd, "USD"))
