"""Form of a model allowlist, of one organization or of the whole server."""

from collections.abc import Iterable
from itertools import islice

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markupsafe import Markup
from wtforms import RadioField, TextAreaField

from glific_gpt.console.forms import opened_values
from glific_gpt.console.forms.base import Form
from glific_gpt.models import allowlist
from glific_gpt.settings import MAX_PATTERNS
from glific_gpt.wildcards import MAX_STARS, has_too_many_stars

ALL, ONLY, NONE = "all", "only", "none"
OPENED_LIST = "allowed"


class AllowlistForm(Form):
    """Allow all models, only listed patterns, or no models."""

    # WTForms does not check the choice, because `_errors` describes a wrong one in a sentence of ours.
    scope = RadioField(lazy_gettext("Allowed models"), choices=[ALL, ONLY, NONE], default=ALL, validate_choice=False)
    patterns = TextAreaField(lazy_gettext("Patterns, one on each line"))

    opened = ""
    """The list with which the person opened the form, as a text."""

    def show(self, allowed: list[str] | None) -> None:
        """Fill the form from a stored list. None allows all models, an empty list allows no models."""
        self.opened = _to_text(allowed)
        self.scope.data = ALL if allowed is None else ONLY if allowed else NONE
        self.patterns.data = "\n".join(allowed or [])

    @property
    def lines(self) -> list[str]:
        """The lines that are not blank: one more than a list can have, so that a longer list is noticed."""
        lines = (line.strip() for line in (self.patterns.data or "").splitlines())
        return list(islice(filter(None, lines), MAX_PATTERNS + 1))

    @property
    def allowed_models(self) -> list[str] | None:
        """The list to store. Lines that are not valid patterns are left out."""
        if self.scope.data == ALL:
            return None
        return parse_patterns(self.lines) if self.scope.data == ONLY else []

    def hidden_inputs(self) -> Markup:
        """Return the input that carries the opened list."""
        return opened_values.hidden_inputs({OPENED_LIST: self.opened})

    def is_valid(self, stored: list[str] | None) -> bool:
        """Validate the form. If it is not valid, its fields have errors.

        A list that a colleague has changed meanwhile is an error, unless the person sends the form again.
        """
        opened = opened_values.read_opened(OPENED_LIST)
        self.opened = _to_text(stored) if opened is None else opened
        errors = list(self._errors())
        if not errors and self.is_changed and _to_text(stored) not in {self.opened, _to_text(self.allowed_models)}:
            errors.append(_("A colleague has changed this list since you opened the page. Save again to replace it."))
            self.opened = _to_text(stored)
        self.patterns.errors = errors
        return not errors

    @property
    def is_changed(self) -> bool:
        """True if the person has changed the list."""
        return _to_text(self.allowed_models) != self.opened

    def _errors(self) -> Iterable[str]:
        if self.scope.data not in (ALL, ONLY, NONE):
            yield _("Choose which models flows can use.")
        if self.scope.data != ONLY:
            return
        if not self.lines:
            yield _("Write at least one pattern, or choose “No models”.")
        if len(self.lines) > MAX_PATTERNS:
            yield _("A list can have at most %(most)s patterns.", most=MAX_PATTERNS)
        for line in self.lines:
            if not parse_patterns([line]):
                yield invalid_pattern_error(line)


def _to_text(allowed: list[str] | None) -> str:
    return ALL if allowed is None else "\n".join(allowed)


def parse_patterns(lines: Iterable[str]) -> list[str]:
    """Return the lines that are valid patterns, normalized and without duplicates."""
    patterns: list[str] = []
    for line in lines:
        try:
            patterns += allowlist.parse_patterns([line])
        except ValueError:
            continue
    return list(dict.fromkeys(patterns))


def invalid_pattern_error(line: str) -> str:
    """Return the error text for a line. Long lines are cut."""
    cut = line if len(line) <= 60 else line[:60] + "..."
    if has_too_many_stars(line):
        return str(_("“%(line)s” has too many stars. Use at most %(most)s.", line=cut, most=MAX_STARS))
    return str(_("“%(line)s” is not a valid pattern. Use letters, digits and . _ : / - *", line=cut))
