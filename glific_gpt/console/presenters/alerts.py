"""Banners: what an organization needs, in plain words, with what to do and where."""

from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.console.access import Lock
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import calls_with, error_name
from glific_gpt.usage.alerts import Need, NeedCode

BILLING = "https://platform.openai.com/settings/organization/billing/overview"


class Words(NamedTuple):
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
    lock: Lock = Lock.VIEWER
    """Who may see that page."""


@dataclass(frozen=True)
class Banner:
    """One need, ready to be shown."""

    code: str
    words: Words
    text: str
    query: dict[str, str]
    """For the address of the page, besides the organization."""

    def values(self, slug: str) -> dict[str, str]:
        """For the address of the page."""
        return self.query if self.words.lock is Lock.ADMINISTRATOR else {"slug": slug} | self.query


WORDS = {
    NeedCode.ORGANIZATION_OFF: Words(
        _("This organization is switched off"),
        _("No call is answered. An administrator of this server can switch it on."),
        "console.list_organizations",
        _("Open organizations"),
        lock=Lock.ADMINISTRATOR,
    ),
    NeedCode.KEY_MISSING: Words(
        _("There is no OpenAI key yet"),
        _("No call can be answered without one: add it."),
        "console.openai",
        _("Add the key"),
    ),
    NeedCode.KEY_OFF: Words(
        _("The OpenAI key is switched off"),
        _("No call is answered until you switch it on."),
        "console.openai",
        _("Switch it on"),
    ),
    NeedCode.KEY_REFUSED: Words(
        _("OpenAI does not accept this key"),
        _("It may have been deleted, or may not use models: replace it with a key that is valid."),
        "console.openai",
        _("Replace the key"),
    ),
    NeedCode.OUT_OF_CREDIT: Words(
        _("OpenAI says this key has no credit left"),
        _("Add credit at platform.openai.com under Billing. Calls are answered again a few minutes later."),
        "console.openai",
        _("Open the key"),
        elsewhere=BILLING,
    ),
    NeedCode.PHRASE_MISSING: Words(
        _("The signature phrase is missing"),
        _("Calls must be signed, but there is no phrase to check them with, so none is let in: set the phrase."),
        "console.organization_settings",
        _("Set the phrase"),
    ),
    NeedCode.BUDGET_USED: Words(
        _("This month's budget is used up"),
        _("%(spent)s of %(budget)s are spent. No call is answered until you raise it, or until the next month."),
        "console.organization_settings",
        _("Change the budget"),
    ),
    NeedCode.BUDGET_NEARLY_USED: Words(
        _("This month's budget is nearly used up"),
        _("%(spent)s of %(budget)s are spent. When all of it is, calls are not answered any more."),
        "console.organization_settings",
        _("Change the budget"),
        is_urgent=False,
    ),
    NeedCode.MANY_FAILURES: Words(
        _("Many calls fail"),
        _("%(failures)s of %(calls)s calls failed in the last 24 hours. The most frequent reason: %(error)s."),
        "console.list_calls",
        _("Look at these calls"),
        is_urgent=False,
    ),
    NeedCode.NOT_DELIVERED: Words(
        _("Answers did not reach their flows"),
        _("In the last 24 hours: %(answers)s. Check the Glific connection, then try them again from Calls."),
        "console.glific",
        _("Check the connection"),
        is_urgent=False,
    ),
}


def banner(need: Need) -> Banner:
    words = WORDS[need.code]
    return Banner(need.code, words, str(words.text) % _facts(need), _query(need))


def _facts(need: Need) -> dict[str, str]:
    return {
        "spent": numbers.dollars(need.spent_usd or 0),
        "budget": numbers.dollars(need.budget_usd or 0),
        "failures": numbers.number(need.failures),
        "calls": numbers.number(need.calls),
        "error": str(error_name(need.error_code or "")),
        "answers": numbers.number(need.answers),
    }


def _query(need: Need) -> dict[str, str]:
    """The calls that are meant."""
    if need.code is not NeedCode.MANY_FAILURES:
        return {}
    return calls_with(need.error_code or "")
