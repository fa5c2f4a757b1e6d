"""Check that the organization is switched on, and that its budget for this month is not used up."""

from decimal import Decimal

from glific_gpt.database import reading, transaction
from glific_gpt.errors import N_
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.usage.alerts import BUDGET_WARNING_SHARE
from glific_gpt.usage.totals import spent_this_month

MSG_ACTIVE = N_("%(name)s is switched on.")
MSG_INACTIVE = N_("%(name)s is switched off, so its flows get no answers.")
REMEDY_ACTIVATE = N_("Ask an administrator of this server to switch it on.")

MSG_NO_BUDGET = N_("No monthly budget is set.")
MSG_BUDGET_LEFT = N_("%(spent)s of this month's budget of %(budget)s US dollars are spent.")
MSG_BUDGET_USED = N_("This month's budget is used up (%(spent)s of %(budget)s US dollars), so flows get no answers.")
REMEDY_BUDGET = N_("Raise the budget, or wait for the next month.")

MAX_DECIMAL_PLACES = 9


def check_organization(slug: str) -> CheckResult:
    """Check that the organization is switched on."""
    with transaction() as session:
        organization = store.find(session, slug)
    values = {"name": organization.name}
    if organization.is_active:
        return CheckResult("organization", CheckStatus.OK, MSG_ACTIVE, values=values)
    command = f"flask organizations activate {slug}"
    return CheckResult("organization", CheckStatus.PROBLEM, MSG_INACTIVE, REMEDY_ACTIVATE, values, command=command)


def check_budget(slug: str) -> CheckResult:
    """Check that this month's budget is not used up."""
    with transaction() as session:
        organization_id = store.find(session, slug).id
    # In a reading session, because a sum over many calls takes long, and no call should wait for it.
    with reading(organization_id) as session:
        organization = store.find(session, slug)
        budget, used = organization.monthly_budget_usd, spent_this_month(session, organization)
    if budget is None:
        return CheckResult("budget", CheckStatus.OK, MSG_NO_BUDGET)
    used_text, budget_text = format_amounts(used, budget)
    values = {"spent": used_text, "budget": budget_text}
    command = f"flask organizations set {slug} --monthly-budget-usd DOLLARS"
    if used >= budget:
        return CheckResult("budget", CheckStatus.PROBLEM, MSG_BUDGET_USED, REMEDY_BUDGET, values, command=command)
    if used >= budget * BUDGET_WARNING_SHARE:
        return CheckResult("budget", CheckStatus.WARNING, MSG_BUDGET_LEFT, REMEDY_BUDGET, values, command=command)
    return CheckResult("budget", CheckStatus.OK, MSG_BUDGET_LEFT, values=values)


def format_amounts(used: Decimal, budget: Decimal) -> tuple[str, str]:
    """Return both amounts in dollars, with enough decimal places to distinguish them from zero and each other."""
    for places in range(2, MAX_DECIMAL_PLACES + 1):
        texts = f"{used:.{places}f}", f"{budget:.{places}f}"
        rounded = Decimal(texts[0]), Decimal(texts[1])
        keeps_zero = bool(rounded[0]) == bool(used) and bool(rounded[1]) == bool(budget)
        if keeps_zero and _compare(*rounded) == _compare(used, budget):
            return texts
    return f"{used:f}", f"{budget:f}"


def _compare(left: Decimal, right: Decimal) -> tuple[bool, bool]:
    return left > right, left < right
