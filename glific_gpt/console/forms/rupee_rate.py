"""Form of the rate at which reports show costs in rupees."""

from decimal import Decimal, InvalidOperation

from flask_babel import lazy_gettext as _
from wtforms import DateField, StringField
from wtforms.validators import Optional

from glific_gpt.clock import now
from glific_gpt.console.forms.base import Form
from glific_gpt.console.presenters.labels import translate
from glific_gpt.organizations.rupee_rate import MSG_DATE, MSG_RATE, RupeeRate


class RupeeRateForm(Form):
    """Rupees for one US dollar, and the day of this rate. Without rupees, reports show dollars only."""

    rupees = StringField(_("Rupees for one US dollar"), render_kw={"inputmode": "decimal"})
    day = DateField(_("Date of the rate"), validators=[Optional()])

    def show(self, rate: RupeeRate | None) -> None:
        """Fill the form with the stored rate, or with today."""
        self.rupees.data = f"{rate.rupees.normalize():f}" if rate else ""
        self.day.data = rate.day if rate else now().date()

    @property
    def is_empty(self) -> bool:
        return not (self.rupees.data or "").strip()

    def rate(self) -> RupeeRate | None:
        """Return the rate, or None if the form now has errors."""
        try:
            rupees = Decimal((self.rupees.data or "").strip())
        except InvalidOperation:
            self.rupees.errors = [translate(MSG_RATE)]
            return None
        if self.day.data is None:
            self.day.errors = [translate(MSG_DATE)]
            return None
        return RupeeRate(rupees, self.day.data)
