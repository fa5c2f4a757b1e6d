"""Form for a new organization: name, slug, time zone, first owner and budget."""

from collections.abc import Callable

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import EmailField, SelectField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from glific_gpt.accounts import addresses
from glific_gpt.console.forms.base import Form
from glific_gpt.console.forms.settings import BUDGET, FIELD_ERRORS, LABEL_BUDGET, read_budget
from glific_gpt.console.forms.time_zones import time_zone_choices
from glific_gpt.errors import InvalidValue
from glific_gpt.organizations import store
from glific_gpt.organizations.changes import OrganizationChanges, validate_changes
from glific_gpt.services import services


class NewOrganizationForm(Form):
    """Name, slug and time zone of a new organization, and the optional address of its first owner and its budget."""

    name = StringField(
        _("Name"), [DataRequired(_("Enter a name.")), Length(max=200, message=_("Write at most 200 characters."))]
    )
    slug = StringField(
        _("Short name"),
        [DataRequired(_("Enter a short name."))],
        render_kw={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    time_zone = SelectField(_("Time zone"), validate_choice=False)
    email = EmailField(_("E-mail address of the first owner"))
    monthly_budget_usd = StringField(LABEL_BUDGET, render_kw={"inputmode": "decimal", "autocomplete": "off"})

    def set_choices(self) -> None:
        """Set the time zones. That of the server is selected until the person chooses one."""
        server_default = services().settings.chosen_time_zone
        self.time_zone.choices = time_zone_choices(server_default)
        # Programs that send the form do not know this field.
        if self.time_zone.data is None:
            self.time_zone.data = server_default or ""

    def validate_time_zone(self, time_zone: SelectField) -> None:
        _validate(lambda: validate_changes(time_zone=time_zone.data or None), gettext("Choose one from the list."))

    def validate_name(self, name: StringField) -> None:
        _validate(
            lambda: validate_changes(name=name.data),
            gettext("This name contains characters that cannot be stored. Remove them."),
        )

    def validate_slug(self, slug: StringField) -> None:
        if not store.is_new_slug(slug.data or ""):
            raise ValidationError(
                gettext(
                    "Use small letters, digits and hyphens, at most 63 characters, with a letter or digit first and "
                    "last, such as seva-trust."
                )
            )

    def validate_email(self, email: EmailField) -> None:
        if email.data:
            _validate(lambda: addresses.validate(email.data), gettext("This is not an e-mail address."))

    def validate_monthly_budget_usd(self, _field: StringField) -> None:
        _validate(self.settings, str(FIELD_ERRORS[BUDGET]))

    def settings(self) -> OrganizationChanges:
        """Return the settings of the new organization. Raises InvalidValue for a budget that is not valid."""
        return validate_changes(monthly_budget_usd=read_budget(self.monthly_budget_usd.data))


def _validate(check: Callable[[], object], sentence: str) -> None:
    """Run a check of the domain as a form validator."""
    try:
        check()
    except InvalidValue:
        raise ValidationError(sentence) from None
