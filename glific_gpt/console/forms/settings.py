"""Forms of the settings page: the settings, and the webhook signature."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from pydantic import ValidationError
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField, TextAreaField

from glific_gpt.console.forms import opened_values
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.time_zones import time_zone_choices
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.tables import Organization

SECRET_FIELD_ATTRIBUTES = {
    "autocomplete": "off",
    "spellcheck": "false",
    "autocapitalize": "off",
    "data-private": "",
}


class SignatureForm(Form):
    """The webhook signature, a secret that is never sent back to the browser."""

    phrase = PasswordField(_("Webhook signature"), render_kw=SECRET_FIELD_ATTRIBUTES)


TEXT_FIELDS = ("name", "fallback_message", "monthly_budget_usd", "alert_email", "time_zone")
NUMBER_FIELDS = (
    *("glific_organization_id", "contact_daily_limit", "calls_per_minute", "contact_calls_per_minute"),
    "memory_hours",
)
BUDGET, LABEL_BUDGET = "monthly_budget_usd", _("Monthly budget in US dollars")
SWITCH_FIELDS = ("require_signature", "fetch_images", "is_active")
AMOUNT = re.compile(r"[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}(\.[0-9]*)?|[0-9]+(\.[0-9]*)?", re.ASCII)
"""An amount with or without separators: thousands, or lakhs as in 1,00,000."""
FIELD_ERRORS = {
    "name": _("Write a name of 1 to 200 characters."),
    "fallback_message": _("Write a text that contacts can see, of at most 4095 characters."),
    "glific_organization_id": _("Enter a whole number, such as 17. Leave it empty if you do not know it."),
    "contact_daily_limit": _("Enter a whole number from 1 to 10,000. Leave it empty for no limit."),
    "calls_per_minute": _("Enter a whole number from 1 to 100000. Leave it empty for no limit."),
    "contact_calls_per_minute": _("Enter a whole number from 1 to 100000. Leave it empty for no limit."),
    "time_zone": _("Choose one from the list."),
    "alert_email": _("This is not an e-mail address."),
    "monthly_budget_usd": _("Enter an amount in US dollars up to 1000000, such as 25 or 12.50."),
    "memory_hours": _("Enter a whole number of hours from 1 to 168. Leave it empty for 24 hours."),
}


class SettingsForm(Form):
    """Settings of an organization. Numbers are text fields, so that a wrong value can be shown again."""

    name = StringField(_("Name"))
    fallback_message = TextAreaField(_("Message when there is no answer"), render_kw={"rows": 3})
    glific_organization_id = StringField(_("Glific organization ID"), render_kw={"inputmode": "numeric"})
    contact_daily_limit = StringField(_("Answers for each contact in 24 hours"), render_kw={"inputmode": "numeric"})
    calls_per_minute = StringField(_("Calls per minute"), render_kw={"inputmode": "numeric"})
    contact_calls_per_minute = StringField(_("Calls per minute for each contact"), render_kw={"inputmode": "numeric"})
    monthly_budget_usd = StringField(LABEL_BUDGET, render_kw={"inputmode": "decimal"})
    memory_hours = StringField(_("Hours of memory"), render_kw={"inputmode": "numeric"})
    alert_email = EmailField(_("E-mail address for alerts"))
    time_zone = SelectField(_("Time zone"), validate_choice=False)
    require_signature = BooleanField(_("Require the webhook signature"))
    fetch_images = BooleanField(_("This server downloads pictures"))
    is_active = BooleanField(_("Organization is active"))

    opened: Mapping[str, str] = {}
    """The values with which the person opened the form, as texts, by field."""

    def show(self, organization: Organization) -> None:
        """Fill the form from the stored settings."""
        self.opened = self._stored(organization)
        self.time_zone.choices = time_zone_choices(organization.time_zone)
        for name, value in self.opened.items():
            self[name].data = bool(value) if name in SWITCH_FIELDS else value

    def hidden_inputs(self) -> Markup:
        """Return the inputs that carry the opened values."""
        return opened_values.hidden_inputs(self.opened)

    def changes(self, organization: Organization) -> OrganizationChanges | None:
        """Return what the person changed, or None if the form now has errors.

        A setting that a colleague has changed meanwhile is an error, unless the person sends it again.
        """
        stored = self._stored(organization)
        self.time_zone.choices = time_zone_choices(organization.time_zone)
        self.opened = {name: _or(opened_values.read_opened(name), stored[name]) for name in stored}
        typed = {name: self._typed(name) for name in stored}
        changed = {name for name in stored if opened_values.is_changed(name, typed[name])}
        conflicts = {name for name in changed if opened_values.is_conflict(name, typed[name], stored[name])}
        for name in conflicts:
            self[name].errors = [_describe_conflict(name, stored[name])]
        self.opened = self.opened | {name: stored[name] for name in conflicts}
        found = self._validate({name: _to_value(name, typed[name]) for name in changed})
        return None if conflicts else found

    def _validate(self, values: dict[str, Any]) -> OrganizationChanges | None:
        try:
            return OrganizationChanges(**values)
        except ValidationError as error:
            for name in {str(detail["loc"][0]) for detail in error.errors(include_input=False, include_url=False)}:
                self[name].errors = [str(FIELD_ERRORS[name])]
            return None

    def _stored(self, organization: Organization) -> dict[str, str]:
        # The view removes `is_active` for everyone but administrators.
        names = [name for name in (*TEXT_FIELDS, *NUMBER_FIELDS, *SWITCH_FIELDS) if name in self._fields]
        return {name: _format_value(getattr(organization, name)) for name in names}

    def _typed(self, name: str) -> str:
        value = self[name].data
        return _format_value(value) if name in SWITCH_FIELDS else opened_values.normalize(value or "")


def _or(value: str | None, default: str) -> str:
    return default if value is None else value


def _describe_conflict(name: str, stored: str) -> str:
    names = {"": gettext("off"), "True": gettext("on")} if name in SWITCH_FIELDS else {"": gettext("empty")}
    return opened_values.describe_conflict(names.get(stored, stored))


def _to_value(name: str, text: str) -> Any:
    """Return the value of a field. A text that is not valid is left for the validation of the changes to refuse."""
    if name in SWITCH_FIELDS:
        return bool(text)
    if name in NUMBER_FIELDS:
        return _to_number(_without_separators(text))
    return read_budget(text) if name == BUDGET else text or None


def read_budget(text: str | None) -> str | None:
    """Return an amount as typed without its separators, or None for no budget. It can be invalid."""
    return _without_separators((text or "").strip()) or None


def _without_separators(text: str) -> str:
    """Return an amount such as $1,000 or 1,00,000 as a plain number."""
    amount = text.removeprefix("$").strip()
    return amount.replace(",", "") if AMOUNT.fullmatch(amount) else text


def _to_number(text: str) -> int | str | None:
    """Return a number, or the text itself if it is not a number: the validation of the changes then refuses it."""
    try:
        return int(text) if text.strip() else None
    except ValueError:
        return text


def _format_value(value: object) -> str:
    if value is None or value is False:
        return ""
    # In fixed-point notation: the text of a Decimal can have an exponent, as in 1E+3.
    return f"{value:f}" if hasattr(value, "as_tuple") else opened_values.normalize(str(value))
