"""The filters above the list of calls: what the address asks for, and what there is to choose from."""

from collections.abc import Iterable

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, Field, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from glific_gpt.calls.queries import Filters
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import STATUS_NAMES, error_name

NAMES = ("first_day", "last_day", "status", "model", "error")
ANY = SelectChoice("", _("All"))
STATUSES = [ANY, *(SelectChoice(status, name) for status, name in STATUS_NAMES.items())]


def _storable(_form: Form, field: Field) -> None:
    """Not every database can be asked for the character NUL."""
    if "\x00" in (field.data or ""):
        raise ValidationError(gettext("Choose one from the list."))


class CallFilters(Form):
    """Sent by GET: nothing changes, and the address can be kept and passed on."""

    class Meta:
        csrf = False

    first_day = DateField(_("First day (UTC)"), validators=[Optional()])
    last_day = DateField(_("Last day (UTC)"), validators=[Optional()])
    status = SelectField(_("Status"), choices=STATUSES, default="")
    model = SelectField(_("Model"), validators=[_storable], validate_choice=False, default="")
    error = SelectField(_("Error"), validators=[_storable], validate_choice=False, default="")

    def offer(self, models: Iterable[str], errors: Iterable[str]) -> None:
        """What calls have had, and what was chosen all the same."""
        self.model.choices = [ANY, *(SelectChoice(name) for name in _with(models, _asked(self.model)))]
        by_name = sorted(_with(errors, _asked(self.error)), key=lambda code: str(error_name(code)))
        self.error.choices = [ANY, *(SelectChoice(code, str(error_name(code))) for code in by_name)]

    def filters(self) -> Filters:
        return Filters(
            status=self.status.data or None,
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            model=self.model.data or None,
            error_code=self.error.data or None,
        )


def from_address() -> CallFilters:
    """As it was sent, valid or not."""
    asked = request.args or None
    return CallFilters(formdata=asked)


def chosen() -> dict[str, str]:
    """The same, for the addresses of other pages of the same calls."""
    return {name: value for name in NAMES if (value := request.args.get(name))}


def _asked(field: Field) -> str | None:
    return None if field.errors else field.data


def _with(known: Iterable[str], chosen: str | None) -> list[str]:
    return sorted({*known, chosen} if chosen else known)
