"""The form in which a list of models is edited: one organization's, or the one for everybody."""

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import RadioField, TextAreaField

from glific_gpt.console.forms.base import Form
from glific_gpt.models import allowlist

ALL, ONLY, NONE = "all", "only", "none"
MAX_PATTERNS = 1000


class AllowForm(Form):
    """All, some or none."""

    scope = RadioField(lazy_gettext("Allowed models"), choices=[ALL, ONLY, NONE], default=ALL, validate_choice=False)
    patterns = TextAreaField(lazy_gettext("Patterns, one on each line"))

    def show(self, allowed: list[str] | None) -> None:
        """A stored list: NULL is all, an empty one none."""
        self.scope.data = ALL if allowed is None else ONLY if allowed else NONE
        self.patterns.data = "\n".join(allowed or [])

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in (self.patterns.data or "").splitlines() if line.strip()]

    @property
    def wanted(self) -> list[str] | None:
        """The list as it would be stored; lines that are no patterns count for nothing."""
        if self.scope.data == ALL:
            return None
        return readable(self.lines) if self.scope.data == ONLY else []

    def is_good(self) -> bool:
        """Otherwise the form now says what is wrong."""
        errors = list(self._errors())
        self.patterns.errors = errors
        return not errors

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
            if not readable([line]):
                yield no_pattern(line)


def readable(lines: Iterable[str]) -> list[str]:
    """The lines that are patterns, as they are stored."""
    found: list[str] = []
    for line in lines:
        try:
            found += allowlist.parse([line])
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def no_pattern(line: str) -> str:
    shown = line if len(line) <= 60 else line[:60] + "..."
    return str(_("“%(line)s” is not a valid pattern. Use letters, digits and . _ : / - *", line=shown))
