"""Badge of an organization in the list of administrators: its most urgent alert."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from glific_gpt.usage.alerts import AlertCode
from glific_gpt.usage.key_status import KeyState
from glific_gpt.usage.organization_status import OrganizationStatus

NAMES = {
    AlertCode.KEY_MISSING: _("Key missing"),
    AlertCode.KEY_OFF: _("Key switched off"),
    AlertCode.KEY_REFUSED: _("Key refused by OpenAI"),
    AlertCode.OUT_OF_CREDIT: _("Out of credit"),
    AlertCode.PHRASE_MISSING: _("Webhook signature missing"),
    AlertCode.BUDGET_USED: _("Budget reached"),
    AlertCode.BUDGET_NEARLY_USED: _("Budget nearly used up"),
    AlertCode.MANY_FAILURES: _("Many calls fail"),
    AlertCode.NOT_DELIVERED: _("Answers not delivered"),
    AlertCode.FAILING_NOW: _("Many calls fail"),
    AlertCode.GLIFIC_REFUSED: _("Answers not delivered"),
    AlertCode.MODEL_RETIRED: _("Model retired"),
}
ALL_CALLS_FAIL = _("All calls fail")


def badge_of(status: OrganizationStatus) -> tuple[LazyString, str]:
    """Return label and colour."""
    if not status.is_active:
        return _("Switched off"), "secondary"
    if status.alert is None:
        return (_("Key not tested yet"), "blue") if status.key is KeyState.UNVERIFIED else (_("OK"), "green")
    if status.alert.code is AlertCode.MANY_FAILURES and status.is_serious:
        return ALL_CALLS_FAIL, "red"
    return NAMES[status.alert.code], "red" if status.is_serious else "yellow"
