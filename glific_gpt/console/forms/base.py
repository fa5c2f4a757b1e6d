"""What every form of the console is made from: a CSRF token, and our errors beside the field that they are about."""

from flask_wtf import FlaskForm

from glific_gpt.console.presenters.labels import sentence
from glific_gpt.errors import GlificGptError


class Form(FlaskForm):  # type: ignore[misc] # it ships no types
    """A form of ours."""

    def refuse(self, error: GlificGptError, field: str | None = None) -> None:
        """Shows what was wrong at that field, or above the form."""
        said = [sentence(error)]
        if field:
            self[field].errors = [*self[field].errors, *said]
        else:
            self.form_errors: list[str] = [*(self.form_errors or []), *said]
