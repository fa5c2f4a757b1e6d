"""Filters of the call list, read from the query string."""

import re
from collections.abc import Iterable
from datetime import tzinfo

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, Field, SearchField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from glific_gpt.calls.filters import Filters
from glific_gpt.calls.queries import Order
from glific_gpt.calls.tables import CALL_ID
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import STATUS_NAMES, error_name

FILTER_NAMES = ("search", "first_day", "last_day", "status", "model", "error", "flow", "tests", "sort")
ID = re.compile("[0-9]{1,19}", re.ASCII)
MAX_ID = 2**63 - 1
"""The largest number that the columns hold."""
ANY_CHOICE = SelectChoice("", _("All"))
TEST_CHOICES = [
    ANY_CHOICE,
    SelectChoice("without", _("Leave out")),
    SelectChoice("only", _("Only these")),
]
ORDER_CHOICES = [
    SelectChoice("", _("Newest first")),
    SelectChoice(Order.DURATION, _("Slowest first")),
    SelectChoice(Order.COST, _("Most expensive first")),
]
STATUS_CHOICES = [ANY_CHOICE, *(SelectChoice(status, name) for status, name in STATUS_NAMES.items())]


def _reject_nul(_form: Form, field: Field) -> None:
    # PostgreSQL refuses text that contains NUL.
    if "\x00" in (field.data or ""):
        raise ValidationError(gettext("Choose one from the list."))


def _require_id(_form: Form, field: Field) -> None:
    if field.data and not _is_id(field.data):
        raise ValidationError(gettext("Choose one from the list."))


def _require_search(_form: Form, field: Field) -> None:
    text = _normalize(field.data)
    if text and not re.fullmatch(CALL_ID, text) and not _is_id(text):
        raise ValidationError(gettext("Enter a whole call ID, or the number of a contact or flow in Glific."))


class CallFilters(Form):
    """Filter form. It is sent by GET, so that the address can be bookmarked, and needs no CSRF token."""

    class Meta:
        csrf = False

    search = SearchField(_("Call ID, contact or flow"), validators=[_require_search])
    first_day = DateField(_("First day"), validators=[Optional()])
    last_day = DateField(_("Last day"), validators=[Optional()])
    status = SelectField(_("Status"), choices=STATUS_CHOICES, default="")
    model = SelectField(_("Model"), validators=[_reject_nul], validate_choice=False, default="")
    error = SelectField(_("Error"), validators=[_reject_nul], validate_choice=False, default="")
    flow = SelectField(_("Flow in Glific"), validators=[_require_id], validate_choice=False, default="")

    tests = SelectField(_("Test questions"), choices=TEST_CHOICES, default="")
    sort = SelectField(_("Order"), choices=ORDER_CHOICES, validate_choice=False, default="")

    @property
    def order(self) -> Order:
        """The order of the list. An unknown one is the default."""
        return Order(self.sort.data) if self.sort.data in set(Order) else Order.NEWEST

    def set_choices(self, models: Iterable[str], errors: Iterable[str], flows: Iterable[int]) -> None:
        """Set the models, errors and flows to choose from. The current choice stays, even if no call has it."""
        self.model.choices = [
            ANY_CHOICE,
            *(SelectChoice(name) for name in _sorted_with(models, _valid_value(self.model))),
        ]
        flow_ids = sorted(_sorted_with(map(str, flows), _valid_value(self.flow)), key=int)
        self.flow.choices = [ANY_CHOICE, *(SelectChoice(flow_id) for flow_id in flow_ids)]
        by_name = sorted(_sorted_with(errors, _valid_value(self.error)), key=lambda code: str(error_name(code)))
        self.error.choices = [ANY_CHOICE, *(SelectChoice(code, str(error_name(code))) for code in by_name)]

    def filters(self, zone: tzinfo) -> Filters:
        """Return the filters of a valid form. Its days are in the time zone."""
        searched = _normalize(self.search.data)
        is_number = _is_id(searched)
        return Filters(
            zone=zone,
            call_id=searched if searched and not is_number else None,
            contact_or_flow_id=int(searched) if is_number else None,
            is_test={"only": True, "without": False}.get(self.tests.data),
            status=self.status.data or None,
            first_day=self.first_day.data,
            last_day=self.last_day.data,
            model=self.model.data or None,
            error_code=self.error.data or None,
            flow_id=int(self.flow.data) if self.flow.data else None,
        )


def from_query_string() -> CallFilters:
    """Return the form of this request. It is not validated yet."""
    return CallFilters(formdata=request.args or None)


def active_filters() -> dict[str, str]:
    """Return the filters of this request, for links that keep them."""
    return {name: value for name in FILTER_NAMES if (value := request.args.get(name)) and "\x00" not in value}


def _normalize(text: str | None) -> str:
    return (text or "").strip().lower()


def _is_id(text: str) -> bool:
    """Return whether this can be the id of a contact or flow in Glific."""
    return bool(ID.fullmatch(text)) and int(text) <= MAX_ID


def _valid_value(field: Field) -> str | None:
    return None if field.errors else field.data


def _sorted_with(known: Iterable[str], current: str | None) -> list[str]:
    return sorted({*known, current} if current else known)
